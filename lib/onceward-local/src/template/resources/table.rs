use serde_json::{Map, Value, json};

use crate::template::{properties::Properties, stack::Table};

/// Parts of `CreateTable` that templates spell the same. The service checks what is in them.
const SAME: [&str; 6] = [
    "AttributeDefinitions",
    "KeySchema",
    "BillingMode",
    "ProvisionedThroughput",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
];

pub(super) fn read(properties: Properties<'_>, logical_id: String, name: String) -> Table {
    let mut definition = Map::new();
    definition.insert("TableName".to_owned(), Value::String(name.clone()));
    properties.require("KeySchema");
    properties.require("AttributeDefinitions");
    for part in SAME {
        definition.extend(properties.json(part).map(|value| (part.to_owned(), value)));
    }
    if properties.one_of("BillingMode", &["PAY_PER_REQUEST", "PROVISIONED"]) != Some("PAY_PER_REQUEST")
        && !definition.contains_key("ProvisionedThroughput")
    {
        let message = "required, unless BillingMode is PAY_PER_REQUEST";
        properties.fault("ProvisionedThroughput", message);
    }
    if let Some(stream) = properties.nested("StreamSpecification") {
        stream.require("StreamViewType");
        let view = stream.one_of("StreamViewType", &["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]);
        stream.irrelevant(&["ResourcePolicy"]);
        stream.finish();
        let specification = json!({"StreamEnabled": true, "StreamViewType": view});
        definition.insert("StreamSpecification".to_owned(), specification);
    }
    let ttl_attribute = properties.nested("TimeToLiveSpecification").and_then(|ttl| {
        let attribute = ttl.text("AttributeName");
        ttl.require("Enabled");
        let enabled = ttl.boolean("Enabled") == Some(true);
        ttl.finish();
        attribute.filter(|_| enabled)
    });
    let protected = properties.boolean("DeletionProtectionEnabled");
    definition.extend(protected.map(|protected| ("DeletionProtectionEnabled".to_owned(), json!(protected))));
    let tags = properties.list("Tags").into_iter().enumerate().filter_map(|(index, tag)| {
        let tag = Properties::new(properties.resolver, &tag, properties.place_of(&format!("Tags[{index}]")));
        let (key, value) = (tag.required_text("Key"), tag.required_text("Value"));
        tag.finish();
        Some((key?, value?))
    });
    definition.extend(tagged(tags));
    properties.refuse(&["KinesisStreamSpecification"], "there is no Kinesis; use the table's own stream");
    properties.refuse(&["ImportSourceSpecification"], "tables start empty");
    properties.irrelevant(&[
        "TableName",
        "TableClass",
        "PointInTimeRecoverySpecification",
        "SSESpecification",
        "ContributorInsightsSpecification",
        "OnDemandThroughput",
        "WarmThroughput",
        "ResourcePolicy",
    ]);
    properties.finish();
    Table { logical_id, name, definition: Value::Object(definition), ttl_attribute }
}

/// `AWS::Serverless::SimpleTable`: one partition key, `id` if the template does not say.
pub(super) fn read_simple(properties: Properties<'_>, logical_id: String, name: String) -> Table {
    let (mut attribute, mut kind) = ("id".to_owned(), "S");
    if let Some(key) = properties.nested("PrimaryKey") {
        attribute = key.required_text("Name").unwrap_or(attribute);
        kind = match key.one_of("Type", &["String", "Number", "Binary"]) {
            Some("Number") => "N",
            Some("Binary") => "B",
            _ => "S",
        };
        key.finish();
    }
    properties.irrelevant(&[
        "TableName",
        "ProvisionedThroughput",
        "PointInTimeRecoverySpecification",
        "SSESpecification",
    ]);
    let tags = tagged(properties.texts("Tags"));
    properties.finish();
    let mut definition = json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": kind}],
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
    });
    if let (Some((member, tags)), Value::Object(definition)) = (tags, &mut definition) {
        definition.insert(member, tags);
    }
    Table { logical_id, name, definition, ttl_attribute: None }
}

/// `Tags` of `CreateTable`, if there are any.
fn tagged(tags: impl IntoIterator<Item = (String, String)>) -> Option<(String, Value)> {
    let tags: Vec<Value> = tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    (!tags.is_empty()).then(|| ("Tags".to_owned(), Value::Array(tags)))
}
