//! Batches, whose entries succeed and fail each for itself.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, holds, same};
use crate::conformance::resources::{Queue, text};
use crate::conformance::session::Session;

const SEND: &str = "APIReference/API_SendMessageBatch.html";
const DELETE: &str = "APIReference/API_DeleteMessageBatch.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("send-batch", "The entries of a SendMessageBatch succeed or fail each for itself", SEND, send_batch)
        .add(
            "delete-batch",
            "The entries of a DeleteMessageBatch succeed or fail each for itself",
            DELETE,
            delete_batch,
        )
        .add(
            "change-batch",
            "The entries of a ChangeMessageVisibilityBatch succeed or fail each for itself",
            "APIReference/API_ChangeMessageVisibilityBatch.html",
            change_batch,
        )
        .add("empty-batch", "A batch without entries is refused with EmptyBatchRequest", SEND, empty_batch)
        .add(
            "eleven-entries",
            "A batch of more than 10 entries is refused with TooManyEntriesInBatchRequest",
            SEND,
            eleven_entries,
        )
        .add("distinct-ids", "Two entries of one id refuse the batch with BatchEntryIdsNotDistinct", SEND, distinct_ids)
        .add(
            "entry-ids",
            "An entry's id of other than letters, digits, - and _ refuses the batch with InvalidBatchEntryId",
            SEND,
            entry_ids,
        )
        .add(
            "batch-size",
            "Messages of more than 1 MiB together are refused with BatchRequestTooLong, none of them sent",
            SEND,
            batch_size,
        )
        .done()
}

/// The ids of what succeeded and what failed.
fn ids(answer: &Value) -> [Vec<String>; 2] {
    ["Successful", "Failed"].map(|list| {
        let mut ids: Vec<_> = answer[list].as_array().into_iter().flatten().map(|entry| text(&entry["Id"])).collect();
        ids.sort();
        ids
    })
}

fn one_of_two(answer: &Value) -> Outcome {
    same("ids of what succeeded and failed", ids(answer), [vec!["good".to_owned()], vec!["bad".to_owned()]])?;
    same("SenderFault", &answer["Failed"][0]["SenderFault"], &json!(true))?;
    holds(answer["Failed"][0]["Code"].is_string(), "the failed entry has no Code")
}

async fn send_batch(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let entries = json!([{"Id": "good", "MessageBody": "x"}, {"Id": "bad", "MessageBody": "y", "DelaySeconds": 901}]);
    one_of_two(&queue.call("SendMessageBatch", json!({"Entries": entries})).await?)?;
    same("the messages", queue.take(1).await?, vec!["x"])?;
    queue.stays_empty("one entry failed").await
}

async fn delete_batch(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.send("x").await?;
    let message = queue.next().await?;
    let entries =
        json!([{"Id": "good", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "bad", "ReceiptHandle": "x"}]);
    one_of_two(&queue.call("DeleteMessageBatch", json!({"Entries": entries})).await?)
}

async fn change_batch(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "600"})).await?;
    queue.send("x").await?;
    let handle = &queue.next().await?["ReceiptHandle"];
    let entries = json!([
        {"Id": "good", "ReceiptHandle": handle, "VisibilityTimeout": 0},
        {"Id": "bad", "ReceiptHandle": "x", "VisibilityTimeout": 0},
    ]);
    one_of_two(&queue.call("ChangeMessageVisibilityBatch", json!({"Entries": entries})).await?)?;
    same("the message", text(&queue.next().await?["Body"]), "x")
}

async fn refused(queue: &Queue, entries: Value, code: &str) -> Outcome {
    queue.refuse("SendMessageBatch", json!({"Entries": entries}), code).await?;
    queue.stays_empty("the batch was refused").await
}

fn numbered(count: usize) -> Value {
    (0..count).map(|number| json!({"Id": format!("e{number}"), "MessageBody": "x"})).collect()
}

async fn empty_batch(session: Session) -> Outcome {
    refused(&session.queue(json!({})).await?, json!([]), "EmptyBatchRequest").await
}

async fn eleven_entries(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    refused(&queue, numbered(11), "TooManyEntriesInBatchRequest").await?;
    let answer = queue.call("SendMessageBatch", json!({"Entries": numbered(10)})).await?;
    same("entries that succeeded", ids(&answer)[0].len(), 10)
}

async fn distinct_ids(session: Session) -> Outcome {
    let entries = json!([{"Id": "one", "MessageBody": "x"}, {"Id": "one", "MessageBody": "y"}]);
    refused(&session.queue(json!({})).await?, entries, "BatchEntryIdsNotDistinct").await
}

async fn entry_ids(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    refused(&queue, json!([{"Id": "one two", "MessageBody": "x"}]), "InvalidBatchEntryId").await?;
    refused(&queue, json!([{"Id": "x".repeat(81), "MessageBody": "x"}]), "InvalidBatchEntryId").await
}

async fn batch_size(session: Session) -> Outcome {
    let half = "x".repeat(600_000);
    let entries = json!([{"Id": "one", "MessageBody": half}, {"Id": "two", "MessageBody": half}]);
    refused(&session.queue(json!({})).await?, entries, "BatchRequestTooLong").await
}
