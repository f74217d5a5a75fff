//! FIFO queues.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, holds, same};
use crate::conformance::request::{Request, SQS};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const LOGIC: &str = "SQSDeveloperGuide/FIFO-queues-understanding-logic.html";
const ONCE: &str = "SQSDeveloperGuide/FIFO-queues-exactly-once-processing.html";
const SEND: &str = "APIReference/API_SendMessage.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    groups().into_iter().chain(parameters()).collect()
}

fn groups() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("fifo-order", "The messages of a group are received in the order they were sent", LOGIC, order)
        .add(
            "fifo-group-blocks",
            "While a message of a group is in flight, no later one of the group is received; other groups go on",
            LOGIC,
            group_blocks,
        )
        .add(
            "fifo-order-after-failure",
            "A message that becomes visible again comes before the later ones of its group",
            LOGIC,
            order_after_failure,
        )
        .add(
            "fifo-batch-of-group",
            "One receive takes as many messages of a group as it can, in order",
            LOGIC,
            batch_of_group,
        )
        .add(
            "fifo-deduplication-id",
            "A deduplication id used in the last 5 minutes is taken, not delivered",
            ONCE,
            dedup,
        )
        .add(
            "fifo-deduplication-after-delete",
            "A duplicate is told also when the first message has been deleted",
            ONCE,
            dedup_after_delete,
        )
        .add(
            "fifo-content-deduplication",
            "With content-based deduplication the body's SHA-256 is the id; attributes do not count",
            ONCE,
            content,
        )
        .add(
            "fifo-group-scope",
            "With DeduplicationScope messageGroup a deduplication id counts for its group only",
            "SQSDeveloperGuide/high-throughput-fifo.html",
            group_scope,
        )
        .done()
}

fn parameters() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("fifo-needs-group", "A message for a FIFO queue needs a MessageGroupId", SEND, needs_group)
        .add(
            "fifo-needs-deduplication-id",
            "Without content-based deduplication a message needs a deduplication id",
            SEND,
            needs_id,
        )
        .add("fifo-no-message-delay", "A message for a FIFO queue has no DelaySeconds of its own", SEND, no_delay)
        .add(
            "fifo-sequence-numbers",
            "Sequence numbers grow, and a message is received with the one that sending it answered",
            SEND,
            sequence_numbers,
        )
        .add(
            "fifo-receive-attempt",
            "A receive repeated with its ReceiveRequestAttemptId is answered the same messages",
            "SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html",
            receive_attempt,
        )
        .add(
            "fair-queue-group",
            "A standard queue takes a MessageGroupId too and gives it back as an attribute",
            "SQSDeveloperGuide/sqs-fair-queues.html",
            fair_queue,
        )
        .done()
}

async fn order(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    for body in ["1", "2", "3"] {
        queue.send_in("a", body).await?;
    }
    same("the messages", queue.take(3).await?, vec!["1", "2", "3"])
}

async fn group_blocks(session: Session) -> Outcome {
    let queue = session.queue(json!({"FifoQueue": "true", "VisibilityTimeout": "600"})).await?;
    queue.send_in("a", "a1").await?;
    let first = queue.next().await?;
    queue.send_in("a", "a2").await?;
    queue.send_in("b", "b1").await?;
    same("while a1 is in flight", text(&queue.next().await?["Body"]), "b1")?;
    queue.stays_empty("both groups are in flight").await?;
    queue.delete(&first).await?;
    same("after a1 is deleted", text(&queue.next().await?["Body"]), "a2")
}

async fn order_after_failure(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    queue.send_in("a", "1").await?;
    queue.send_in("a", "2").await?;
    let handle = &queue.next().await?["ReceiptHandle"];
    queue.call("ChangeMessageVisibility", json!({"ReceiptHandle": handle, "VisibilityTimeout": 0})).await?;
    same("the messages", queue.take(2).await?, vec!["1", "2"])
}

async fn batch_of_group(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    for body in ["1", "2", "3"] {
        queue.send_in("a", body).await?;
    }
    let bodies: Vec<_> = queue.receive(5).await?.iter().map(|message| text(&message["Body"])).collect();
    same("the messages of one receive", bodies, vec!["1", "2", "3"])
}

