//! What becomes of an invocation, with a ledger in memory.

use std::sync::Mutex;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::Context;
use onceward::{
    Deployment, Event, EventMetadata, HandlerResult, NoValue, Shutdown, UnitOfWork,
    memory::{ManualClock, MemoryLedger, SeededRandomness},
};
use serde::Deserialize;
use serde_json::{Value, json, value::to_raw_value};

use super::*;

#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    id: String,
}

impl Event for Seen {
    const TYPE: &'static str = "thing.seen";

    fn subject(&self) -> String {
        self.id.clone()
    }
}

/// What the handlers were given, in order.
type Given = Arc<Mutex<Vec<(EventMetadata, Option<NoValue>)>>>;

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}

/// A function without a dead-letter queue: what cannot be handled is an error.
fn bound(function: Function<Given>) -> Bound<Given> {
    let ports = Ports {
        ledger: Arc::new(MemoryLedger::default()),
        clock: Arc::new(ManualClock::new(now())),
        randomness: Arc::new(SeededRandomness::new(1)),
        shutdown: Shutdown::new(),
        deployment: Arc::new(Deployment::default()),
        strict: true,
    };
    let sqs = aws_sdk_sqs::Config::builder().behavior_version_latest().build();
    Bound {
        function,
        ports,
        sqs: aws_sdk_sqs::Client::from_conf(sqs),
        dead_letter_queue_url: None,
        limits: Arc::new(ReceiveLimits::new(None)),
    }
}

async fn see(_: Seen, context: onceward::Context<Given>) -> HandlerResult {
    context.dependencies().lock().unwrap().push((context.event().clone(), None));
    Ok(UnitOfWork::new())
}

async fn forget(absent: NoValue, context: onceward::Context<Given>) -> HandlerResult {
    context.dependencies().lock().unwrap().push((context.event().clone(), Some(absent)));
    Ok(UnitOfWork::new())
}

/// What a function with these handlers is given of an invocation.
async fn given(function: Function<Given>, given: &Given, payload: &Value) -> Vec<(EventMetadata, Option<NoValue>)> {
    let mut context = Context::default();
    context.request_id = "request-1".to_owned();
    context.deadline = u64::try_from((now() + TimeDelta::seconds(30)).timestamp_millis()).unwrap();
    bound(function).handle(LambdaEvent::new(to_raw_value(payload).unwrap(), context)).await.expect("acknowledged");
    std::mem::take(&mut *given.lock().unwrap())
}

fn seen(id: &str) -> String {
    let event = json!({
        "specversion": "1.0", "id": id, "source": "s", "type": Seen::wire_type(), "time": now(), "data": {"id": id},
    });
    BASE64_STANDARD.encode(event.to_string())
}

/// One partition: tombstones in their three forms, and an event behind them with the key of the first.
fn kafka() -> Value {
    let record = |offset: u32, key: Option<&[u8]>, value: Value| {
        json!({
            "topic": "customers", "partition": 3, "offset": offset, "timestamp": now().timestamp_millis() - 5_000,
            "timestampType": "CREATE_TIME", "key": key.map(|key| BASE64_STANDARD.encode(key)), "value": value,
            "headers": [],
        })
    };
    let mut records = [
        record(7, Some(b"c-1"), Value::Null),
        record(8, Some(&[0xff]), json!("")),
        record(9, None, Value::Null),
        record(10, Some(b"c-1"), json!(seen("e-1"))),
    ];
    records[2].as_object_mut().unwrap().remove("value");
    json!({"eventSource": "aws:kafka", "eventSourceArn": "arn:cluster", "records": {"customers-3": records}})
}

fn no_value(topic: &str, key: Option<&str>, key_is_base64: bool) -> NoValue {
    NoValue { topic: topic.to_owned(), key: key.map(str::to_owned), key_is_base64 }
}

