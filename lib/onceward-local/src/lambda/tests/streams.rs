//! A table's stream as an event source.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Bench, freeze};
use crate::{
    dynamodb::DynamoDb,
    lambda::{LambdaError, StartingPosition, StreamMapping},
};

/// A table with a stream, `things`, and a function, `f`, that is not mapped yet.
fn table(environment: &[(&str, &str)]) -> (Bench, DynamoDb) {
    let bench = Bench::with_function(environment);
    let dynamodb = DynamoDb::new(bench.account.clone()).unwrap();
    let table = json!({
        "TableName": "things",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    dynamodb.execute("CreateTable", table.to_string().as_bytes()).unwrap();
    (bench, dynamodb)
}

fn put(dynamodb: &DynamoDb, key: &str) {
    let put = json!({ "TableName": "things", "Item": { "pk": { "S": key }, "n": { "N": "1" } } });
    dynamodb.execute("PutItem", put.to_string().as_bytes()).unwrap();
}

fn mapping() -> StreamMapping {
    StreamMapping::new("f", "things", StartingPosition::TrimHorizon)
}

fn keys(event: &Value) -> Vec<&str> {
    let records = event["Records"].as_array().unwrap();
    records.iter().map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_change_is_a_record_as_lambda_words_it() {
    let (mut bench, dynamodb) = table(&[]);
    bench.lambda.map_stream(dynamodb.clone(), mapping()).unwrap();
    put(&dynamodb, "a");
    let event = bench.event().await;
    let record = &event["Records"][0];
    assert_eq!((&record["eventName"], &record["eventVersion"]), (&json!("INSERT"), &json!("1.1")));
    assert_eq!((&record["eventSource"], &record["awsRegion"]), (&json!("aws:dynamodb"), &json!("eu-central-1")));
    let arn = record["eventSourceARN"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:dynamodb:eu-central-1:000000000000:table/things/stream/"), "{arn}");
    assert!(!record["eventID"].as_str().unwrap().is_empty());
    let change = &record["dynamodb"];
    assert_eq!(change["Keys"], json!({ "pk": { "S": "a" } }));
    assert_eq!(change["NewImage"], json!({ "pk": { "S": "a" }, "n": { "N": "1" } }));
    assert_eq!(change["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert!(change["SequenceNumber"].is_string() && change["SizeBytes"].is_u64());
    assert!(change["ApproximateCreationDateTime"].is_number());
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_warm_function_is_invoked_as_soon_as_something_is_written() {
    let (mut bench, dynamodb) = table(&[]);
    bench.lambda.map_stream(dynamodb.clone(), mapping()).unwrap();
    put(&dynamodb, "warm");
    bench.event().await;
    // Nothing between a write and its invocation waits for time to pass.
    let frozen = freeze();
    for key in 0..20 {
        put(&dynamodb, &key.to_string());
        assert_eq!(keys(&bench.event().await), [key.to_string()]);
    }
    drop(frozen);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn records_a_filter_refuses_are_not_seen() {
    let (mut bench, dynamodb) = table(&[]);
    let filter = json!(r#"{"eventName":["INSERT"],"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"keep"}]}}}}"#);
    bench.lambda.map_stream(dynamodb.clone(), StreamMapping { filters: vec![filter], ..mapping() }).unwrap();
    for key in ["keep-1", "drop-1", "drop-2", "keep-2"] {
        put(&dynamodb, key);
    }
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(keys(&bench.event().await).into_iter().map(str::to_owned));
    }
    assert_eq!(seen, ["keep-1", "keep-2"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn latest_begins_with_what_is_written_after_the_mapping() {
    let (mut bench, dynamodb) = table(&[]);
    put(&dynamodb, "before");
    let latest = StreamMapping { starting_position: StartingPosition::Latest, ..mapping() };
    bench.lambda.map_stream(dynamodb.clone(), latest).unwrap();
    put(&dynamodb, "after");
    assert_eq!(keys(&bench.event().await), ["after"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_failed_batch_comes_again_before_anything_later() {
    let (mut bench, dynamodb) = table(&[("FAIL", "b"), ("FAIL_TIMES", "2")]);
    put(&dynamodb, "a");
    put(&dynamodb, "b");
    bench.lambda.map_stream(dynamodb.clone(), mapping()).unwrap();
    assert_eq!(keys(&bench.event().await), ["a", "b"]);
    put(&dynamodb, "c");
    assert_eq!(keys(&bench.event().await), ["a", "b"]);
    assert_eq!(keys(&bench.event().await), ["a", "b"]);
    assert_eq!(keys(&bench.event().await), ["c"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_partial_response_resumes_at_the_lowest_failure() {
    let (mut bench, dynamodb) = table(&[("FAIL", "bad"), ("FAIL_TIMES", "1"), ("PARTIAL", "1")]);
    for key in ["a", "bad1", "c", "bad2", "e"] {
        put(&dynamodb, key);
    }
    let partial = StreamMapping { report_batch_item_failures: true, ..mapping() };
    bench.lambda.map_stream(dynamodb.clone(), partial).unwrap();
    assert_eq!(keys(&bench.event().await), ["a", "bad1", "c", "bad2", "e"]);
    assert_eq!(keys(&bench.event().await), ["bad1", "c", "bad2", "e"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_bisected_batch_skips_only_what_cannot_be_done_and_says_so() {
    let (mut bench, dynamodb) = table(&[("FAIL", "\"bad\"")]);
    for key in ["a", "b", "bad", "d"] {
        put(&dynamodb, key);
    }
    let bisecting = StreamMapping { bisect: true, maximum_retry_attempts: Some(1), ..mapping() };
    bench.lambda.map_stream(dynamodb.clone(), bisecting).unwrap();
    for expected in [&["a", "b", "bad", "d"][..], &["a", "b"], &["bad", "d"], &["bad"], &["bad"]] {
        assert_eq!(keys(&bench.event().await), expected);
    }
    let skipped = loop {
        let report = bench.report().await;
        if report.contains("SKIPPED") {
            break report;
        }
    };
    assert!(skipped.contains("after 2 attempts, with no on-failure destination: 1 records, "), "{skipped}");
    assert_eq!(keys(&bench.event().await), ["d"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn with_bisect_a_partial_response_splits_where_it_says() {
    let (mut bench, dynamodb) = table(&[("FAIL", "\"bad\""), ("PARTIAL", "1")]);
    for key in ["a", "bad", "c", "d"] {
        put(&dynamodb, key);
    }
    let both =
        StreamMapping { bisect: true, report_batch_item_failures: true, maximum_retry_attempts: Some(0), ..mapping() };
    bench.lambda.map_stream(dynamodb.clone(), both).unwrap();
    for expected in [&["a", "bad", "c", "d"][..], &["bad", "c", "d"], &["bad"], &["c", "d"]] {
        assert_eq!(keys(&bench.event().await), expected);
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_halves_of_a_bisected_batch_take_in_no_other_records() {
    let (mut bench, dynamodb) = table(&[("FAIL", "\"bad\""), ("FAIL_TIMES", "1")]);
    for key in ["a", "bad", "c", "d", "e", "f"] {
        put(&dynamodb, key);
    }
    bench.lambda.map_stream(dynamodb.clone(), StreamMapping { bisect: true, batch_size: 4, ..mapping() }).unwrap();
    for expected in [&["a", "bad", "c", "d"][..], &["a", "bad"], &["c", "d"], &["e", "f"]] {
        assert_eq!(keys(&bench.event().await), expected);
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_batching_window_collects_records_and_a_full_batch_does_not_wait() {
    let (mut bench, dynamodb) = table(&[]);
    let windowed = StreamMapping { batching_window: Duration::from_mins(1), batch_size: 3, ..mapping() };
    bench.lambda.map_stream(dynamodb.clone(), windowed).unwrap();
    bench.lambda.start("f").await.unwrap();
    for key in ["a", "b", "c"] {
        put(&dynamodb, key);
    }
    assert_eq!(keys(&bench.event().await), ["a", "b", "c"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn with_a_parallelization_factor_items_go_on_beside_one_that_fails_and_keep_their_order() {
    let (mut bench, dynamodb) = table(&[("FAIL", "\"bad\"")]);
    put(&dynamodb, "bad");
    let parallel = StreamMapping { parallelization_factor: 2, batch_size: 1, ..mapping() };
    bench.lambda.map_stream(dynamodb.clone(), parallel).unwrap();
    assert_eq!(keys(&bench.event().await), ["bad"]);
    let mut numbers = Vec::new();
    for n in 1..=5 {
        let put = json!({ "TableName": "things", "Item": { "pk": { "S": "good" }, "n": { "N": n.to_string() } } });
        dynamodb.execute("PutItem", put.to_string().as_bytes()).unwrap();
    }
    while numbers.len() < 5 {
        let event = bench.event().await;
        if keys(&event) == ["good"] {
            numbers.push(event["Records"][0]["dynamodb"]["NewImage"]["n"]["N"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(numbers, ["1", "2", "3", "4", "5"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_window_hands_its_state_on_and_is_told_its_end() {
    let (mut bench, dynamodb) = table(&[]);
    let windowed = StreamMapping { tumbling_window: Some(Duration::from_secs(1)), batch_size: 1, ..mapping() };
    put(&dynamodb, "a");
    bench.lambda.map_stream(dynamodb.clone(), windowed).unwrap();
    let first = bench.event().await;
    assert_eq!((&first["state"], &first["isFinalInvokeForWindow"]), (&json!({}), &json!(false)));
    assert!(first["shardId"].is_string() && first["eventSourceARN"].is_string());
    assert!(first["window"]["start"].is_string() && first["window"]["end"].is_string());
    let last = bench.event().await;
    assert_eq!((&last["Records"], &last["isFinalInvokeForWindow"]), (&json!([]), &json!(true)));
    assert_eq!((&last["state"]["count"], &last["isWindowTerminatedEarly"]), (&json!(1), &json!(false)));
    assert_eq!(last["window"], first["window"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_window_whose_state_grows_too_large_ends_early() {
    let (mut bench, dynamodb) = table(&[("LARGE_STATE", "1")]);
    let windowed = StreamMapping { tumbling_window: Some(Duration::from_mins(15)), ..mapping() };
    put(&dynamodb, "a");
    bench.lambda.map_stream(dynamodb.clone(), windowed).unwrap();
    assert_eq!(bench.event().await["isFinalInvokeForWindow"], false);
    // The event with the state is longer than a line of the log: what follows it tells that it was there.
    put(&dynamodb, "b");
    let next = bench.event().await;
    assert_eq!((&next["state"], keys(&next)), (&json!({}), vec!["b"]));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_window_without_a_state_in_the_response_has_failed() {
    let (mut bench, dynamodb) = table(&[("STATELESS", "1")]);
    let windowed =
        StreamMapping { tumbling_window: Some(Duration::from_mins(15)), maximum_retry_attempts: Some(0), ..mapping() };
    put(&dynamodb, "a");
    bench.lambda.map_stream(dynamodb.clone(), windowed).unwrap();
    let report = bench.report().await;
    assert!(report.contains("SKIPPED") && report.contains("the response has no `state`"), "{report}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_mapping_that_cannot_work_is_refused() {
    let (bench, dynamodb) = table(&[]);
    let map = |mapping| bench.lambda.map_stream(dynamodb.clone(), mapping).unwrap_err();
    let error = map(StreamMapping { function: "nobody".to_owned(), ..mapping() });
    assert!(matches!(error, LambdaError::FunctionNotFound { .. }), "{error}");
    let error = map(StreamMapping { table: "nothing".to_owned(), ..mapping() });
    assert!(matches!(error, LambdaError::NoStream { .. }), "{error}");
    let error = map(StreamMapping { filters: vec![json!("{")], ..mapping() });
    assert!(matches!(error, LambdaError::InvalidFilter { .. }), "{error}");
}
