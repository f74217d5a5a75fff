//! A queue as an event source.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Bench, environments::at_once, freeze, from_queue, kill, spec, until};
use crate::{
    lambda::{FunctionSpec, NoticeEvent, SqsMapping, pool::ENVIRONMENTS_MAX},
    sqs::{AttributeValue, Depth, MessageAttribute, Outgoing, Sqs},
};

/// The name of the only FIFO queue.
const FIFO: &str = "q.fifo";

/// For messages that no test waits for to come back: longer than anything takes on a busy machine.
const LONG_S: u32 = 600;

/// A queue, whose messages come back after so many seconds, and a function, `f`, that is not mapped yet.
fn queue(name: &str, visibility_s: u32, environment: &[(&str, &str)]) -> (Bench, Sqs, SqsMapping) {
    let bench = Bench::with_function(environment);
    let sqs = Sqs::new(bench.account.clone());
    let mut attributes = BTreeMap::from([("VisibilityTimeout".to_owned(), visibility_s.to_string())]);
    if name == FIFO {
        attributes.insert("FifoQueue".to_owned(), "true".to_owned());
    }
    sqs.create_queue(name, &attributes).unwrap();
    let mapping = from_queue(sqs.arn(name), 10);
    (bench, sqs, mapping)
}

fn send(sqs: &Sqs, body: &str) {
    sqs.send("q", Outgoing { body: body.to_owned(), ..Outgoing::default() }).unwrap();
}

fn bodies(event: &Value) -> Vec<&str> {
    event["Records"].as_array().unwrap().iter().map(|record| record["body"].as_str().unwrap()).collect()
}

async fn until_empty(sqs: &Sqs, queue: &str) {
    until(|| sqs.depth(queue).unwrap() == Depth::default()).await;
}