#[tokio::test]
async fn a_function_that_handles_records_without_a_value_is_given_them_with_topic_and_key() {
    let all = Given::default();
    let function = Function::with("forget", Arc::clone(&all)).concurrency(1).on(see).on(forget);
    let given = given(function, &all, &kafka()).await;
    let found = |id: &str| given.iter().position(|(event, _)| event.id == id).expect(id);
    let [first, second, third, last] = ["customers-3@7", "customers-3@8", "customers-3@9", "e-1"].map(found);
    assert_eq!(given[first].1, Some(no_value("customers", Some("c-1"), false)));
    assert_eq!(given[second].1, Some(no_value("customers", Some("/w=="), true)));
    assert_eq!(given[third].1, Some(no_value("customers", None, false)));
    assert!(first < last && given.len() == 4, "records with one key are in order");
    let (first, third) = (&given[first].0, &given[third].0);
    assert_eq!(first.source, "arn:cluster");
    assert_eq!((first.event_type.as_str(), first.subject.as_str()), ("onceward.no-value.v1", "c-1"));
    assert_eq!((first.time, third.subject.as_str()), (now() - TimeDelta::seconds(5), ""));
}

#[tokio::test]
async fn a_function_that_does_not_handle_them_is_given_what_comes_behind() {
    let all = Given::default();
    let given = given(Function::with("see", Arc::clone(&all)).on(see), &all, &kafka()).await;
    let ids: Vec<_> = given.iter().map(|(event, _)| event.id.as_str()).collect();
    assert_eq!(ids, ["e-1"]);
}

#[tokio::test]
async fn an_empty_record_of_a_stream_or_a_broker_is_one_without_a_value() {
    let all = Given::default();
    let function = || Function::with("forget", Arc::clone(&all)).on(forget);
    let record = |arn: &str| {
        json!({
            "eventSource": "aws:kinesis", "eventSourceARN": arn, "eventID": "shardId-0:1",
            "kinesis": {
                "data": "", "partitionKey": "p", "sequenceNumber": "1",
                "approximateArrivalTimestamp": now().timestamp() - 1,
            },
        })
    };
    for arn in ["arn:aws:kinesis:eu-west-1:1:stream/clicks", "arn:aws:kinesis:eu-west-1:1:stream/clicks/consumer/c:1"] {
        let given = given(function(), &all, &json!({"Records": [record(arn)]})).await;
        let [(event, value)] = given.try_into().unwrap();
        assert_eq!((value, event.subject.as_str()), (Some(no_value("clicks", Some("p"), false)), "p"));
        // A sequence number is unique in its shard only.
        assert_eq!((event.id.as_str(), event.source.as_str()), ("shardId-0:1", arn));
        assert_eq!(event.time, now() - TimeDelta::seconds(1));
    }
    let message = |id: Option<&str>, timestamp: Option<&str>| {
        json!({
            "basicProperties": {
                "contentEncoding": null, "deliveryMode": 1, "priority": 0, "correlationId": null, "replyTo": null,
                "messageId": id, "timestamp": timestamp, "type": null, "appId": null, "clusterId": null, "bodySize": 0,
            },
            "redelivered": false, "data": "",
        })
    };
    let messages = [message(None, None), message(Some("m-1"), Some("Oct 1, 2024, 12:33:41\u{202f}AM"))];
    let payload =
        json!({"eventSource": "aws:rmq", "eventSourceArn": "arn:broker", "rmqMessagesByQueue": {"q::/": messages}});
    let given = given(function().concurrency(1), &all, &payload).await;
    let [(named_by_us, value), (named, _)] = given.try_into().unwrap();
    assert_eq!((value, named_by_us.time), (Some(no_value("q::/", None, false)), now()));
    // The place in a batch is no name beyond it.
    assert_eq!((named_by_us.id.as_str(), named.id.as_str()), ("q::/#0@request-1", "q::/#m-1"));
    assert_eq!(named.time.to_rfc3339(), "2024-10-01T00:33:41+00:00");
}

#[test]
fn an_answer_that_is_no_json_is_an_error_and_none_is_null() {
    let direct = |answer: Option<&str>| {
        let answer = Answer::direct(answer.map(str::to_owned))?;
        Ok::<_, InvocationError>(serde_json::to_string(&answer).unwrap())
    };
    assert_eq!(direct(Some("{\"a\":1.50}")), Ok("{\"a\":1.50}".to_owned()));
    assert_eq!(direct(None), Ok("null".to_owned()));
    let error = direct(Some("secret")).unwrap_err();
    assert_eq!(error.kind, "UnserializableAnswer");
    assert!(!error.message.contains("secret"), "{}", error.message);
}
