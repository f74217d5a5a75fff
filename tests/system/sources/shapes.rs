//! One event by every source, and what each source is answered.

use aws_sdk_sqs::types::Message;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{
    invoke,
    payloads::{SOURCES, dynamodb, kafka, kinesis, rabbitmq, routed, sns, sqs, sqs_fifo},
    process, wish,
};
use crate::{
    on_the_probe,
    system::{Depth, System, eventually, found},
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        on_the_probe("sources::an_event_is_handled_once_whichever_ways_it_arrives", every_way),
        on_the_probe("sources::a_queue_is_told_each_failed_message_and_a_stream_the_lowest_record", partial),
        on_the_probe("sources::other_sources_are_told_that_the_batch_failed", whole_batch),
        on_the_probe("sources::a_record_without_a_value_holds_up_nobody", without_value),
        on_the_probe("sources::a_terminal_event_of_any_source_is_moved_with_its_reason", terminal),
        on_the_probe(
            "sources::what_fails_its_last_receive_is_one_letter_with_the_reason_and_the_attempts",
            last_receive,
        ),
        on_the_probe("sources::what_is_killed_at_its_last_receive_is_moved_without_a_reason", killed),
        on_the_probe("sources::one_redrive_with_a_destination_puts_either_kind_of_letter_back", either_kind),
        on_the_probe("sources::a_direct_invocation_is_answered_or_refused_by_name", direct),
    ]
}

/// A compacted topic's tombstones, in their three forms, and empty records of the two other sources: what comes behind
/// them is handled.
async fn without_value(system: System) {
    let events = |scope: &str| (0..4).map(|place| wish(&format!("{scope}-{place}"), "commit")).collect::<Vec<_>>();
    let mut topic = kafka("aws:kafka", &events("topic"));
    let records = topic["records"].as_object_mut().expect("partitions").values_mut().next().expect("a partition");
    records[0]["value"] = Value::Null;
    records[1]["value"] = json!("");
    records[2].as_object_mut().expect("a record").remove("value");
    assert_eq!(invoke(&system, &topic).await, Ok(Value::Null));

    let mut stream = kinesis(&events("stream"));
    stream["Records"][0]["kinesis"]["data"] = json!("");
    assert_eq!(invoke(&system, &stream).await, Ok(failures(&[])));

    let mut queue = rabbitmq(&events("rabbit"));
    let messages = queue["rmqMessagesByQueue"].as_object_mut().expect("queues").values_mut().next().expect("a queue");
    messages[0]["data"] = json!("");
    assert_eq!(invoke(&system, &queue).await, Ok(Value::Null));

    let rows = system.rows("probe-ledger").await;
    let handled = |key: &str| rows.iter().any(|row| row["pk"]["S"] == format!("probe#{key}").as_str());
    assert!(["topic-3", "stream-1", "stream-3", "rabbit-1", "rabbit-3"].into_iter().all(handled), "{rows:?}");
    assert!(!["topic-0", "topic-1", "topic-2", "stream-0", "rabbit-0"].into_iter().any(handled), "{rows:?}");
}

async fn every_way(system: System) {
    for (index, (first, payload)) in SOURCES.iter().enumerate() {
        let event = wish(&format!("e-{index}"), "commit");
        invoke(&system, &payload(std::slice::from_ref(&event))).await.expect(first);
        let key = format!("probe#e-{index}");
        let record = |rows: Vec<Value>| rows.into_iter().find(|row| row["pk"]["S"] == key.as_str());
        let committed = record(system.rows("probe-ledger").await).unwrap_or_else(|| panic!("{first}: no record"));
        for (again, payload) in SOURCES {
            invoke(&system, &payload(std::slice::from_ref(&event))).await.expect(again);
        }
        let after = record(system.rows("probe-ledger").await);
        assert_eq!(after.as_ref(), Some(&committed), "{first}: every other way was a duplicate");
    }
    assert_eq!(process(&system).len(), 1);
}

/// Good, bad, good, bad.
fn mixed(scope: &str) -> Vec<Value> {
    let wishes = ["commit", "fail", "commit", "panic"];
    wishes.iter().enumerate().map(|(place, what)| wish(&format!("{scope}-{place}"), what)).collect()
}

