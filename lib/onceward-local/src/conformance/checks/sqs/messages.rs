//! Sending and receiving.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, holds, same};
use crate::conformance::request::{Request, SQS};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

/// How often a check is begun again that the machine was too slow to see the end of.
const TRIES_MAX: u32 = 3;

/// The largest message, in bytes.
const MESSAGE_BYTES_MAX: usize = 1_048_576;

const SEND: &str = "APIReference/API_SendMessage.html";
const RECEIVE: &str = "APIReference/API_ReceiveMessage.html";
const ATTRIBUTES: &str = "SQSDeveloperGuide/sqs-message-metadata.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    contents().into_iter().chain(timing()).collect()
}

fn contents() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("md5-of-body", "Sending and receiving answer the MD5 of the body's UTF-8", SEND, md5_of_body)
        .add(
            "md5-of-attributes",
            "The MD5 of message attributes is taken over their names, types and values, in the order of the names",
            ATTRIBUTES,
            md5_of_attributes,
        )
        .add("md5-of-binary", "A binary attribute comes back as sent, its bytes in the MD5", ATTRIBUTES, md5_of_binary)
        .add(
            "trace-header",
            "The system attribute AWSTraceHeader has an MD5 of its own and comes back when it is asked for",
            ATTRIBUTES,
            trace_header,
        )
        .add(
            "system-attributes-on-request",
            "System attributes are answered only when they are asked for by name or by All",
            RECEIVE,
            system_attributes_on_request,
        )
        .add(
            "attribute-prefix",
            "MessageAttributeNames takes prefix.* for all attributes that begin with the prefix",
            RECEIVE,
            attribute_prefix,
        )
        .add("largest-message", "A message of 1 MiB is taken and one of a byte more is refused", SEND, largest_message)
        .add(
            "attributes-count-as-size",
            "Names, types and values of message attributes count toward a message's 1 MiB",
            "SQSDeveloperGuide/quotas-messages.html",
            attributes_count_as_size,
        )
        .add(
            "ten-attributes",
            "A message has at most 10 message attributes",
            "SQSDeveloperGuide/quotas-messages.html",
            ten_attributes,
        )
        .add(
            "characters",
            "Control characters that XML does not have are refused with InvalidMessageContents",
            SEND,
            characters,
        )
        .add("empty-body", "A message without a body is refused", SEND, empty_body)
        .done()
}

fn timing() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("delay", "A message with DelaySeconds is not received before they have passed", SEND, delay)
        .add(
            "queue-delay",
            "A queue's DelaySeconds delays its messages, and a message's own 0 overrides it",
            "SQSDeveloperGuide/sqs-delay-queues.html",
            queue_delay,
        )
        .add("delay-limit", "DelaySeconds above 900 is refused with InvalidParameterValue", SEND, delay_limit)
        .add(
            "long-poll-wakes",
            "A receive that waits is answered as soon as a message arrives",
            "SQSDeveloperGuide/sqs-short-and-long-polling.html",
            long_poll_wakes,
        )
        .add("wait-limit", "WaitTimeSeconds above 20 is refused with InvalidParameterValue", RECEIVE, wait_limit)
        .add(
            "receive-limit",
            "MaxNumberOfMessages outside 1 to 10 is refused with InvalidParameterValue",
            RECEIVE,
            receive_limit,
        )
        .add(
            "unknown-queue",
            "An action on a queue that does not exist is refused with QueueDoesNotExist and status 400",
            SEND,
            unknown_queue,
        )
        .add(
            "query-error-header",
            "In JSON the header x-amzn-query-error carries the error's code of the query protocol",
            "https://smithy.io/2.0/aws/protocols/aws-query-protocol.html",
            query_error_header,
        )
        .done()
}

async fn md5_of_body(session: Session) -> Outcome {
    const MD5: &str = "fee40dc24d0ad6a90c608052aa4e9e66";
    let queue = session.queue(json!({})).await?;
    let sent = queue.send("grüße").await?;
    same("MD5OfMessageBody", text(&sent["MD5OfMessageBody"]), MD5)?;
    same("MD5OfBody", text(&queue.next().await?["MD5OfBody"]), MD5)
}

