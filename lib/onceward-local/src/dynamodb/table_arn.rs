//! Tables named by their ARN: `DynamoDB` takes either wherever a request says `TableName`, and as a key of
//! `RequestItems`; the crate takes names.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html#DDB-GetItem-request-TableName>

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::account::Account;

/// What answers have by table, under the keys of the request.
const BY_TABLE: [&str; 4] = ["Responses", "UnprocessedKeys", "UnprocessedItems", "ItemCollectionMetrics"];

/// A request without ARNs, and which of the keys of its `RequestItems` were some.
pub(super) struct Named<'b> {
    pub(super) body: Cow<'b, [u8]>,
    keys: Vec<String>,
    prefix: String,
}

impl<'b> Named<'b> {
    pub(super) fn new(body: &'b [u8], account: &Account) -> Self {
        let prefix = account.arn("dynamodb", "table/");
        let unchanged = Self { body: Cow::Borrowed(body), keys: Vec::new(), prefix: prefix.clone() };
        if !std::str::from_utf8(body).is_ok_and(|text| text.contains(&prefix)) {
            return unchanged;
        }
        let Ok(mut request) = serde_json::from_slice::<Value>(body) else { return unchanged };
        let mut keys = Vec::new();
        if let Some(Value::Object(tables)) = request.get_mut("RequestItems") {
            keys = tables.keys().filter(|key| key.starts_with(&prefix)).cloned().collect();
            rename(tables, |key| key.strip_prefix(&prefix).unwrap_or(key).to_owned());
        }
        name(&mut request, &prefix);
        Self { body: Cow::Owned(request.to_string().into_bytes()), keys, prefix }
    }

    /// The answer, with the keys that the request had.
    pub(super) fn answer(&self, answer: Vec<u8>) -> Vec<u8> {
        if self.keys.is_empty() {
            return answer;
        }
        let Ok(mut json) = serde_json::from_slice::<Value>(&answer) else { return answer };
        for member in BY_TABLE {
            if let Some(Value::Object(tables)) = json.get_mut(member) {
                rename(tables, |key| {
                    let arn = format!("{}{key}", self.prefix);
                    if self.keys.contains(&arn) { arn } else { key.to_owned() }
                });
            }
        }
        json.to_string().into_bytes()
    }
}

fn rename(tables: &mut Map<String, Value>, name: impl Fn(&str) -> String) {
    *tables = std::mem::take(tables).into_iter().map(|(key, value)| (name(&key), value)).collect();
}

/// Of the request itself, or of each part of a transaction. Items are not looked into.
fn name(request: &mut Value, prefix: &str) {
    let Value::Object(members) = request else { return };
    if let Some(Value::String(table)) = members.get_mut("TableName")
        && let Some(name) = table.strip_prefix(prefix)
    {
        *table = name.to_owned();
    }
    let parts = members.get_mut("TransactItems").and_then(Value::as_array_mut).into_iter().flatten();
    for action in parts.filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        name(action, prefix);
    }
}