fn failures(ids: &[&str]) -> Value {
    let failures: Vec<_> = ids.iter().map(|id| json!({ "itemIdentifier": id })).collect();
    json!({ "batchItemFailures": failures })
}

async fn partial(system: System) {
    assert_eq!(invoke(&system, &sqs(&mixed("sqs"))).await, Ok(failures(&["m-1", "m-3"])));
    assert_eq!(invoke(&system, &sqs_fifo(&mixed("fifo"))).await, Ok(failures(&["m-1", "m-2", "m-3"])));
    assert_eq!(invoke(&system, &kinesis(&mixed("kinesis"))).await, Ok(failures(&["101"])));
    assert_eq!(invoke(&system, &dynamodb(&mixed("dynamodb"))).await, Ok(failures(&["101"])));
    let good = [wish("good-1", "commit"), wish("good-2", "commit")];
    for payload in [sqs(&good), sqs_fifo(&good), kinesis(&good), dynamodb(&good)] {
        assert_eq!(invoke(&system, &payload).await, Ok(failures(&[])));
    }
}

async fn whole_batch(system: System) {
    let kafka_failed = invoke(&system, &kafka("aws:kafka", &mixed("kafka"))).await.expect_err("it fails");
    assert_eq!(kafka_failed.0, "BatchFailed");
    let expected = "[probe] 3 of 4 records failed: t-0@1: as it was wished; t-0@2: an earlier one of its order failed";
    assert!(kafka_failed.1.starts_with(expected), "{}", kafka_failed.1);
    let rabbit_failed = invoke(&system, &rabbitmq(&mixed("rabbit"))).await.expect_err("it fails");
    assert!(rabbit_failed.1.contains("2 of 4 records failed: q::/#1: as it was wished"), "{}", rabbit_failed.1);
    assert!(rabbit_failed.1.contains("q::/#3: the handler panicked: as it was wished"), "{}", rabbit_failed.1);
    for payload in [sns(&[wish("sns", "fail")]), routed(&wish("bus", "fail"))] {
        let (kind, message) = invoke(&system, &payload).await.expect_err("it fails");
        assert_eq!(kind, "BatchFailed");
        assert!(message.contains("1 of 1 records failed"), "{message}");
    }
    // What did not fail is not done again when the batch is.
    let rows = system.rows("probe-ledger").await;
    let committed = |id: &str| rows.iter().any(|row| row["pk"]["S"] == format!("probe#{id}"));
    assert!(committed("rabbit-0") && committed("rabbit-2") && committed("kafka-0"));
}

async fn terminal(system: System) {
    for (source, payload) in SOURCES.iter().filter(|(source, _)| *source != "direct invocation") {
        let event = wish(&format!("refused by {source}"), "refuse");
        invoke(&system, &payload(std::slice::from_ref(&event))).await.expect(source);
        let [letter] = system.messages("wishes-dlq").await.try_into().expect("one letter");
        let attribute = |name: &str| text_attribute(&letter, name).unwrap_or_default();
        assert_eq!(attribute("reason"), "Terminal", "{source}");
        assert_eq!(attribute("error"), "wish: is refused, as it was wished");
        assert_eq!((attribute("function"), attribute("attempts")), ("probe".to_owned(), "1".to_owned()));
        assert_eq!(attribute("event_id"), format!("refused by {source}"));
        assert_eq!(attribute("event_type"), "wish.made.v1");
        for name in ["source", "first_failed_at", "last_failed_at"] {
            assert!(!attribute(name).is_empty(), "{source}: {name}");
        }
        assert!(letter.body.as_ref().is_some_and(|body| body.contains("refused by")), "{source}: the body as received");
    }
}

/// The probe's own queue, as its mapping reads it.
const QUEUE: &str = "wishes";

/// Lets the queue give a message up after its first receive.
async fn give_up_at_once(system: &System) {
    give_up_after(system, 1).await;
}

async fn give_up_after(system: &System, receives: u32) {
    let arn = |queue: &str| format!("arn:aws:sqs:us-east-1:000000000000:{queue}");
    let policy = json!({"deadLetterTargetArn": arn("wishes-dlq"), "maxReceiveCount": receives}).to_string();
    system.set_redrive_policy(QUEUE, &policy).await;
}

