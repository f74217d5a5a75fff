//! Publishing, and what a subscribed queue receives.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, holds, same};
use crate::conformance::request::{Request, SNS, elements};
use crate::conformance::resources::{Queue, borrowed, text};
use crate::conformance::session::Session;

const PUBLISH: &str = "api/API_Publish.html";
const BATCH: &str = "api/API_PublishBatch.html";
const RAW: &str = "dg/sns-large-payload-raw-message-delivery.html";
const FIFO: &str = "dg/fifo-topic-message-ordering.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add(
            "notification",
            "A queue receives a JSON notification with Type, MessageId, TopicArn, Subject, Message and Timestamp",
            "dg/sns-message-and-json-formats.html",
            notification,
        )
        .add("raw", "With raw delivery the message is the body and its attributes are the message's", RAW, raw)
        .add("attributes", "Without raw delivery attributes are part of the notification", RAW, attributes)
        .add(
            "message-structure",
            "With MessageStructure json a queue receives the text for sqs, or the default",
            PUBLISH,
            message_structure,
        )
        .add("default-needed", "MessageStructure json without a default is refused", PUBLISH, default_needed)
        .add("size", "A message of more than 256 KiB is refused with InvalidParameter", PUBLISH, size)
        .add("unknown-topic", "Publishing to a topic that does not exist is NotFound, status 404", PUBLISH, unknown)
        .add("batch", "PublishBatch publishes each entry and answers its id", BATCH, batch)
        .add("batch-fails-by-entry", "The entries of a PublishBatch fail each for itself", BATCH, batch_by_entry)
        .add(
            "batch-refusals",
            "PublishBatch refuses no entries, more than 10 and two of one id by the documented errors",
            BATCH,
            batch_refusals,
        )
        .add("fifo", "A FIFO topic delivers a group in order to a FIFO queue, with the group's id", FIFO, fifo)
        .add(
            "fifo-deduplication",
            "A FIFO topic delivers a deduplication id once in 5 minutes",
            "dg/fifo-message-dedup.html",
            fifo_deduplication,
        )
        .add("fifo-needs-group", "A message for a FIFO topic needs a MessageGroupId", PUBLISH, fifo_needs_group)
        .add("fifo-sequence", "Publishing to a FIFO topic answers a SequenceNumber", PUBLISH, fifo_sequence)
        .add(
            "redrive",
            "A message that cannot be delivered goes to the subscription's dead-letter queue",
            "dg/sns-dead-letter-queues.html",
            redrive,
        )
        .done()
}

async fn topic_and_queue(session: &Session, attributes: &[(&str, &str)]) -> Result<(String, Queue), Finding> {
    let (topic, queue) = (session.topic(&[]).await?, session.queue(json!({})).await?);
    session.subscribe(&topic, &queue, attributes).await?;
    Ok((topic, queue))
}

async fn publish(session: &Session, topic: &str, more: &[(&str, &str)]) -> Result<String, Finding> {
    session.query(SNS, "Publish", &[&[("TopicArn", topic)], more].concat()).await
}

async fn notification(session: Session) -> Outcome {
    let (topic, queue) = topic_and_queue(&session, &[]).await?;
    let answer = publish(&session, &topic, &[("Message", "hello"), ("Subject", "greeting")]).await?;
    let body: Value = serde_json::from_str(&text(&queue.next().await?["Body"])).unwrap_or_default();
    same("Type", text(&body["Type"]), "Notification")?;
    same("Message", text(&body["Message"]), "hello")?;
    same("Subject", text(&body["Subject"]), "greeting")?;
    same("TopicArn", text(&body["TopicArn"]), topic)?;
    same("MessageId", vec![text(&body["MessageId"])], elements(&answer, "MessageId"))?;
    for field in ["Timestamp", "SignatureVersion", "Signature", "SigningCertURL", "UnsubscribeURL"] {
        holds(body[field].is_string(), format!("the notification has no {field}"))?;
    }
    Ok(())
}

const ATTRIBUTE: [(&str, &str); 4] = [
    ("Message", "hello"),
    ("MessageAttributes.entry.1.Name", "kind"),
    ("MessageAttributes.entry.1.Value.DataType", "String"),
    ("MessageAttributes.entry.1.Value.StringValue", "order"),
];

