//! Batches in AWS JSON.

use serde_json::{Map, Value, json};

use super::{Failed, INJECTED, Split};
use crate::faults::chance::Chance;
use crate::faults::refusal::Asked;

/// What to add to the answer.
enum Missing {
    /// `DynamoDB`: request items by table, for this member of the answer.
    Unprocessed { member: &'static str, tables: Map<String, Value> },
    /// SQS: entries' ids.
    Ids(Vec<Value>),
    /// `EventBridge`: targets' ids.
    Targets(Vec<Value>),
    /// Which entries, by place, for this member of the answer, each with this instead of its answer.
    Places { member: &'static str, failing: Vec<bool>, instead: Value },
}

pub(super) fn split(asked: Asked<'_>, chance: Chance, body: &[u8]) -> Option<Split> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let missing = match asked.operation {
        "BatchWriteItem" | "BatchGetItem" => return split_tables(asked, chance, request),
        "BatchExecuteStatement" => {
            let error = json!({"Error": {"Code": "InternalServerError", "Message": INJECTED}});
            let (failing, _) = take(chance, &mut request, "Statements")?;
            Missing::Places { member: "Responses", failing, instead: error }
        }
        "PutEvents" => {
            let error = json!({"ErrorCode": "InternalFailure", "ErrorMessage": INJECTED});
            let (failing, _) = take(chance, &mut request, "Entries")?;
            Missing::Places { member: "Entries", failing, instead: error }
        }
        "PutTargets" => Missing::Targets(ids(take(chance, &mut request, "Targets")?.1)),
        "RemoveTargets" => Missing::Targets(take(chance, &mut request, "Ids")?.1),
        _ => Missing::Ids(ids(take(chance, &mut request, "Entries")?.1)),
    };
    let left = |member: &str| request[member].as_array().is_some_and(|entries| !entries.is_empty());
    Some(if ["Entries", "Statements", "Targets", "Ids"].into_iter().any(left) {
        some(&request, missing)
    } else {
        Split::All(asked.encoded(200, missing.join(json!({})).to_string()))
    })
}

fn some(rest: &Value, missing: Missing) -> Split {
    let failed: Failed = Box::new(|answer| Some(missing.join(serde_json::from_slice(answer).ok()?).to_string().into()));
    Split::Some { rest: rest.to_string().into(), failed }
}

/// Takes out of the list `member` what fails: which, by place, and what it was.
fn take(chance: Chance, request: &mut Value, member: &str) -> Option<(Vec<bool>, Vec<Value>)> {
    let entries = request.get_mut(member)?.as_array_mut().filter(|entries| !entries.is_empty())?;
    let failing = chance.some_of(entries.len());
    let mut fails = failing.iter();
    let (failed, kept) = std::mem::take(entries).into_iter().partition(|_| fails.next().is_some_and(|fails| *fails));
    *entries = kept;
    Some((failing, failed))
}

fn ids(entries: Vec<Value>) -> Vec<Value> {
    entries.into_iter().map(|entry| entry["Id"].clone()).collect()
}

/// A batch of which nothing could be done is throttled.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
fn split_tables(asked: Asked<'_>, chance: Chance, mut request: Value) -> Option<Split> {
    let tables = request["RequestItems"].as_object_mut()?;
    let count = tables.values_mut().filter_map(items).map(|items| items.len()).sum();
    if count == 0 {
        return None;
    }
    if count == 1 {
        return Some(Split::All(asked.throttled()));
    }
    let mut failing = chance.some_of(count).into_iter();
    let mut unprocessed = Map::new();
    for (table, value) in tables.iter_mut() {
        // With what else is said of the table: a projection, whether to read consistently.
        let mut held = value.clone();
        let (Some(kept_items), Some(held_items)) = (items(value), items(&mut held)) else { continue };
        let fails: Vec<_> = failing.by_ref().take(kept_items.len()).collect();
        let (mut of_kept, mut of_held) = (fails.iter(), fails.iter());
        kept_items.retain(|_| !of_kept.next().is_some_and(|fails| *fails));
        held_items.retain(|_| of_held.next().is_some_and(|fails| *fails));
        if !held_items.is_empty() {
            unprocessed.insert(table.clone(), held);
        }
    }
    tables.retain(|_, value| items(value).is_some_and(|items| !items.is_empty()));
    let member = if asked.operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
    Some(some(&request, Missing::Unprocessed { member, tables: unprocessed }))
}

/// A table's write requests, or its keys to get.
fn items(table: &mut Value) -> Option<&mut Vec<Value>> {
    match table {
        Value::Array(items) => Some(items),
        other => other.get_mut("Keys")?.as_array_mut(),
    }
}

impl Missing {
    /// The service's answer for the rest, with these.
    fn join(self, mut answer: Value) -> Value {
        match self {
            Self::Unprocessed { member, tables } => {
                for (table, value) in tables {
                    // What the service itself left is of the same table at most if it was given some of it.
                    answer[member][table] = value;
                }
            }
            Self::Ids(ids) => {
                let error = |id| json!({"Id": id, "SenderFault": false, "Code": "InternalError", "Message": INJECTED});
                put_before(&mut answer, "Failed", ids.into_iter().map(error).collect());
                if answer["Successful"].is_null() {
                    answer["Successful"] = json!([]);
                }
            }
            Self::Targets(ids) => {
                // The only code of theirs that is documented.
                const CODE: &str = "ConcurrentModificationException";
                let error = |id| json!({"TargetId": id, "ErrorCode": CODE, "ErrorMessage": INJECTED});
                put_before(&mut answer, "FailedEntries", ids.into_iter().map(error).collect());
                answer["FailedEntryCount"] = answer["FailedEntries"].as_array().map_or(0, Vec::len).into();
            }
            Self::Places { member, failing, instead } => {
                let mut sent = list(&mut answer, member).into_iter();
                let entry = |fails| if fails { instead.clone() } else { sent.next().unwrap_or_default() };
                let entries: Vec<_> = failing.into_iter().map(entry).collect();
                if member == "Entries" {
                    let failed = entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count();
                    answer["FailedEntryCount"] = failed.into();
                }
                answer[member] = entries.into();
            }
        }
        answer
    }
}

fn put_before(answer: &mut Value, member: &str, mut entries: Vec<Value>) {
    entries.extend(list(answer, member));
    answer[member] = entries.into();
}

fn list(answer: &mut Value, member: &str) -> Vec<Value> {
    answer.get_mut(member).and_then(Value::as_array_mut).map(std::mem::take).unwrap_or_default()
}