async fn last_receive(system: System) {
    give_up_at_once(&system).await;
    system.send(QUEUE, &wish("last-1", "fail").to_string()).await;
    let [letter] = system.messages("wishes-dlq").await.try_into().expect("one letter");
    let attribute = |name: &str| text_attribute(&letter, name).unwrap_or_default();
    assert_eq!(
        (attribute("reason"), attribute("error")),
        ("RetriesExhausted".to_owned(), "as it was wished".to_owned())
    );
    assert_eq!((attribute("attempts"), attribute("event_id")), ("1".to_owned(), "last-1".to_owned()));
    eventually("the message is acknowledged", async || system.depth(QUEUE).await == Depth::default()).await;
    assert_eq!(system.depth("wishes-dlq").await.backlog(), 1, "one letter");
}

async fn killed(system: System) {
    give_up_at_once(&system).await;
    kill_the_handler_of(&system, "killed-1").await;
    let [letter] = system.messages("wishes-dlq").await.try_into().expect("one letter");
    assert_eq!(text_attribute(&letter, "reason"), None, "SQS moved it");
}

/// Sends a message whose handler is killed at work, and comes back soon.
async fn kill_the_handler_of(system: &System, id: &str) {
    system.hide_for(QUEUE, "1").await;
    system.send(QUEUE, &wish(id, "sleep").to_string()).await;
    found("a process has the message", async || {
        let busy = system.depth(QUEUE).await.in_flight == 1 && !process(system).is_empty();
        busy.then_some(())
    })
    .await;
    for id in process(system) {
        let id = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
        rustix::process::kill_process(id, rustix::process::Signal::KILL).expect("it runs");
    }
}

/// The letter that the runtime sent, and the message that SQS moved.
async fn either_kind(system: System) {
    give_up_at_once(&system).await;
    system.send(QUEUE, &wish("letter-1", "fail").to_string()).await;
    eventually("the runtime has sent a letter", async || system.depth("wishes-dlq").await.visible == 1).await;
    kill_the_handler_of(&system, "moved-1").await;
    eventually("SQS has moved a message", async || system.depth("wishes-dlq").await.visible == 2).await;
    // What comes back is not given up again at once.
    give_up_after(&system, 1_000).await;
    let (status, failure, _) = system.move_messages("wishes-dlq", None).await;
    assert_eq!((status.as_str(), failure.as_deref()), ("FAILED", Some("CouldNotDetermineMessageSource")));
    let left = system.depth("wishes-dlq").await.visible;
    assert!(left >= 1, "the runtime's letter stays");
    let (status, failure, moved) = system.move_messages("wishes-dlq", Some(QUEUE)).await;
    assert_eq!((status.as_str(), failure), ("COMPLETED", None));
    assert!(moved >= i64::try_from(left).expect("a small number"), "{moved} of {left}");
}

async fn direct(system: System) {
    let event = wish("d-1", "commit");
    let granted = invoke(&system, &event).await.expect("an answer");
    assert_eq!(granted["event_id"], "d-1");
    assert_eq!(invoke(&system, &event).await, Ok(granted), "a repetition gets the same answer");
    for (wished, kind, text) in [
        ("fail", "Retryable", "[probe] as it was wished"),
        ("refuse", "Terminal", "[probe] wish: is refused, as it was wished"),
        ("panic", "Retryable", "[probe] the handler panicked: as it was wished"),
    ] {
        assert_eq!(invoke(&system, &wish(wished, wished)).await, Err((kind.to_owned(), text.to_owned())));
    }
    let (kind, text) = invoke(&system, &json!({"hello": "world"})).await.expect_err("it fails");
    assert_eq!(kind, "MalformedEvent");
    assert!(text.contains("missing field `specversion`"), "{text}");
    assert_eq!(system.depth("wishes-dlq").await, Depth::default(), "who invoked is told, and no one else");
}

fn text_attribute(message: &Message, name: &str) -> Option<String> {
    message.message_attributes.as_ref()?.get(name)?.string_value.clone()
}
