//! From a template's table to one in `DynamoDB`, new or already in the data folder.

use serde_json::{Value, json};

use super::error::CloudError;
use super::resources::refused;
use crate::dynamodb::{DynamoDb, DynamoDbFailure};
use crate::template::Table;

/// Creates `table`, or brings the one that is there up to date: its stream, its expiry, its protection and its tags.
/// What cannot change of a table is refused.
pub(super) fn deploy(dynamodb: &DynamoDb, table: &Table) -> Result<(), CloudError> {
    let name = table.name.as_str();
    let stored = match call(dynamodb, "CreateTable", &table.definition) {
        Ok(_) => None,
        Err(failure) if failure.code() == "ResourceInUseException" => {
            let described = call(dynamodb, "DescribeTable", &json!({"TableName": name}));
            Some(described.map_err(refused("table", &name))?["Table"].take())
        }
        Err(failure) => return Err(refused("table", &name)(failure)),
    };
    if let Some(stored) = &stored {
        unchangeable(table, stored)?;
        stream(dynamodb, table, stored).map_err(refused("stream of table", &name))?;
        protection(dynamodb, table, stored).map_err(refused("deletion protection of table", &name))?;
        tags(dynamodb, table, stored).map_err(refused("tags of table", &name))?;
    }
    expiry(dynamodb, table).map_err(refused("expiry of table", &name))
}

fn unchangeable(table: &Table, stored: &Value) -> Result<(), CloudError> {
    let indexes = |table: &Value, property: &str| {
        let names = table[property].as_array().into_iter().flatten().map(|index| index["IndexName"].clone());
        let mut names: Vec<Value> = names.collect();
        names.sort_by_key(Value::to_string);
        Value::Array(names)
    };
    let declared = &table.definition;
    // Attributes may come and go with indexes; one that is there keeps its type.
    // <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>
    let attributes = |of: &Value, common: &Value| {
        let list = |table: &Value| table["AttributeDefinitions"].as_array().cloned().unwrap_or_default();
        let known = list(common);
        let mut attributes = list(of);
        attributes.retain(|one| known.iter().any(|other| one["AttributeName"] == other["AttributeName"]));
        attributes.sort_by_key(|attribute| attribute["AttributeName"].to_string());
        Value::Array(attributes)
    };
    for (property, before, after) in [
        ("KeySchema", stored["KeySchema"].clone(), declared["KeySchema"].clone()),
        ("AttributeDefinitions", attributes(stored, declared), attributes(declared, stored)),
        (
            "GlobalSecondaryIndexes",
            indexes(stored, "GlobalSecondaryIndexes"),
            indexes(declared, "GlobalSecondaryIndexes"),
        ),
        ("LocalSecondaryIndexes", indexes(stored, "LocalSecondaryIndexes"), indexes(declared, "LocalSecondaryIndexes")),
    ] {
        if before != after {
            return Err(CloudError::TableDiffers {
                table: table.name.clone(),
                property,
                stored: before,
                declared: after,
            });
        }
    }
    Ok(())
}

fn stream(dynamodb: &DynamoDb, table: &Table, stored: &Value) -> Result<(), DynamoDbFailure> {
    let view = |table: &Value| table["StreamSpecification"]["StreamViewType"].clone();
    let (before, after) = (view(stored), view(&table.definition));
    if before == after {
        return Ok(());
    }
    let update = |specification: Value| {
        let request = json!({"TableName": table.name, "StreamSpecification": specification});
        call(dynamodb, "UpdateTable", &request).map(drop)
    };
    if !before.is_null() {
        update(json!({"StreamEnabled": false}))?;
    }
    if after.is_null() { Ok(()) } else { update(json!({"StreamEnabled": true, "StreamViewType": after})) }
}

fn protection(dynamodb: &DynamoDb, table: &Table, stored: &Value) -> Result<(), DynamoDbFailure> {
    let protected = |table: &Value| table["DeletionProtectionEnabled"] == true;
    let declared = protected(&table.definition);
    if protected(stored) == declared {
        return Ok(());
    }
    call(dynamodb, "UpdateTable", &json!({"TableName": table.name, "DeletionProtectionEnabled": declared})).map(drop)
}

/// Those that somebody else has added stay, as in a stack.
fn tags(dynamodb: &DynamoDb, table: &Table, stored: &Value) -> Result<(), DynamoDbFailure> {
    let Some(tags) = table.definition.get("Tags") else { return Ok(()) };
    call(dynamodb, "TagResource", &json!({"ResourceArn": stored["TableArn"], "Tags": tags})).map(drop)
}

fn expiry(dynamodb: &DynamoDb, table: &Table) -> Result<(), DynamoDbFailure> {
    let described = call(dynamodb, "DescribeTimeToLive", &json!({"TableName": table.name}))?;
    let described = &described["TimeToLiveDescription"];
    let before = described["AttributeName"].as_str().filter(|_| described["TimeToLiveStatus"] == "ENABLED");
    if before == table.ttl_attribute.as_deref() {
        return Ok(());
    }
    let update = |attribute: &str, enabled: bool| {
        let specification = json!({"AttributeName": attribute, "Enabled": enabled});
        let request = json!({"TableName": table.name, "TimeToLiveSpecification": specification});
        call(dynamodb, "UpdateTimeToLive", &request).map(drop)
    };
    if let Some(attribute) = before {
        update(attribute, false)?;
    }
    table.ttl_attribute.as_deref().map_or(Ok(()), |attribute| update(attribute, true))
}

fn call(dynamodb: &DynamoDb, action: &str, request: &Value) -> Result<Value, DynamoDbFailure> {
    let answer = dynamodb.execute(action, request.to_string().as_bytes())?;
    Ok(serde_json::from_slice(&answer).unwrap_or_default())
}
