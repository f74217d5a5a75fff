//! The older query protocol: forms in, XML out.

use serde_json::json;

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::request::{SQS_QUERY, elements};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const REQUESTS: &str = "SQSDeveloperGuide/sqs-making-api-requests-xml.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("query-messages", "Messages are sent, received and deleted in the query protocol", REQUESTS, messages)
        .add(
            "query-attributes",
            "The query protocol reads message attributes and answers their MD5",
            "APIReference/API_SendMessage.html",
            attributes,
        )
        .add(
            "query-batch",
            "A batch of the query protocol fails entry by entry",
            "APIReference/API_SendMessageBatch.html",
            batch,
        )
        .add(
            "query-errors",
            "An error of the query protocol is an ErrorResponse with Type, Code and RequestId",
            REQUESTS,
            errors,
        )
        .done()
}

fn first(xml: &str, name: &str) -> String {
    elements(xml, name).into_iter().next().unwrap_or_default()
}

async fn messages(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let url = ("QueueUrl", queue.url.as_str());
    let sent = session.query(SQS_QUERY, "SendMessage", &[url, ("MessageBody", "a < b & \"c\"")]).await?;
    let wait = ("WaitTimeSeconds", "5");
    let received = session.query(SQS_QUERY, "ReceiveMessage", &[url, wait, ("AttributeName.1", "All")]).await?;
    same("Body", first(&received, "Body"), "a < b & \"c\"")?;
    same("MessageId", first(&received, "MessageId"), first(&sent, "MessageId"))?;
    same("an attribute's name", elements(&received, "Name").contains(&"SentTimestamp".to_owned()), true)?;
    let handle = first(&received, "ReceiptHandle");
    session.query(SQS_QUERY, "DeleteMessage", &[url, ("ReceiptHandle", &handle)]).await?;
    same("messages in flight", queue.attribute("ApproximateNumberOfMessagesNotVisible").await?, "0")
}

async fn attributes(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let parameters = [
        ("QueueUrl", queue.url.as_str()),
        ("MessageBody", "x"),
        ("MessageAttribute.1.Name", "bytes"),
        ("MessageAttribute.1.Value.DataType", "Binary"),
        ("MessageAttribute.1.Value.BinaryValue", "AAEC/v8="),
    ];
    let sent = session.query(SQS_QUERY, "SendMessage", &parameters).await?;
    same("MD5OfMessageAttributes", first(&sent, "MD5OfMessageAttributes"), "399fe4941ebe8aafa32e41c0131dbe03")?;
    let received = queue.next().await?;
    same("BinaryValue", text(&received["MessageAttributes"]["bytes"]["BinaryValue"]), "AAEC/v8=")
}

async fn batch(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let parameters = [
        ("QueueUrl", queue.url.as_str()),
        ("SendMessageBatchRequestEntry.1.Id", "good"),
        ("SendMessageBatchRequestEntry.1.MessageBody", "x"),
        ("SendMessageBatchRequestEntry.2.Id", "bad"),
        ("SendMessageBatchRequestEntry.2.MessageBody", "y"),
        ("SendMessageBatchRequestEntry.2.DelaySeconds", "901"),
    ];
    let answer = session.query(SQS_QUERY, "SendMessageBatch", &parameters).await?;
    let id = |list: &str| elements(&answer, list).iter().map(|entry| first(entry, "Id")).collect::<Vec<_>>();
    same("ids that succeeded", id("SendMessageBatchResultEntry"), vec!["good"])?;
    same("ids that failed", id("BatchResultErrorEntry"), vec!["bad"])
}

async fn errors(session: Session) -> Outcome {
    let name = session.name();
    let code = "AWS.SimpleQueueService.NonExistentQueue";
    let reply = session.refuse_query(SQS_QUERY, "GetQueueUrl", &[("QueueName", &name)], code).await?;
    let body = reply.text();
    same("status", reply.status, 400)?;
    same("Type", first(&body, "Type"), "Sender")?;
    same("there is a RequestId", first(&body, "RequestId").is_empty(), false)
}
