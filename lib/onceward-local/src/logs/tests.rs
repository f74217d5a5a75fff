use serde_json::{Value, json};

use super::{Logs, store::LOG_EVENTS_MAX};
use crate::{
    account::Account,
    wire::{AwsRequest, Protocol},
};

const GROUP: &str = "/aws/lambda/f";

fn logs(lines: &[(&str, &str)]) -> Logs {
    let logs = Logs::new(Account::new("eu-west-1", "http://127.0.0.1:4566"));
    logs.create_group(GROUP);
    for (stream, line) in lines {
        logs.put(GROUP, "f", stream, line);
    }
    logs
}

async fn call(logs: &Logs, action: &str, input: Value) -> (u16, Value) {
    let request = AwsRequest {
        protocol: Protocol::Json { content_type: "application/x-amz-json-1.1" },
        action: action.to_owned(),
        path: "/".to_owned(),
        body: input.to_string().into(),
    };
    let answer = logs.handle(request).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn messages(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn groups_and_streams_are_described() {
    let logs = logs(&[("b", "1"), ("a", "2")]);
    logs.create_group("/other");
    let (status, groups) = call(&logs, "DescribeLogGroups", json!({ "logGroupNamePrefix": "/aws/lambda" })).await;
    assert_eq!((status, groups["logGroups"].as_array().unwrap().len()), (200, 1));
    assert_eq!(groups["logGroups"][0]["arn"], "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/f:*");
    let (_, streams) = call(&logs, "DescribeLogStreams", json!({ "logGroupName": GROUP })).await;
    let names = |streams: &Value| {
        let streams = streams["logStreams"].as_array().unwrap().clone();
        streams.iter().map(|stream| stream["logStreamName"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&streams), ["a", "b"]);
    let latest = json!({ "logGroupName": GROUP, "orderBy": "LogStreamName", "descending": true, "limit": 1 });
    let (_, streams) = call(&logs, "DescribeLogStreams", latest).await;
    assert_eq!((names(&streams), &streams["nextToken"]), (vec!["b".to_owned()], &json!("1")));
}

#[tokio::test]
async fn events_are_filtered_by_terms_time_and_stream_and_come_in_pages() {
    let logs = logs(&[("a", "ERROR one two"), ("b", "INFO two"), ("a", "ERROR three")]);
    for (pattern, expected) in [
        ("", vec!["ERROR one two", "INFO two", "ERROR three"]),
        ("ERROR", vec!["ERROR one two", "ERROR three"]),
        ("ERROR -three", vec!["ERROR one two"]),
        ("\"one two\"", vec!["ERROR one two"]),
        ("?INFO ?three", vec!["INFO two", "ERROR three"]),
    ] {
        let input = json!({ "logGroupName": GROUP, "filterPattern": pattern, "interleaved": true });
        assert_eq!(messages(&call(&logs, "FilterLogEvents", input).await.1), expected, "{pattern}");
    }
    let stream = json!({ "logGroupName": GROUP, "logStreamNames": ["b"] });
    assert_eq!(messages(&call(&logs, "FilterLogEvents", stream).await.1), ["INFO two"]);
    let future = json!({ "logGroupName": GROUP, "startTime": 99_999_999_999_999_i64 });
    assert_eq!(messages(&call(&logs, "FilterLogEvents", future).await.1), [""; 0]);
    let (_, first) = call(&logs, "FilterLogEvents", json!({ "logGroupName": GROUP, "limit": 2 })).await;
    assert_eq!(messages(&first), ["ERROR one two", "INFO two"]);
    let rest = json!({ "logGroupName": GROUP, "limit": 2, "nextToken": first["nextToken"] });
    let (_, rest) = call(&logs, "FilterLogEvents", rest).await;
    assert_eq!((messages(&rest), &rest["nextToken"]), (vec!["ERROR three"], &Value::Null));
}

#[tokio::test]
async fn a_streams_events_are_read_forwards_and_at_the_end_the_token_stays() {
    let logs = logs(&[("a", "1"), ("a", "2"), ("b", "x"), ("a", "3")]);
    let get = |token: Value| {
        let stream = json!({ "logGroupIdentifier": "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/f:*",
            "logStreamName": "a", "limit": 2, "startFromHead": true, "nextToken": token });
        call(&logs, "GetLogEvents", stream)
    };
    let (_, first) = get(Value::Null).await;
    assert_eq!(messages(&first), ["1", "2"]);
    let (_, second) = get(first["nextForwardToken"].clone()).await;
    assert_eq!(messages(&second), ["3"]);
    let (_, end) = get(second["nextForwardToken"].clone()).await;
    assert_eq!((messages(&end).len(), &end["nextForwardToken"]), (0, &second["nextForwardToken"]));
    let (_, back) = get(second["nextBackwardToken"].clone()).await;
    assert_eq!(messages(&back), ["1", "2"]);
}

#[tokio::test]
async fn refusals_have_their_aws_names() {
    let logs = logs(&[]);
    for (action, input, code) in [
        ("FilterLogEvents", json!({ "logGroupName": "/no" }), "ResourceNotFoundException"),
        ("GetLogEvents", json!({ "logGroupName": GROUP, "logStreamName": "no" }), "ResourceNotFoundException"),
        ("FilterLogEvents", json!({}), "InvalidParameterException"),
        (
            "FilterLogEvents",
            json!({ "logGroupName": GROUP, "filterPattern": "{ $.a = 1 }" }),
            "InvalidParameterException",
        ),
        ("PutLogEvents", json!({}), "UnknownOperationException"),
    ] {
        let (status, error) = call(&logs, action, input).await;
        assert_eq!((status, error["__type"].as_str()), (400, Some(code)), "{action}: {error}");
    }
}

#[tokio::test]
async fn a_functions_oldest_lines_make_room() {
    let logs = logs(&[]);
    for line in 0..=LOG_EVENTS_MAX {
        logs.put(GROUP, "f", "a", &line.to_string());
    }
    logs.put(GROUP, "g", "b", "another function's");
    let first = json!({ "logGroupName": GROUP, "limit": 1 });
    assert_eq!(messages(&call(&logs, "FilterLogEvents", first).await.1), ["1"]);
}