async fn raw(session: Session) -> Outcome {
    let (topic, queue) = topic_and_queue(&session, &[("RawMessageDelivery", "true")]).await?;
    publish(&session, &topic, &ATTRIBUTE).await?;
    let message = queue.next().await?;
    same("Body", text(&message["Body"]), "hello")?;
    same("MessageAttributes.kind", text(&message["MessageAttributes"]["kind"]["StringValue"]), "order")
}

async fn attributes(session: Session) -> Outcome {
    let (topic, queue) = topic_and_queue(&session, &[]).await?;
    publish(&session, &topic, &ATTRIBUTE).await?;
    let message = queue.next().await?;
    let body: Value = serde_json::from_str(&text(&message["Body"])).unwrap_or_default();
    same("MessageAttributes.kind", &body["MessageAttributes"]["kind"], &json!({"Type": "String", "Value": "order"}))?;
    holds(message["MessageAttributes"].is_null(), "the queue's message has attributes")
}

async fn message_structure(session: Session) -> Outcome {
    let (topic, queue) = topic_and_queue(&session, &[("RawMessageDelivery", "true")]).await?;
    for message in [json!({"default": "all", "sqs": "queues"}), json!({"default": "all", "email": "people"})] {
        publish(&session, &topic, &[("Message", &message.to_string()), ("MessageStructure", "json")]).await?;
    }
    let mut bodies = queue.take(2).await?;
    bodies.sort();
    same("the messages", bodies, vec!["all", "queues"])
}

async fn default_needed(session: Session) -> Outcome {
    let topic = session.topic(&[]).await?;
    let parameters = [("TopicArn", topic.as_str()), ("Message", "{\"sqs\":\"x\"}"), ("MessageStructure", "json")];
    session.refuse_query(SNS, "Publish", &parameters, "InvalidParameter").await.map(drop)
}

async fn size(session: Session) -> Outcome {
    let topic = session.topic(&[]).await?;
    let (fits, larger) = ("x".repeat(262_144), "x".repeat(262_145));
    publish(&session, &topic, &[("Message", &fits)]).await?;
    let parameters = [("TopicArn", topic.as_str()), ("Message", &larger)];
    session.refuse_query(SNS, "Publish", &parameters, "InvalidParameter").await.map(drop)
}

async fn unknown(session: Session) -> Outcome {
    let arn = session.topic(&[]).await?;
    let parameters = [("TopicArn", &*format!("{arn}-not")), ("Message", "x")];
    same("status", session.refuse_query(SNS, "Publish", &parameters, "NotFound").await?.status, 404)
}

/// A batch of entries with these parameters each.
fn entries(topic: &str, entries: &[&[(&str, &str)]]) -> Vec<(String, String)> {
    let mut parameters = vec![("TopicArn".to_owned(), topic.to_owned())];
    for (number, entry) in entries.iter().enumerate() {
        let name = |name: &str| format!("PublishBatchRequestEntries.member.{}.{name}", number + 1);
        parameters.extend(entry.iter().map(|(key, value)| (name(key), (*value).to_owned())));
    }
    parameters
}

fn ids(answer: &str, list: &str) -> Vec<String> {
    elements(answer, list).iter().flat_map(|members| elements(members, "Id")).collect()
}

async fn batch(session: Session) -> Outcome {
    let (topic, queue) = topic_and_queue(&session, &[("RawMessageDelivery", "true")]).await?;
    let parameters = entries(&topic, &[&[("Id", "1"), ("Message", "one")], &[("Id", "2"), ("Message", "two")]]);
    let answer = session.query(SNS, "PublishBatch", &borrowed(&parameters)).await?;
    same("ids that succeeded", ids(&answer, "Successful"), vec!["1", "2"])?;
    let mut bodies = queue.take(2).await?;
    bodies.sort();
    same("the messages", bodies, vec!["one", "two"])
}