#[tokio::test]
async fn a_message_is_a_record_as_lambda_words_it_and_is_deleted() {
    let (mut bench, sqs, mapping) = queue("q", LONG_S, &[]);
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    let binary = MessageAttribute { data_type: "Binary".to_owned(), value: AttributeValue::Binary(b"raw".to_vec()) };
    let attributes = [("kind".to_owned(), MessageAttribute::string("x")), ("data".to_owned(), binary)];
    let message = Outgoing { body: "hello".to_owned(), attributes: attributes.into(), ..Outgoing::default() };
    let sent = sqs.send("q", message).unwrap();
    let event = bench.event().await;
    let record = &event["Records"][0];
    assert_eq!(record["messageId"], json!(sent.message_id));
    assert_eq!((&record["body"], &record["md5OfBody"]), (&json!("hello"), &json!(sent.md5_of_body)));
    assert_eq!((&record["eventSource"], &record["awsRegion"]), (&json!("aws:sqs"), &json!("eu-central-1")));
    assert_eq!(record["eventSourceARN"], "arn:aws:sqs:eu-central-1:000000000000:q");
    assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
    assert!(record["attributes"]["SentTimestamp"].is_string() && record["receiptHandle"].is_string());
    let attributes = json!({
        "kind": { "stringValue": "x", "stringListValues": [], "binaryListValues": [], "dataType": "String" },
        "data": { "binaryValue": "cmF3", "stringListValues": [], "binaryListValues": [], "dataType": "Binary" },
    });
    assert_eq!(record["messageAttributes"], attributes);
    until_empty(&sqs, "q").await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_failed_batch_comes_back_after_its_visibility_timeout() {
    let (mut bench, sqs, mapping) = queue("q", 1, &[("FAIL", "a"), ("FAIL_TIMES", "1")]);
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    send(&sqs, "a");
    for count in ["1", "2"] {
        assert_eq!(bench.event().await["Records"][0]["attributes"]["ApproximateReceiveCount"], count);
    }
    until_empty(&sqs, "q").await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn of_a_partial_failure_only_the_failed_come_back() {
    let (mut bench, sqs, mapping) = queue("q", LONG_S, &[("FAIL", "bad"), ("FAIL_TIMES", "1"), ("PARTIAL", "1")]);
    for body in ["a", "bad", "c"] {
        send(&sqs, body);
    }
    let mapping = SqsMapping { report_batch_item_failures: true, maximum_concurrency: Some(1), ..mapping };
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    let batch = bench.event().await;
    assert_eq!(bodies(&batch), ["a", "bad", "c"]);
    // The other two are deleted, and what is left comes back at once: no time is raced.
    until(|| sqs.depth("q").unwrap() == Depth { in_flight: 1, ..Depth::default() }).await;
    let failed = batch["Records"][1]["receiptHandle"].as_str().unwrap();
    sqs.change_visibility("q", failed, Duration::ZERO).unwrap();
    assert_eq!(bodies(&bench.event().await), ["bad"]);
    until_empty(&sqs, "q").await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn messages_a_filter_refuses_are_deleted_unseen() {
    let (mut bench, sqs, mapping) = queue("q", LONG_S, &[]);
    for body in [r#"{"kind":"drop"}"#, "no JSON", r#"{"kind":"keep"}"#] {
        send(&sqs, body);
    }
    let mapping = SqsMapping { filters: vec![json!({ "body": { "kind": ["keep"] } })], ..mapping };
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    assert_eq!(bodies(&bench.event().await), [r#"{"kind":"keep"}"#]);
    until_empty(&sqs, "q").await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_window_collects_a_batch() {
    let (mut bench, sqs, mapping) = queue("q", LONG_S, &[]);
    let mapping = SqsMapping { batching_window: Duration::from_mins(1), batch_size: 3, ..mapping };
    let mapping = SqsMapping { maximum_concurrency: Some(1), ..mapping };
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    bench.lambda.start("f").await.unwrap();
    send(&sqs, "a");
    until(|| sqs.depth("q").unwrap().in_flight == 1).await;
    send(&sqs, "b");
    send(&sqs, "c");
    assert_eq!(bodies(&bench.event().await), ["a", "b", "c"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_batch_over_six_megabytes_is_split() {
    let (mut bench, sqs, mapping) = queue("q", LONG_S, &[]);
    let body = "x".repeat(900_000);
    for _ in 0..10 {
        send(&sqs, &body);
    }
    bench.lambda.map_sqs(sqs.clone(), SqsMapping { maximum_concurrency: Some(1), ..mapping }).unwrap();
    // A line of the log is shorter than such an event: the invocations are seen in the queue.
    until_empty(&sqs, "q").await;
    let prints = |line: &crate::lambda::LogLine| line.text.starts_with(super::function::EVENT).then_some(());
    bench.line(prints).await;
    bench.line(prints).await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn nothing_is_received_while_every_environment_is_at_work() {
    let (mut bench, sqs, mapping) = queue("q", LONG_S, &[]);
    let mut invocations = Box::pin(join_all((0..ENVIRONMENTS_MAX).map(|_| bench.invoke(json!({ "do": "hang" })))));
    tokio::select! {
        _ = &mut invocations => panic!("they hang"),
        () = until(|| bench.lambda.processes("f").unwrap().len() == ENVIRONMENTS_MAX) => {}
    }
    // What was given to a process runs on although nobody waits for it any more.
    drop(invocations);
    for _ in 0..ENVIRONMENTS_MAX {
        bench.event().await;
    }
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    send(&sqs, "a");
    let received = tokio::time::timeout(Duration::from_millis(300), until(|| sqs.depth("q").unwrap().in_flight > 0));
    received.await.expect_err("nobody can take it");
    kill(bench.lambda.processes("f").unwrap()[0]);
    let first = loop {
        let event = bench.event().await;
        if event["Records"].is_array() {
            break event;
        }
    };
    assert_eq!(first["Records"][0]["attributes"]["ApproximateReceiveCount"], "1");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn pollers_that_wait_leave_their_slots_to_invocations() {
    let (mut bench, sqs, mapping) = queue("q", LONG_S, &[]);
    bench.lambda.map_sqs(sqs, SqsMapping { maximum_concurrency: Some(ENVIRONMENTS_MAX), ..mapping }).unwrap();
    bench.lambda.start("f").await.unwrap();
    // No poll ends by itself any more.
    let frozen = freeze();
    at_once(&mut bench, ENVIRONMENTS_MAX).await;
    drop(frozen);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_group_of_a_fifo_queue_is_handled_in_order() {
    let (mut bench, sqs, mapping) = queue(FIFO, LONG_S, &[("FAIL", "m3"), ("FAIL_TIMES", "1")]);
    for n in 1..=20 {
        let body = format!("m{n}");
        let message = Outgoing {
            deduplication_id: Some(body.clone()),
            group_id: Some("g".to_owned()),
            body,
            ..Outgoing::default()
        };
        sqs.send(FIFO, message).unwrap();
    }
    bench.lambda.map_sqs(sqs.clone(), SqsMapping { batch_size: 4, ..mapping }).unwrap();
    let (mut seen, mut again) = (Vec::new(), 0);
    while seen.len() < 20 {
        let event = bench.event().await;
        let batch = bodies(&event).into_iter().map(str::to_owned);
        if seen.is_empty() && again == 0 {
            again = 1; // m1 to m4 fail once
            assert_eq!(batch.collect::<Vec<_>>(), ["m1", "m2", "m3", "m4"]);
            assert!(bench.report().await.contains("4 messages failed"));
            for record in event["Records"].as_array().unwrap() {
                sqs.change_visibility(FIFO, record["receiptHandle"].as_str().unwrap(), Duration::ZERO).unwrap();
            }
            continue;
        }
        seen.extend(batch);
    }
    assert_eq!(seen, (1..=20).map(|n| format!("m{n}")).collect::<Vec<_>>());
    bench.lambda.shutdown().await;
}

/// A queue `q` that gives a message up after its first receive, with one message that has been received.
async fn last_receive(bench: &mut Bench) -> (Sqs, Value) {
    let sqs = Sqs::new(bench.account.clone());
    sqs.create_queue("d", &BTreeMap::new()).unwrap();
    let policy = json!({ "deadLetterTargetArn": sqs.arn("d"), "maxReceiveCount": 1 }).to_string();
    let attributes = [("RedrivePolicy", policy), ("VisibilityTimeout", LONG_S.to_string())];
    sqs.create_queue("q", &attributes.map(|(name, value)| (name.to_owned(), value)).into()).unwrap();
    bench.lambda.map_sqs(sqs.clone(), from_queue(sqs.arn("q"), 10)).unwrap();
    send(&sqs, &json!({ "id": "e-1", "type": "order.placed.v1", "subject": "o-1" }).to_string());
    let event = bench.event().await;
    (sqs, event)
}

/// What is said once the message of `event` comes back: its dead-letter queue has it alone, without a reason.
async fn given_up(bench: &mut Bench, sqs: &Sqs, event: &Value) -> Value {
    assert!(bench.report().await.contains("1 messages failed"));
    sqs.change_visibility("q", event["Records"][0]["receiptHandle"].as_str().unwrap(), Duration::ZERO).unwrap();
    let (text, notice) = bench.line(|line| Some((line.text.clone(), line.notice.clone()?))).await;
    assert!(text.contains("order.placed.v1 o-1: received 1 times, SQS moved it to"), "{text}");
    assert_eq!(notice.event, NoticeEvent::MovedWithoutReason);
    assert_eq!((&notice.fields["event_id"], &notice.fields["receives"]), (&json!("e-1"), &json!(1)));
    assert_eq!(notice.fields["message_id"], event["Records"][0]["messageId"]);
    until(|| sqs.depth("d").unwrap() == Depth { visible: 1, ..Depth::default() }).await;
    bench.lambda.shutdown().await;
    notice.fields["last_failure"].clone()
}

#[tokio::test]
async fn a_message_that_failed_its_last_receive_is_named_with_its_failure() {
    let mut bench = Bench::with_function(&[("FAIL", "e-1")]);
    let (sqs, event) = last_receive(&mut bench).await;
    assert_eq!(given_up(&mut bench, &sqs, &event).await, "as told");
}

#[tokio::test]
async fn a_message_whose_last_run_was_killed_is_named_with_that() {
    let mut bench = Bench::with_function(&[("SLOW_MS", "600000")]);
    let (sqs, event) = last_receive(&mut bench).await;
    kill(bench.lambda.processes("f").unwrap()[0]);
    let failure = given_up(&mut bench, &sqs, &event).await;
    assert!(failure.as_str().is_some_and(|failure| failure.contains("signal: killed")), "{failure}");
}

#[tokio::test]
async fn a_message_whose_last_run_timed_out_is_named_with_that() {
    let mut bench = Bench::new();
    let slow = spec("f", &[("SLOW_MS", "600000")]);
    bench.lambda.create_function(FunctionSpec { timeout: Duration::from_secs(5), ..slow }).unwrap();
    let (sqs, event) = last_receive(&mut bench).await;
    let failure = given_up(&mut bench, &sqs, &event).await;
    assert!(failure.as_str().is_some_and(|failure| failure.contains("timed out after 5.00 seconds")), "{failure}");
}
