//! Batches of which a part fails.

use std::future::Future;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::chance::Chance;
use super::refusal::Asked;
use crate::wire::AwsResponse;

/// What became of a batch's request.
enum Split {
    /// These entries failed, the rest is still to be sent.
    Some { rest: Value, failed: Failed },
    /// Nothing is left to send.
    All(AwsResponse),
}

/// What to add to the answer.
enum Failed {
    /// `DynamoDB`: request items by table, for this member of the answer.
    Unprocessed { member: &'static str, tables: Map<String, Value> },
    /// SQS: entries' ids.
    Ids(Vec<Value>),
    /// `EventBridge`: which of the entries, by place.
    Places(Vec<bool>),
}

/// Sends the part of the batch in `body` that does not fail, and answers for the part that does.
pub(super) async fn partially<F: Future<Output = AwsResponse>>(
    asked: Asked<'_>,
    chance: Chance,
    body: Bytes,
    serve: impl FnOnce(Bytes) -> F,
) -> AwsResponse {
    let split = serde_json::from_slice(&body).ok().and_then(|request| split(asked, chance, request));
    match split {
        // No batch that the service would take: it says so better itself.
        None => serve(body).await,
        Some(Split::All(answer)) => answer,
        Some(Split::Some { rest, failed }) => {
            let answer = serve(rest.to_string().into()).await;
            match serde_json::from_slice(&answer.body) {
                Ok(said) if answer.status == 200 => {
                    AwsResponse { body: failed.join(said).to_string().into(), ..answer }
                }
                _ => answer,
            }
        }
    }
}

fn split(asked: Asked<'_>, chance: Chance, request: Value) -> Option<Split> {
    match (asked.service, asked.operation) {
        ("dynamodb", "BatchWriteItem") => split_tables(asked, chance, request, "UnprocessedItems"),
        ("dynamodb", "BatchGetItem") => split_tables(asked, chance, request, "UnprocessedKeys"),
        (service, _) => split_entries(asked, chance, request, service == "events"),
    }
}

/// A batch of which nothing could be done is throttled.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>
fn split_tables(asked: Asked<'_>, chance: Chance, mut request: Value, member: &'static str) -> Option<Split> {
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
    Some(Split::Some { rest: request, failed: Failed::Unprocessed { member, tables: unprocessed } })
}

/// A table's write requests, or its keys to get.
fn items(table: &mut Value) -> Option<&mut Vec<Value>> {
    match table {
        Value::Array(items) => Some(items),
        other => other.get_mut("Keys")?.as_array_mut(),
    }
}

fn split_entries(asked: Asked<'_>, chance: Chance, mut request: Value, by_place: bool) -> Option<Split> {
    let entries = request["Entries"].as_array_mut()?;
    if entries.is_empty() {
        return None;
    }
    let failing = chance.some_of(entries.len());
    let ids = entries.iter().zip(&failing).filter(|(_, fails)| **fails).map(|(entry, _)| entry["Id"].clone()).collect();
    let mut fails = failing.iter();
    entries.retain(|_| !fails.next().is_some_and(|fails| *fails));
    let nothing_left = entries.is_empty();
    let failed = if by_place { Failed::Places(failing) } else { Failed::Ids(ids) };
    Some(if nothing_left {
        Split::All(asked.json(200, &failed.join(json!({}))))
    } else {
        Split::Some { rest: request, failed }
    })
}

impl Failed {
    /// The service's answer for the rest, with these.
    fn join(self, mut answer: Value) -> Value {
        const MESSAGE: &str = "The local cloud was told to fail this entry.";
        match self {
            Self::Unprocessed { member, tables } => {
                for (table, value) in tables {
                    // What the service itself left is of the same table at most if it was given some of it.
                    answer[member][table] = value;
                }
            }
            Self::Ids(ids) => {
                let error = |id| json!({"Id": id, "SenderFault": false, "Code": "InternalError", "Message": MESSAGE});
                let mut failed: Vec<_> = ids.into_iter().map(error).collect();
                failed.extend(answer["Failed"].as_array_mut().map(std::mem::take).unwrap_or_default());
                answer["Failed"] = failed.into();
                if answer["Successful"].is_null() {
                    answer["Successful"] = json!([]);
                }
            }
            Self::Places(failing) => {
                let mut sent = answer["Entries"].as_array_mut().map(std::mem::take).unwrap_or_default().into_iter();
                let error = || json!({"ErrorCode": "InternalFailure", "ErrorMessage": MESSAGE});
                let entries: Vec<_> = failing
                    .iter()
                    .map(|fails| if *fails { error() } else { sent.next().unwrap_or_default() })
                    .collect();
                let failed = entries.iter().filter(|entry| entry.get("ErrorCode").is_some()).count();
                answer = json!({"FailedEntryCount": failed, "Entries": entries});
            }
        }
        answer
    }
}
