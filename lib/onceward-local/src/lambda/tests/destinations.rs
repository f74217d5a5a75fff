//! What is sent when a function's work has ended: by streams and by asynchronous invocations.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Bench, spec, until};
use crate::{
    account::Account,
    endpoint::Services,
    events::{Rule, Target},
    lambda::{EventInvokeConfig, FunctionSpec, LogSink, StartingPosition, StreamMapping},
    sqs::{Receive, Received},
    store::{Store, tests::Folder},
};

/// A whole cloud's services with the queue `told`, and a bench around its Lambda.
pub(super) fn cloud() -> (Bench, Services) {
    cloud_with(Store::memory())
}

pub(super) fn cloud_with(store: Store) -> (Bench, Services) {
    let account = Account::new("eu-central-1", "http://127.0.0.1:4566");
    let (sender, log) = mpsc::unbounded_channel();
    let sink = LogSink::new(move |line| {
        let _ = sender.send(line);
    });
    let services = Services::open(account.clone(), sink, store).unwrap();
    services.sqs.create_queue("told", &BTreeMap::new()).unwrap();
    let (lambda, logs) = (services.lambda.clone(), services.logs.clone());
    (Bench { lambda, account, logs, log }, services)
}

pub(super) async fn told(services: &Services) -> Received {
    let receive = Receive { max: 1, wait: Duration::from_secs(20), visibility: None };
    services.sqs.receive("told", receive).await.unwrap().pop().expect("a message")
}

pub(super) async fn end(bench: Bench, services: &Services) {
    bench.lambda.shutdown().await;
    services.destinations.disconnect();
}

pub(super) fn table(services: &Services) {
    let table = json!({
        "TableName": "things",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
    });
    services.dynamodb.execute("CreateTable", table.to_string().as_bytes()).unwrap();
    for key in ["a", "b"] {
        let put = json!({ "TableName": "things", "Item": { "pk": { "S": key } } });
        services.dynamodb.execute("PutItem", put.to_string().as_bytes()).unwrap();
    }
}

pub(super) fn asynchronous(config: EventInvokeConfig) -> FunctionSpec {
    FunctionSpec { asynchronous: EventInvokeConfig { configured: true, ..config }, ..spec("f", &[]) }
}

#[tokio::test]
async fn a_stream_tells_its_destination_where_the_records_are_and_not_what_they_say() {
    let (bench, services) = cloud();
    bench.lambda.create_function(spec("f", &[("FAIL", "pk")])).unwrap();
    table(&services);
    let mapping = StreamMapping {
        maximum_retry_attempts: Some(1),
        on_failure_arn: Some(services.sqs.arn("told")),
        ..StreamMapping::new("f", "things", StartingPosition::TrimHorizon)
    };
    bench.lambda.map_stream(services.dynamodb.clone(), mapping).unwrap();
    let document: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    let context = &document["requestContext"];
    assert_eq!(context["condition"], "RetryAttemptsExhausted");
    assert_eq!(context["approximateInvokeCount"], 2);
    assert_eq!(context["functionArn"], "arn:aws:lambda:eu-central-1:000000000000:function:f");
    assert!(context["requestId"].is_string() && document["timestamp"].is_string());
    let response = json!({ "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" });
    assert_eq!((&document["responseContext"], &document["version"]), (&response, &json!("1.0")));
    let batch = &document["DDBStreamBatchInfo"];
    assert_eq!(batch["batchSize"], 2);
    assert!(batch["shardId"].as_str().unwrap().starts_with("shardId-"), "{batch}");
    let first: u128 = batch["startSequenceNumber"].as_str().unwrap().parse().unwrap();
    let last: u128 = batch["endSequenceNumber"].as_str().unwrap().parse().unwrap();
    assert!(first < last);
    assert!(batch["streamArn"].as_str().unwrap().contains(":table/things/stream/"));
    assert!(batch["approximateArrivalOfFirstRecord"].as_str().unwrap().ends_with('Z'));
    assert_eq!(document["requestPayload"], Value::Null);
    end(bench, &services).await;
}

