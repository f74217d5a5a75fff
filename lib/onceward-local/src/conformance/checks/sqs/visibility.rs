//! What happens to a message between its receipt and its deletion.

use serde_json::json;

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, holds, same};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const VISIBILITY: &str = "SQSDeveloperGuide/sqs-visibility-timeout.html";
const CHANGE: &str = "APIReference/API_ChangeMessageVisibility.html";
const DELETE: &str = "APIReference/API_DeleteMessage.html";
const RECEIVE: &str = "APIReference/API_ReceiveMessage.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add(
            "visibility-timeout",
            "A received message is invisible until its visibility timeout ends, then received again",
            VISIBILITY,
            visibility_timeout,
        )
        .add(
            "receive-visibility",
            "A receive's own VisibilityTimeout overrides the queue's",
            RECEIVE,
            receive_visibility,
        )
        .add("visibility-zero", "Changing the visibility to 0 gives the message back at once", CHANGE, visibility_zero)
        .add(
            "not-in-flight",
            "The visibility of a message that is not in flight is refused with MessageNotInflight",
            CHANGE,
            not_in_flight,
        )
        .add("visibility-limit", "A visibility above 12 hours is refused", CHANGE, visibility_limit)
        .add(
            "bad-receipt-handle",
            "A receipt handle that is none is refused with ReceiptHandleIsInvalid",
            DELETE,
            bad_receipt_handle,
        )
        .add(
            "receive-count",
            "ApproximateReceiveCount goes up with each receive, the time of the first stays",
            RECEIVE,
            receive_count,
        )
        .add("new-receipt-handle", "Each receive of a message has a receipt handle of its own", DELETE, new_handle)
        .add("delete-twice", "Deleting a deleted message succeeds", DELETE, delete_twice)
        .add(
            "counts",
            "A queue counts its messages by visible, in flight and delayed",
            "APIReference/API_GetQueueAttributes.html",
            counts,
        )
        .done()
}

async fn visibility_timeout(session: Session) -> Outcome {
    let received = async |seconds: u64| {
        let queue = session.queue(json!({"VisibilityTimeout": seconds.to_string()})).await?;
        queue.send("x").await?;
        let first = queue.next().await?;
        Ok((queue, first["MessageId"].clone()))
    };
    session.comes_back(received).await
}

async fn receive_visibility(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "600"})).await?;
    queue.send("x").await?;
    let answer = queue.call("ReceiveMessage", json!({"VisibilityTimeout": 0, "WaitTimeSeconds": 5})).await?;
    holds(answer["Messages"][0].is_object(), "the message is not received")?;
    same("the message", &queue.next().await?["MessageId"], &answer["Messages"][0]["MessageId"])?;
    queue.stays_empty("the message is in flight").await
}

async fn visibility_zero(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "600"})).await?;
    queue.send("x").await?;
    let handle = &queue.next().await?["ReceiptHandle"];
    queue.call("ChangeMessageVisibility", json!({"ReceiptHandle": handle, "VisibilityTimeout": 0})).await?;
    same("the message", text(&queue.next().await?["Body"]), "x")
}

async fn not_in_flight(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "600"})).await?;
    queue.send("x").await?;
    let handle = &queue.next().await?["ReceiptHandle"];
    let change = |timeout: u32| json!({"ReceiptHandle": handle, "VisibilityTimeout": timeout});
    queue.call("ChangeMessageVisibility", change(0)).await?;
    queue.refuse("ChangeMessageVisibility", change(30), "MessageNotInflight").await
}

async fn visibility_limit(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.send("x").await?;
    let handle = &queue.next().await?["ReceiptHandle"];
    let change = json!({"ReceiptHandle": handle, "VisibilityTimeout": 43_201});
    queue.refuse("ChangeMessageVisibility", change, "InvalidParameterValue").await
}

async fn bad_receipt_handle(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.refuse("DeleteMessage", json!({"ReceiptHandle": "none"}), "ReceiptHandleIsInvalid").await?;
    let change = json!({"ReceiptHandle": "none", "VisibilityTimeout": 0});
    queue.refuse("ChangeMessageVisibility", change, "ReceiptHandleIsInvalid").await
}

async fn receive_count(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "0"})).await?;
    queue.send("x").await?;
    let mut first = None;
    for count in 1..=3 {
        let attributes = &queue.next().await?["Attributes"];
        same("ApproximateReceiveCount", text(&attributes["ApproximateReceiveCount"]), count.to_string())?;
        let time = text(&attributes["ApproximateFirstReceiveTimestamp"]);
        same("ApproximateFirstReceiveTimestamp", first.get_or_insert(time.clone()).clone(), time)?;
    }
    Ok(())
}

async fn new_handle(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "0"})).await?;
    queue.send("x").await?;
    let (first, second) = (queue.next().await?, queue.next().await?);
    same("the message", &second["MessageId"], &first["MessageId"])?;
    holds(first["ReceiptHandle"] != second["ReceiptHandle"], "both receives have the same receipt handle")
}

async fn delete_twice(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.send("x").await?;
    let message = queue.next().await?;
    queue.delete(&message).await?;
    queue.delete(&message).await?;
    same("messages in flight", queue.attribute("ApproximateNumberOfMessagesNotVisible").await?, "0")
}

async fn counts(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "600"})).await?;
    queue.send("in flight").await?;
    queue.next().await?;
    queue.send("visible").await?;
    queue.send("visible").await?;
    queue.call("SendMessage", json!({"MessageBody": "later", "DelaySeconds": 900})).await?;
    let counted = async || {
        let mut counts = Vec::new();
        for name in ["", "NotVisible", "Delayed"] {
            counts.push(queue.attribute(&format!("ApproximateNumberOfMessages{name}")).await?);
        }
        Ok((counts == ["2", "1", "1"]).then_some(()))
    };
    session.eventually("2 visible, 1 in flight, 1 delayed", counted).await
}