fn message(body: &str, id: &str) -> Value {
    json!({"MessageBody": body, "MessageGroupId": "a", "MessageDeduplicationId": id})
}

async fn dedup(session: Session) -> Outcome {
    let queue = session.queue(json!({"FifoQueue": "true"})).await?;
    queue.call("SendMessage", message("first", "id")).await?;
    queue.call("SendMessage", message("second", "id")).await?;
    queue.call("SendMessage", message("third", "other")).await?;
    same("the messages", queue.take(2).await?, vec!["first", "third"])?;
    queue.stays_empty("the second is a duplicate").await
}

async fn dedup_after_delete(session: Session) -> Outcome {
    let queue = session.queue(json!({"FifoQueue": "true"})).await?;
    queue.call("SendMessage", message("first", "id")).await?;
    queue.take(1).await?;
    queue.call("SendMessage", message("second", "id")).await?;
    queue.stays_empty("the second is a duplicate").await
}

async fn content(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    let send = |body: &str, value: &str| {
        let attributes = json!({"a": {"DataType": "String", "StringValue": value}});
        queue.call("SendMessage", json!({"MessageBody": body, "MessageGroupId": "a", "MessageAttributes": attributes}))
    };
    send("x", "1").await?;
    send("x", "2").await?;
    send("y", "1").await?;
    same("the messages", queue.take(2).await?, vec!["x", "y"])?;
    queue.stays_empty("one is a duplicate").await
}

async fn group_scope(session: Session) -> Outcome {
    let attributes = json!({
        "FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId",
    });
    let queue = session.queue(attributes).await?;
    for group in ["a", "b", "a"] {
        let body = json!({"MessageBody": group, "MessageGroupId": group, "MessageDeduplicationId": "id"});
        queue.call("SendMessage", body).await?;
    }
    let mut bodies = queue.take(2).await?;
    bodies.sort();
    same("the messages", bodies, vec!["a", "b"])?;
    queue.stays_empty("the third is a duplicate").await
}

async fn needs_group(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    queue.refuse("SendMessage", json!({"MessageBody": "x"}), "MissingParameter").await
}

async fn needs_id(session: Session) -> Outcome {
    let queue = session.queue(json!({"FifoQueue": "true"})).await?;
    queue.refuse("SendMessage", json!({"MessageBody": "x", "MessageGroupId": "a"}), "InvalidParameterValue").await
}

async fn no_delay(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    let request = json!({"MessageBody": "x", "MessageGroupId": "a", "DelaySeconds": 1});
    queue.refuse("SendMessage", request, "InvalidParameterValue").await
}

async fn sequence_numbers(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    let mut sent = Vec::new();
    for (group, body) in [("a", "1"), ("b", "2"), ("a", "3")] {
        sent.push(text(&queue.send_in(group, body).await?["SequenceNumber"]));
    }
    let numbers: Vec<_> = sent.iter().map(|number| number.parse::<u128>().unwrap_or_default()).collect();
    holds(numbers.is_sorted_by(|one, next| one < next), format!("sequence numbers do not grow: {sent:?}"))?;
    let received = queue.next().await?;
    same("SequenceNumber, received", text(&received["Attributes"]["SequenceNumber"]), sent[0].as_str())?;
    same("MessageGroupId", text(&received["Attributes"]["MessageGroupId"]), "a")
}

async fn receive_attempt(session: Session) -> Outcome {
    let queue = session.fifo_queue().await?;
    queue.send_in("a", "1").await?;
    let request = json!({"ReceiveRequestAttemptId": session.name(), "WaitTimeSeconds": 5, "VisibilityTimeout": 600});
    let first = queue.call("ReceiveMessage", request.clone()).await?;
    holds(first["Messages"][0].is_object(), "the message is not received")?;
    let again = queue.call("ReceiveMessage", request).await?;
    same("the message of the repeated receive", &again["Messages"][0]["MessageId"], &first["Messages"][0]["MessageId"])
}

async fn fair_queue(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let request = queue.with(json!({"MessageBody": "x", "MessageGroupId": "tenant"}));
    session.send(Request::json(SQS, "SendMessage", &request)).await?.success()?;
    same("MessageGroupId", text(&queue.next().await?["Attributes"]["MessageGroupId"]), "tenant")
}