async fn md5_of_attributes(session: Session) -> Outcome {
    const MD5: &str = "425713da3c44c0644c3f8255d9719d04";
    let queue = session.queue(json!({})).await?;
    let attributes = json!({
        "name": {"DataType": "String", "StringValue": "Ada"}, "count": {"DataType": "Number", "StringValue": "42"},
    });
    let sent = queue.call("SendMessage", json!({"MessageBody": "x", "MessageAttributes": attributes})).await?;
    same("MD5OfMessageAttributes, sent", text(&sent["MD5OfMessageAttributes"]), MD5)?;
    let received = queue.next().await?;
    same("MD5OfMessageAttributes, received", text(&received["MD5OfMessageAttributes"]), MD5)?;
    same("MessageAttributes.count", text(&received["MessageAttributes"]["count"]["StringValue"]), "42")
}

async fn md5_of_binary(session: Session) -> Outcome {
    const MD5: &str = "399fe4941ebe8aafa32e41c0131dbe03";
    let queue = session.queue(json!({})).await?;
    let attributes = json!({"bytes": {"DataType": "Binary", "BinaryValue": "AAEC/v8="}});
    let sent = queue.call("SendMessage", json!({"MessageBody": "x", "MessageAttributes": attributes})).await?;
    same("MD5OfMessageAttributes, sent", text(&sent["MD5OfMessageAttributes"]), MD5)?;
    let received = queue.next().await?;
    same("MD5OfMessageAttributes, received", text(&received["MD5OfMessageAttributes"]), MD5)?;
    same("BinaryValue", text(&received["MessageAttributes"]["bytes"]["BinaryValue"]), "AAEC/v8=")
}

async fn trace_header(session: Session) -> Outcome {
    const HEADER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
    let queue = session.queue(json!({})).await?;
    let attributes = json!({"AWSTraceHeader": {"DataType": "String", "StringValue": HEADER}});
    let sent = queue.call("SendMessage", json!({"MessageBody": "x", "MessageSystemAttributes": attributes})).await?;
    let md5 = "62a56dd927315f2b2e12832b84617ea5";
    same("MD5OfMessageSystemAttributes", text(&sent["MD5OfMessageSystemAttributes"]), md5)?;
    same("AWSTraceHeader", text(&queue.next().await?["Attributes"]["AWSTraceHeader"]), HEADER)
}

async fn system_attributes_on_request(session: Session) -> Outcome {
    let queue = session.queue(json!({"VisibilityTimeout": "0"})).await?;
    queue.send("x").await?;
    queue.next().await?;
    let request = json!({"WaitTimeSeconds": 2});
    let plain = queue.call("ReceiveMessage", request).await?;
    holds(plain["Messages"][0].is_object(), "the message does not come back")?;
    holds(plain["Messages"][0]["Attributes"].is_null(), "attributes are answered that nobody asked for")?;
    let request = json!({"WaitTimeSeconds": 2, "MessageSystemAttributeNames": ["SentTimestamp"]});
    let one = queue.call("ReceiveMessage", request).await?;
    let names: Vec<_> = one["Messages"][0]["Attributes"].as_object().into_iter().flatten().collect();
    same("number of attributes when SentTimestamp is asked for", names.len(), 1)?;
    let all = queue.next().await?;
    for name in ["SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"] {
        holds(all["Attributes"][name].is_string(), format!("All has no {name}: {}", all["Attributes"]))?;
    }
    Ok(())
}

async fn attribute_prefix(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let value = json!({"DataType": "String", "StringValue": "x"});
    let attributes = json!({"bar.one": value, "bar.two": value, "foo": value});
    queue.call("SendMessage", json!({"MessageBody": "x", "MessageAttributes": attributes})).await?;
    let answer =
        queue.call("ReceiveMessage", json!({"WaitTimeSeconds": 5, "MessageAttributeNames": ["bar.*"]})).await?;
    let received = answer["Messages"][0]["MessageAttributes"].as_object().cloned().unwrap_or_default();
    same("attributes for bar.*", received.keys().map(String::as_str).collect::<Vec<_>>(), vec!["bar.one", "bar.two"])
}

async fn largest_message(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.send(&"x".repeat(MESSAGE_BYTES_MAX)).await?;
    let larger = json!({"MessageBody": "x".repeat(MESSAGE_BYTES_MAX + 1)});
    queue.refuse("SendMessage", larger, "InvalidParameterValue").await
}

