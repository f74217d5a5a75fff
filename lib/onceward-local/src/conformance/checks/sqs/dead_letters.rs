//! Dead-letter queues: into them and back.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, same};
use crate::conformance::request::{Request, SQS};
use crate::conformance::resources::{Queue, text};
use crate::conformance::session::Session;

const REDRIVE: &str = "SQSDeveloperGuide/sqs-dead-letter-queues.html";
const MOVE: &str = "APIReference/API_StartMessageMoveTask.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add(
            "redrive",
            "A message received maxReceiveCount times goes to the dead-letter queue with its id",
            REDRIVE,
            redrive,
        )
        .add(
            "redrive-source",
            "A message in a dead-letter queue carries DeadLetterQueueSourceArn",
            "APIReference/API_ReceiveMessage.html",
            redrive_source,
        )
        .add("redrive-fifo", "The dead-letter queue of a FIFO queue must be FIFO", REDRIVE, redrive_fifo)
        .add(
            "redrive-allow",
            "A queue whose RedriveAllowPolicy is denyAll cannot be named as a dead-letter queue",
            "APIReference/API_SetQueueAttributes.html",
            redrive_allow,
        )
        .add(
            "dead-letter-sources",
            "ListDeadLetterSourceQueues names the queues that use a dead-letter queue",
            "APIReference/API_ListDeadLetterSourceQueues.html",
            sources,
        )
        .add("move-to-source", "StartMessageMoveTask without a destination moves back to the source", MOVE, to_source)
        .add("move-elsewhere", "StartMessageMoveTask moves to the destination it names", MOVE, elsewhere)
        .add(
            "move-needs-dead-letters",
            "Only messages of a queue that is some queue's dead-letter queue can be moved",
            MOVE,
            needs_dead_letters,
        )
        .add("move-rate", "MaxNumberOfMessagesPerSecond above 500 is refused with InvalidParameterValue", MOVE, rate)
        .add(
            "move-unknown",
            "Cancelling a task that does not exist is refused with ResourceNotFoundException",
            "APIReference/API_CancelMessageMoveTask.html",
            cancel_unknown,
        )
        .done()
}

fn policy(dead_letters: &Queue) -> Value {
    let policy = json!({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": 1});
    json!({"RedrivePolicy": policy.to_string(), "VisibilityTimeout": "0"})
}

/// A queue that gives a message up after one receive, and its dead-letter queue with the message `x` in it.
async fn dead_letter(session: &Session) -> Result<(Queue, Queue, String), Finding> {
    let dead_letters = session.queue(json!({})).await?;
    let queue = session.queue(policy(&dead_letters)).await?;
    let id = text(&queue.send("x").await?["MessageId"]);
    queue.next().await?;
    queue.stays_empty("the message was received once").await?;
    Ok((queue, dead_letters, id))
}

async fn redrive(session: Session) -> Outcome {
    let (_, dead_letters, id) = dead_letter(&session).await?;
    let message = dead_letters.next().await?;
    same("MessageId and Body", [text(&message["MessageId"]), text(&message["Body"])], [id, "x".to_owned()])
}

async fn redrive_source(session: Session) -> Outcome {
    let (queue, dead_letters, _) = dead_letter(&session).await?;
    let message = dead_letters.next().await?;
    same("DeadLetterQueueSourceArn", text(&message["Attributes"]["DeadLetterQueueSourceArn"]), queue.arn)
}

async fn refused(session: &Session, attributes: Value) -> Outcome {
    let fifo = if attributes["FifoQueue"] == "true" { ".fifo" } else { "" };
    let name = session.name() + fifo;
    let reply =
        session.send(Request::json(SQS, "CreateQueue", &json!({"QueueName": name, "Attributes": attributes}))).await?;
    reply.refusal(&[]).map(drop)
}

async fn redrive_fifo(session: Session) -> Outcome {
    let mut attributes = policy(&session.queue(json!({})).await?);
    attributes["FifoQueue"] = "true".into();
    refused(&session, attributes).await
}

async fn redrive_allow(session: Session) -> Outcome {
    let dead_letters = session.queue(json!({"RedriveAllowPolicy": r#"{"redrivePermission":"denyAll"}"#})).await?;
    refused(&session, policy(&dead_letters)).await
}

async fn sources(session: Session) -> Outcome {
    let dead_letters = session.queue(json!({})).await?;
    let queue = session.queue(policy(&dead_letters)).await?;
    let answer = dead_letters.call("ListDeadLetterSourceQueues", json!({})).await?;
    same("queueUrls", &answer["queueUrls"], &json!([queue.url]))
}

async fn to_source(session: Session) -> Outcome {
    let (queue, dead_letters, _) = dead_letter(&session).await?;
    let started = session.call(SQS, "StartMessageMoveTask", json!({"SourceArn": dead_letters.arn})).await?;
    same("a TaskHandle is answered", started["TaskHandle"].is_string(), true)?;
    same("the message", text(&queue.next().await?["Body"]), "x")?;
    let completed = async || {
        let tasks = session.call(SQS, "ListMessageMoveTasks", json!({"SourceArn": dead_letters.arn})).await?;
        Ok((tasks["Results"][0]["Status"] == "COMPLETED").then(|| tasks["Results"][0].clone()))
    };
    let task = session.eventually("the task is COMPLETED", completed).await?;
    same("ApproximateNumberOfMessagesMoved", &task["ApproximateNumberOfMessagesMoved"], &json!(1))
}

async fn elsewhere(session: Session) -> Outcome {
    let (queue, dead_letters, _) = dead_letter(&session).await?;
    let other = session.queue(json!({})).await?;
    let request =
        json!({"SourceArn": dead_letters.arn, "DestinationArn": other.arn, "MaxNumberOfMessagesPerSecond": 10});
    session.call(SQS, "StartMessageMoveTask", request).await?;
    same("the message", text(&other.next().await?["Body"]), "x")?;
    queue.stays_empty("the message went elsewhere").await
}

async fn needs_dead_letters(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let reply = session.send(Request::json(SQS, "StartMessageMoveTask", &json!({"SourceArn": queue.arn}))).await?;
    reply.refusal(&["InvalidParameterValue", "UnsupportedOperation"]).map(drop)
}

async fn rate(session: Session) -> Outcome {
    let dead_letters = session.queue(json!({})).await?;
    session.queue(policy(&dead_letters)).await?;
    let request = json!({"SourceArn": dead_letters.arn, "MaxNumberOfMessagesPerSecond": 501});
    session.refuse(SQS, "StartMessageMoveTask", request, "InvalidParameterValue").await.map(drop)
}

async fn cancel_unknown(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    // A handle's form is AWS's own: the id of a task and the ARN of its queue.
    let task = json!({"taskId": "00000000-0000-0000-0000-000000000000", "sourceArn": queue.arn}).to_string();
    let handle = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, task);
    let request = json!({"TaskHandle": handle});
    session.refuse(SQS, "CancelMessageMoveTask", request, "ResourceNotFoundException").await.map(drop)
}
