//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>; the condition keys:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>

use std::collections::HashMap;

use dynoxide::actions::get_shard_iterator::decode_shard_iterator;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{expression, partiql};
use crate::endpoint::Services;
use crate::iam::evaluate::Need;
use crate::wire::AwsRequest;

/// A table's one stream, as templates name it: the label is that of a deployment, not one that a policy could know.
const STREAM: &str = "stream/latest";

/// A key's value, of which only one member is there.
#[derive(Debug, Default, Deserialize)]
struct Attribute {
    #[serde(rename = "S")]
    text: Option<String>,
    #[serde(rename = "N")]
    number: Option<String>,
    #[serde(rename = "B")]
    binary: Option<String>,
}

type Item = HashMap<String, Attribute>;

/// What the actions on items have in common; each has some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct OnItem {
    table_name: String,
    key: Item,
    item: Item,
    index_name: Option<String>,
    key_condition_expression: Option<String>,
    expression_attribute_names: HashMap<String, String>,
    expression_attribute_values: Item,
    key_conditions: HashMap<String, KeyCondition>,
    return_values: Option<String>,
    return_consumed_capacity: Option<String>,
    select: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyCondition {
    #[serde(default)]
    attribute_value_list: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    transact_items: Vec<HashMap<String, OnItem>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGet {
    request_items: HashMap<String, Keys>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    keys: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchWrite {
    request_items: HashMap<String, Vec<HashMap<String, OnItem>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct PartiQl {
    statement: Option<String>,
    statements: Vec<PartiQl>,
    transact_statements: Vec<PartiQl>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct OnStream {
    stream_arn: Option<String>,
    shard_iterator: Option<String>,
    table_name: Option<String>,
    resource_arn: Option<String>,
}

pub(super) fn needs(services: &Services, request: &AwsRequest) -> Vec<Need> {
    let tables = Tables { services };
    let body = &request.body;
    let action = request.action.as_str();
    match action {
        "TransactWriteItems" | "TransactGetItems" => {
            let Ok(Transaction { transact_items }) = serde_json::from_slice(body) else { return Vec::new() };
            let entries = transact_items.iter().flatten();
            entries.filter_map(|(kind, entry)| Some(tables.enclosed(action, single(kind)?, entry))).collect()
        }
        "BatchGetItem" => {
            let Ok(BatchGet { request_items }) = serde_json::from_slice(body) else { return Vec::new() };
            let need = |(table, Keys { keys }): (&String, &Keys)| tables.batch(action, table, keys.iter());
            request_items.iter().map(need).collect()
        }
        "BatchWriteItem" => {
            let Ok(BatchWrite { request_items }) = serde_json::from_slice(body) else { return Vec::new() };
            let need = |(table, writes): (&String, &Vec<HashMap<String, OnItem>>)| {
                let entries = writes.iter().flat_map(HashMap::values);
                tables.batch(action, table, entries.map(|it| if it.item.is_empty() { &it.key } else { &it.item }))
            };
            request_items.iter().map(need).collect()
        }
        "ExecuteStatement" | "BatchExecuteStatement" | "ExecuteTransaction" => tables.partiql(action, &read(body)),
        "DescribeStream" | "GetShardIterator" | "GetRecords" | "ListStreams" => tables.stream(action, &read(body)),
        "ListTables" | "DescribeEndpoints" | "DescribeLimits" => vec![Need::new("dynamodb", action, "*")],
        "TagResource" | "UntagResource" | "ListTagsOfResource" => {
            let OnStream { resource_arn, .. } = read(body);
            vec![Need::new("dynamodb", action, resource_arn.unwrap_or_else(|| "*".to_owned()))]
        }
        action => match serde_json::from_slice::<OnItem>(body) {
            Ok(request) => vec![tables.single(action, &request)],
            Err(_) => Vec::new(),
        },
    }
}

fn read<T: DeserializeOwned + Default>(body: &[u8]) -> T {
    serde_json::from_slice(body).unwrap_or_default()
}

/// The permission for an entry of a transaction is that for the action outside of one.
fn single(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        "Get" => "GetItem",
        _ => return None,
    })
}

struct Tables<'s> {
    services: &'s Services,
}

impl Tables<'_> {
    /// A table by its name or its ARN.
    fn arn(&self, table: &str) -> String {
        let name = table.rsplit_once(":table/").map_or(table, |(_, name)| name);
        self.services.account.arn("dynamodb", &format!("table/{name}"))
    }

    fn single(&self, action: &str, request: &OnItem) -> Need {
        let mut arn = self.arn(&request.table_name);
        if let Some(index) = &request.index_name {
            arn = format!("{arn}/index/{index}");
        }
        let need = Need::new("dynamodb", action, arn);
        let some = |value: &Option<String>| value.clone().into_iter().collect();
        need.with("dynamodb:leadingkeys", self.leading_key(request).into_iter().collect())
            .with("dynamodb:returnvalues", some(&request.return_values))
            .with("dynamodb:returnconsumedcapacity", some(&request.return_consumed_capacity))
            .with("dynamodb:select", some(&request.select))
    }

    fn enclosed(&self, enclosing: &str, action: &str, entry: &OnItem) -> Need {
        self.single(action, entry).with("dynamodb:enclosingoperation", vec![enclosing.to_owned()])
    }

    /// All keys of one table at once.
    fn batch<'i>(&self, action: &str, table: &str, items: impl Iterator<Item = &'i Item>) -> Need {
        let partition_key = self.partition_key(table, None).unwrap_or_default();
        let keys = items.filter_map(|item| item.get(partition_key.as_str())?.value()).collect();
        Need::new("dynamodb", action, self.arn(table)).with("dynamodb:leadingkeys", keys)
    }

    /// The value of the partition key, if the request says it.
    fn leading_key(&self, request: &OnItem) -> Option<String> {
        let by_item = [&request.key, &request.item].into_iter().find(|item| !item.is_empty());
        let by_condition = request.key_condition_expression.is_some() || !request.key_conditions.is_empty();
        if by_item.is_none() && !by_condition {
            return None;
        }
        let key = self.partition_key(&request.table_name, request.index_name.as_deref())?;
        if let Some(item) = by_item {
            return item.get(key.as_str())?.value();
        }
        if let Some(condition) = request.key_conditions.get(key.as_str()) {
            return condition.attribute_value_list.first()?.value();
        }
        let condition = request.key_condition_expression.as_deref()?;
        let placeholder = expression::equal_to(condition, &key, &request.expression_attribute_names)?;
        request.expression_attribute_values.get(placeholder)?.value()
    }

    fn partition_key(&self, table: &str, index: Option<&str>) -> Option<String> {
        self.services.iam.partition_key(&self.services.dynamodb, table, index)
    }

    fn partiql(&self, enclosing: &str, request: &PartiQl) -> Vec<Need> {
        let all = std::iter::once(request).chain(&request.statements).chain(&request.transact_statements);
        let targets = all.filter_map(|entry| partiql::target(entry.statement.as_deref()?));
        let need = |(action, table, index): (&str, String, Option<String>)| {
            let arn = self.arn(&table);
            let arn = index.map_or_else(|| arn.clone(), |index| format!("{arn}/index/{index}"));
            Need::new("dynamodb", action, arn).with("dynamodb:enclosingoperation", vec![enclosing.to_owned()])
        };
        targets.map(need).collect()
    }

    fn stream(&self, action: &str, request: &OnStream) -> Vec<Need> {
        let by_iterator = || Some(decode_shard_iterator(request.shard_iterator.as_deref()?)?.0);
        let by_arn = || Some(request.stream_arn.as_deref()?.split('/').nth(1)?.to_owned());
        let table = by_arn().or_else(by_iterator).or_else(|| request.table_name.clone());
        let arn = table.map_or_else(|| "*".to_owned(), |table| format!("{}/{STREAM}", self.arn(&table)));
        vec![Need::new("dynamodb", action, arn)]
    }
}

impl Attribute {
    fn value(&self) -> Option<String> {
        self.text.as_ref().or(self.number.as_ref()).or(self.binary.as_ref()).cloned()
    }
}