async fn batch_by_entry(session: Session) -> Outcome {
    let (topic, queue) = topic_and_queue(&session, &[("RawMessageDelivery", "true")]).await?;
    let bad = [("Id", "bad"), ("Message", "{\"sqs\":\"x\"}"), ("MessageStructure", "json")];
    let parameters = entries(&topic, &[&[("Id", "good"), ("Message", "one")], &bad]);
    let answer = session.query(SNS, "PublishBatch", &borrowed(&parameters)).await?;
    same("ids that succeeded", ids(&answer, "Successful"), vec!["good"])?;
    same("ids that failed", ids(&answer, "Failed"), vec!["bad"])?;
    same("the messages", queue.take(1).await?, vec!["one"])
}

async fn batch_refusals(session: Session) -> Outcome {
    let topic = session.topic(&[]).await?;
    let refuse = async |entry: &[&[(&str, &str)]], code: &str| {
        session.refuse_query(SNS, "PublishBatch", &borrowed(&entries(&topic, entry)), code).await.map(drop)
    };
    refuse(&[], "EmptyBatchRequest").await?;
    let one: &[(&str, &str)] = &[("Id", "1"), ("Message", "x")];
    refuse(&[one, one], "BatchEntryIdsNotDistinct").await?;
    let ids: Vec<_> = (0..11).map(|number: u32| number.to_string()).collect();
    let many: Vec<Vec<_>> = ids.iter().map(|id| vec![("Id", id.as_str()), ("Message", "x")]).collect();
    refuse(&many.iter().map(Vec::as_slice).collect::<Vec<_>>(), "TooManyEntriesInBatchRequest").await
}

const FIFO_TOPIC: [(&str, &str); 2] = [("FifoTopic", "true"), ("ContentBasedDeduplication", "true")];

async fn fifo(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&FIFO_TOPIC).await?, session.fifo_queue().await?);
    session.subscribe(&topic, &queue, &[("RawMessageDelivery", "true")]).await?;
    for message in ["1", "2", "3"] {
        publish(&session, &topic, &[("Message", message), ("MessageGroupId", "a")]).await?;
    }
    let first = queue.next().await?;
    same("MessageGroupId", text(&first["Attributes"]["MessageGroupId"]), "a")?;
    queue.delete(&first).await?;
    same("the first message", text(&first["Body"]), "1")?;
    same("the other messages", queue.take(2).await?, vec!["2", "3"])
}

async fn fifo_deduplication(session: Session) -> Outcome {
    let (topic, queue) = (session.topic(&FIFO_TOPIC).await?, session.fifo_queue().await?);
    session.subscribe(&topic, &queue, &[("RawMessageDelivery", "true")]).await?;
    for message in ["1", "2"] {
        let parameters = [("Message", message), ("MessageGroupId", "a"), ("MessageDeduplicationId", "same")];
        publish(&session, &topic, &parameters).await?;
    }
    same("the messages", queue.take(1).await?, vec!["1"])?;
    queue.stays_empty("the second is a duplicate").await
}

async fn fifo_needs_group(session: Session) -> Outcome {
    let topic = session.topic(&FIFO_TOPIC).await?;
    let parameters = [("TopicArn", topic.as_str()), ("Message", "x")];
    session.refuse_query(SNS, "Publish", &parameters, "InvalidParameter").await.map(drop)
}

async fn fifo_sequence(session: Session) -> Outcome {
    let topic = session.topic(&FIFO_TOPIC).await?;
    let mut numbers = Vec::new();
    for message in ["1", "2"] {
        let answer = publish(&session, &topic, &[("Message", message), ("MessageGroupId", "a")]).await?;
        numbers.extend(elements(&answer, "SequenceNumber").iter().filter_map(|number| number.parse::<u128>().ok()));
    }
    holds(numbers.len() == 2 && numbers[0] < numbers[1], format!("the sequence numbers are {numbers:?}"))
}

async fn redrive(session: Session) -> Outcome {
    let dead = session.queue(json!({})).await?;
    let policy = json!({"deadLetterTargetArn": dead.arn}).to_string();
    let (topic, gone) =
        topic_and_queue(&session, &[("RawMessageDelivery", "true"), ("RedrivePolicy", &policy)]).await?;
    gone.call("DeleteQueue", json!({})).await?;
    session.send(Request::query(SNS, "Publish", &[("TopicArn", &topic), ("Message", "x")])).await?.success()?;
    same("the message", text(&dead.next().await?["Body"]), "x")
}