#[tokio::test]
async fn a_success_is_told_with_request_and_response() {
    let (bench, services) = cloud();
    let config = EventInvokeConfig { on_success_arn: Some(services.sqs.arn("told")), ..EventInvokeConfig::default() };
    bench.lambda.create_function(asynchronous(config)).unwrap();
    let request_id = bench.lambda.invoke_later("f", r#"{"n":7}"#.into(), None).unwrap();
    let record: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    let context = json!({
        "requestId": request_id,
        "functionArn": "arn:aws:lambda:eu-central-1:000000000000:function:f:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    });
    assert_eq!(record["requestContext"], context);
    assert_eq!((&record["requestPayload"], &record["responsePayload"]), (&json!({ "n": 7 }), &json!({ "n": 7 })));
    end(bench, &services).await;
}

#[tokio::test]
async fn without_retries_a_failure_is_told_and_dead_lettered_at_once() {
    let (bench, services) = cloud();
    services.sqs.create_queue("dead", &BTreeMap::new()).unwrap();
    let on_failure_arn = Some(services.sqs.arn("told"));
    let config = EventInvokeConfig { maximum_retry_attempts: 0, on_failure_arn, ..EventInvokeConfig::default() };
    let dead_letter_arn = Some(services.sqs.arn("dead"));
    bench.lambda.create_function(FunctionSpec { dead_letter_arn, ..asynchronous(config) }).unwrap();
    let request_id = bench.lambda.invoke_later("f", r#"{"do":"fail"}"#.into(), None).unwrap();
    let record: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    assert_eq!(record["responsePayload"]["errorMessage"], "as told");
    let receive = Receive { wait: Duration::from_secs(20), ..Receive::default() };
    let dead = services.sqs.receive("dead", receive).await.unwrap().pop().unwrap();
    assert_eq!(dead.body, r#"{"do":"fail"}"#);
    let attribute = |name: &str| format!("{:?}", dead.message_attributes[name].value);
    assert!(attribute("RequestID").contains(&request_id));
    assert!(attribute("ErrorCode").contains("200") && attribute("ErrorMessage").contains("as told"));
    end(bench, &services).await;
}

#[tokio::test]
async fn a_function_that_may_not_run_has_its_events_dead_lettered_without_retries() {
    let (bench, services) = cloud();
    let config = EventInvokeConfig { on_failure_arn: Some(services.sqs.arn("told")), ..EventInvokeConfig::default() };
    let stopped = FunctionSpec { reserved_concurrency: Some(0), ..asynchronous(config) };
    bench.lambda.create_function(stopped).unwrap();
    bench.lambda.invoke_later("f", "{}".into(), None).unwrap();
    let record: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 0);
    assert_eq!(bench.lambda.processes("f").unwrap(), [0; 0]);
    end(bench, &services).await;
}

#[tokio::test]
async fn a_bus_gets_the_record_as_an_event_of_lambda() {
    let (bench, services) = cloud();
    let pattern = json!({ "source": ["lambda"], "detail-type": ["Lambda Function Invocation Result - Success"] });
    let rule = Rule { name: "rule".to_owned(), pattern: Some(pattern.to_string()), ..Rule::default() };
    services.events.put_rule(rule).unwrap();
    let target = Target {
        id: "t".to_owned(),
        arn: services.sqs.arn("told"),
        dead_letter_arn: None,
        input: None,
        message_group_id: None,
        ..Target::default()
    };
    services.events.put_target("default", "rule", target).unwrap();
    let bus = bench.account.arn("events", "event-bus/default");
    let config = EventInvokeConfig { on_success_arn: Some(bus.clone()), ..EventInvokeConfig::default() };
    bench.lambda.create_function(asynchronous(config)).unwrap();
    bench.lambda.invoke_later("f", "{}".into(), None).unwrap();
    let event: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    let function = "arn:aws:lambda:eu-central-1:000000000000:function:f:$LATEST";
    assert_eq!(event["resources"], json!([bus, function]));
    assert_eq!(event["detail"]["requestContext"]["condition"], "Success");
    end(bench, &services).await;
}

#[tokio::test]
async fn a_function_gets_the_record_as_its_event() {
    let (mut bench, services) = cloud();
    let arn = bench.account.arn("lambda", "function:next");
    let config = EventInvokeConfig { on_success_arn: Some(arn), ..EventInvokeConfig::default() };
    bench.lambda.create_function(asynchronous(config)).unwrap();
    bench.lambda.create_function(spec("next", &[])).unwrap();
    bench.lambda.invoke_later("f", r#"{"n":1}"#.into(), None).unwrap();
    assert_eq!(bench.event().await, json!({ "n": 1 }));
    assert_eq!(bench.event().await["responsePayload"], json!({ "n": 1 }));
    end(bench, &services).await;
}

#[tokio::test]
async fn failed_events_are_tried_again_after_one_and_two_minutes_with_the_same_request_id() {
    let (mut bench, services) = cloud();
    let config = EventInvokeConfig { on_failure_arn: Some(services.sqs.arn("told")), ..EventInvokeConfig::default() };
    bench.lambda.create_function(asynchronous(config)).unwrap();
    let request_id = bench.lambda.invoke_later("f", r#"{"do":"fail"}"#.into(), None).unwrap();
    for delay in [60, 120] {
        let report = bench.report().await;
        assert!(report.contains(&format!("failed, next try in {delay} s: ")), "{report}");
        // The clock runs only while the retry is waited for: the process is real.
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(delay)).await;
        tokio::time::resume();
    }
    until(|| services.sqs.depth("told").unwrap().visible == 1).await;
    let record: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["requestContext"]["requestId"], json!(request_id));
    end(bench, &services).await;
}

#[tokio::test]
async fn with_a_data_folder_a_stream_goes_on_after_what_was_done() {
    let folder = Folder::new();
    let mapping = || StreamMapping::new("f", "things", StartingPosition::TrimHorizon);
    let key = |event: &Value| event["Records"][0]["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned();
    let (mut bench, services) = cloud_with(Store::open(&folder.0).unwrap());
    bench.lambda.create_function(spec("f", &[])).unwrap();
    table(&services);
    let one_by_one = StreamMapping { batch_size: 1, ..mapping() };
    bench.lambda.map_stream(services.dynamodb.clone(), one_by_one).unwrap();
    assert_eq!(key(&bench.event().await), "a");
    assert_eq!(key(&bench.event().await), "b");
    // The second is under way at the latest, so the first is done.
    end(bench, &services).await;
    let put = json!({ "TableName": "things", "Item": { "pk": { "S": "c" } } });
    services.dynamodb.execute("PutItem", put.to_string().as_bytes()).unwrap();
    drop(services);

    let (mut bench, services) = cloud_with(Store::open(&folder.0).unwrap());
    bench.lambda.create_function(spec("f", &[])).unwrap();
    bench.lambda.map_stream(services.dynamodb.clone(), mapping()).unwrap();
    let first = bench.event().await;
    assert_ne!(key(&first), "a", "done before");
    assert!(first.to_string().contains(r#""c""#), "{first}");
    end(bench, &services).await;
}