async fn attributes_count_as_size(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let attributes = json!({"name": {"DataType": "String", "StringValue": "value"}});
    let body = "x".repeat(MESSAGE_BYTES_MAX - "nameStringvalue".len());
    queue.call("SendMessage", json!({"MessageBody": body, "MessageAttributes": attributes})).await?;
    let larger = json!({"MessageBody": body + "x", "MessageAttributes": attributes});
    queue.refuse("SendMessage", larger, "InvalidParameterValue").await
}

async fn ten_attributes(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let value = json!({"DataType": "String", "StringValue": "x"});
    let some = |count: usize| {
        let attributes = (0..count).map(|number| (format!("a{number}"), value.clone()));
        json!({"MessageBody": "x", "MessageAttributes": attributes.collect::<serde_json::Map<_, _>>()})
    };
    queue.call("SendMessage", some(10)).await?;
    queue.refuse("SendMessage", some(11), "InvalidParameterValue").await
}

async fn characters(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.send("tab \t, line feed \n, return \r, \u{e000}, \u{10000}").await?;
    queue.refuse("SendMessage", json!({"MessageBody": "bell \u{7}"}), "InvalidMessageContents").await
}

async fn empty_body(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let reply = session.send(Request::json(SQS, "SendMessage", &queue.with(json!({"MessageBody": ""})))).await?;
    reply.refusal(&["InvalidParameterValue", "MissingParameter"]).map(drop)
}

async fn delay(session: Session) -> Outcome {
    let delayed = async |seconds: u64| {
        let queue = session.queue(json!({})).await?;
        let sent = queue.call("SendMessage", json!({"MessageBody": "later", "DelaySeconds": seconds})).await?;
        Ok((queue, sent["MessageId"].clone()))
    };
    session.comes_back(delayed).await
}

async fn queue_delay(session: Session) -> Outcome {
    let queue = session.queue(json!({"DelaySeconds": "600"})).await?;
    queue.send("delayed").await?;
    queue.call("SendMessage", json!({"MessageBody": "at once", "DelaySeconds": 0})).await?;
    same("the first message", queue.take(1).await?, vec!["at once"])?;
    queue.stays_empty("the queue delays").await
}

async fn delay_limit(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.refuse("SendMessage", json!({"MessageBody": "x", "DelaySeconds": 901}), "InvalidParameterValue").await
}

async fn long_poll_wakes(session: Session) -> Outcome {
    /// Until it ends by itself.
    const WAIT: Duration = Duration::from_secs(20);
    for _ in 0..TRIES_MAX {
        let queue = session.queue(json!({})).await?;
        let began = Instant::now();
        let waiting = async {
            let answer = queue.call("ReceiveMessage", json!({"WaitTimeSeconds": WAIT.as_secs()})).await;
            (answer, began.elapsed())
        };
        let sending = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            (queue.send("x").await, began.elapsed())
        };
        let ((received, answered), (sent, taken)) = tokio::join!(waiting, sending);
        sent?;
        // A message that was taken only when the wait was all but over tells nothing.
        if answered < WAIT || taken < WAIT / 2 {
            holds(answered < WAIT, "the receive goes on waiting")?;
            return same("the message", text(&received?["Messages"][0]["Body"]), "x");
        }
    }
    Err(Finding::Differs(format!("not seen: sending a message took longer than {:?}", WAIT / 2)))
}

async fn wait_limit(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    queue.refuse("ReceiveMessage", json!({"WaitTimeSeconds": 21}), "InvalidParameterValue").await
}

async fn receive_limit(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    for max in [0, 11] {
        queue.refuse("ReceiveMessage", json!({"MaxNumberOfMessages": max}), "InvalidParameterValue").await?;
    }
    Ok(())
}

async fn unknown_queue(session: Session) -> Outcome {
    let url = format!("{}/000000000000/{}", session.url(), session.name());
    let request = json!({"QueueUrl": url, "MessageBody": "x"});
    let reply = session.refuse(SQS, "SendMessage", request, "QueueDoesNotExist").await?;
    same("status", reply.status, 400)?;
    session.refuse(SQS, "GetQueueUrl", json!({"QueueName": session.name()}), "QueueDoesNotExist").await.map(drop)
}

async fn query_error_header(session: Session) -> Outcome {
    let request = json!({"QueueName": session.name()});
    let reply = session.refuse(SQS, "GetQueueUrl", request, "QueueDoesNotExist").await?;
    same("the header", reply.header("x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender")
}
