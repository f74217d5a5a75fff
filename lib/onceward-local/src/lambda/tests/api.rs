//! Lambda's REST API, over HTTP.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{Bench, http_api::Client, spec};
use crate::{
    lambda::{EventInvokeConfig, FunctionSpec, SqsMapping},
    sqs::Sqs,
    wire::{AwsRequest, Protocol},
};

#[tokio::test]
async fn invoke_answers_outcome_version_and_log() {
    let bench = Bench::with_function(&[]);
    let client = Client::serve(bench.lambda.api()).await;
    let path = "/2015-03-31/functions/f/invocations";
    let answer = client.send("POST", path, &[("x-amz-log-type", "Tail")], r#"{"a":1}"#).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"a":1}"#));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("x-amz-function-error"), None);
    let tail = STANDARD.decode(answer.header("x-amz-log-result").unwrap()).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    let request_id = answer.header("x-amzn-requestid").unwrap();
    let lines: Vec<&str> = tail.lines().collect();
    assert_eq!(lines[0], format!("START RequestId: {request_id} Version: $LATEST"));
    assert!(lines.contains(&r#"EVENT {"a":1}"#), "{tail}");
    assert_eq!(lines[lines.len() - 2], format!("END RequestId: {request_id}"));
    let report = lines[lines.len() - 1];
    assert!(report.starts_with(&format!("REPORT RequestId: {request_id}\tDuration: ")), "{report}");
    assert!(report.contains("\tBilled Duration: ") && report.contains("\tInit Duration: "), "a cold start: {report}");
    let warm = client.send("POST", path, &[("x-amz-log-type", "Tail")], "{}").await;
    let tail = STANDARD.decode(warm.header("x-amz-log-result").unwrap()).unwrap();
    assert!(!String::from_utf8(tail).unwrap().contains("Init Duration"), "no init phase when warm");

    let arn = "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-central-1%3A000000000000%3Afunction%3Af/invocations";
    let answer = client.send("POST", arn, &[], r#"{"do":"fail"}"#).await;
    assert_eq!((answer.status, answer.header("x-amz-function-error")), (200, Some("Unhandled")));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_event_is_accepted_and_a_dry_run_runs_nothing() {
    let mut bench = Bench::with_function(&[]);
    let client = Client::serve(bench.lambda.api()).await;
    let path = "/2015-03-31/functions/f/invocations";
    let dry = client.send("POST", path, &[("x-amz-invocation-type", "DryRun")], r#"{"dry":1}"#).await;
    assert_eq!(dry.status, 204);
    let event = client.send("POST", path, &[("x-amz-invocation-type", "Event")], r#"{"later":1}"#).await;
    assert_eq!(event.status, 202);
    assert_eq!(bench.event().await, json!({ "later": 1 }));
    bench.lambda.shutdown().await;
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#lambda-Invoke-request-ClientContext>
#[tokio::test]
async fn a_client_context_reaches_the_runtime_as_json() {
    let bench = Bench::with_function(&[]);
    let client = Client::serve(bench.lambda.api()).await;
    let path = "/2015-03-31/functions/f/invocations";
    let invoke = async |context: &str| {
        client.send("POST", path, &[("x-amz-client-context", context)], r#"{"do":"headers"}"#).await
    };
    let answer = invoke(&STANDARD.encode("{\n\"custom\": {\"shop\": 7}}")).await;
    let headers: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(headers["lambda-runtime-client-context"], r#"{"custom":{"shop":7}}"#);
    for context in ["%", &STANDARD.encode("no object")] {
        let refused = invoke(context).await;
        let code = refused.header("x-amzn-errortype");
        assert_eq!((refused.status, code), (400, Some("InvalidParameterValueException")), "{context}");
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn refusals_have_their_aws_names() {
    let bench = Bench::with_function(&[]);
    let client = Client::serve(bench.lambda.api()).await;
    let large = " ".repeat(6_291_457);
    for (method, path, body, status, code) in [
        ("POST", "/2015-03-31/functions/nobody/invocations", "{}", 404, "ResourceNotFoundException"),
        ("POST", "/2015-03-31/functions/f/invocations", "{", 400, "InvalidRequestContentException"),
        ("POST", "/2015-03-31/functions/f/invocations", &large, 413, "RequestTooLargeException"),
        ("POST", "/2015-03-31/functions/f/invocations?Qualifier=live", "{}", 404, "ResourceNotFoundException"),
        ("POST", "/2015-03-31/functions/f:1/invocations", "{}", 404, "ResourceNotFoundException"),
        ("POST", "/2015-03-31/functions/f:a/invocations?Qualifier=b", "{}", 400, "InvalidParameterValueException"),
        ("POST", "/2015-03-31/functions", "{}", 501, "UnsupportedOperationException"),
        ("DELETE", "/2015-03-31/functions/f", "", 501, "UnsupportedOperationException"),
        ("PUT", "/2017-10-31/functions/f/concurrency", "{}", 501, "UnsupportedOperationException"),
        ("POST", "/2015-03-31/event-source-mappings/", "{}", 501, "UnsupportedOperationException"),
        ("PUT", "/2019-09-25/functions/f/event-invoke-config", "{}", 501, "UnsupportedOperationException"),
        ("GET", "/2019-09-25/functions/f/event-invoke-config", "", 404, "ResourceNotFoundException"),
        ("GET", "/2015-03-31/functions/f/policy", "", 404, "ResourceNotFoundException"),
        ("GET", "/2015-03-31/event-source-mappings/none", "", 404, "ResourceNotFoundException"),
    ] {
        let answer = client.send(method, path, &[], body).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (status, Some(code)), "{path}");
    }
    let list = client.send("GET", "/2015-03-31/functions/", &[], "").await;
    assert!(list.body.contains(r#""FunctionName":"f""#), "{}", list.body);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn what_would_change_functions_is_refused_by_the_name_of_its_action() {
    let bench = Bench::with_function(&[]);
    let client = Client::serve(bench.lambda.api()).await;
    for (method, path, action) in [
        ("POST", "/2015-03-31/functions", "CreateFunction"),
        ("DELETE", "/2015-03-31/functions/f", "DeleteFunction"),
        ("DELETE", "/2017-10-31/functions/f/concurrency", "DeleteFunctionConcurrency"),
        ("PUT", "/2015-03-31/event-source-mappings/1", "UpdateEventSourceMapping"),
        ("POST", "/2014-11-13/functions/f/invoke-async", "InvokeAsync (use"),
        ("PATCH", "/2015-03-31/functions/f", "PATCH /2015-03-31/functions/f"),
    ] {
        let answer = client.send(method, path, &[], "{}").await;
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        let message = body["message"].as_str().unwrap();
        assert!(answer.status == 501 && message.starts_with(action), "{method} {path}: {message}");
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_of_another_account_or_region_is_not_here() {
    let bench = Bench::with_function(&[]);
    for (arn, is_here) in [
        ("arn:aws:lambda:eu-central-1:000000000000:function:f", true),
        ("000000000000:function:f", true),
        ("function:f", true),
        ("arn:aws:lambda:us-east-1:000000000000:function:f", false),
        ("111111111111:function:f", false),
    ] {
        assert_eq!(bench.lambda.invoke(arn, "{}".into()).await.is_ok(), is_here, "{arn}");
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_only_version_is_latest() {
    let bench = Bench::with_function(&[]);
    let client = Client::serve(bench.lambda.api()).await;
    for path in ["f/invocations?Qualifier=%24LATEST", "f:$LATEST/invocations"] {
        let answer = client.send("POST", &format!("/2015-03-31/functions/{path}"), &[], "{}").await;
        assert_eq!((answer.status, answer.header("x-amz-executed-version")), (200, Some("$LATEST")), "{path}");
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn functions_and_their_mappings_are_described() {
    let bench = Bench::new();
    let asynchronous =
        EventInvokeConfig { maximum_retry_attempts: 1, configured: true, ..EventInvokeConfig::default() };
    let function = FunctionSpec { asynchronous, reserved_concurrency: Some(3), ..spec("f", &[]) };
    bench.lambda.create_function(function).unwrap();
    let sqs = Sqs::new(bench.account.clone());
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
    let mapping = SqsMapping {
        function: "f".to_owned(),
        queue_arn: sqs.arn("q"),
        batch_size: 7,
        batching_window: Duration::from_secs(2),
        maximum_concurrency: Some(2),
        report_batch_item_failures: true,
        filters: vec![json!({ "body": ["x"] })],
    };
    bench.lambda.map_sqs(sqs.clone(), mapping).unwrap();
    let client = Client::serve(bench.lambda.api()).await;
    let get = async |path: &str| {
        let answer = client.send("GET", path, &[], "").await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str::<Value>(&answer.body).unwrap()
    };
    assert_eq!(get("/2019-09-30/functions/f/concurrency").await, json!({ "ReservedConcurrentExecutions": 3 }));
    let config = get("/2019-09-25/functions/f/event-invoke-config").await;
    assert_eq!((&config["MaximumRetryAttempts"], &config["MaximumEventAgeInSeconds"]), (&json!(1), &json!(21_600)));
    let configs = get("/2019-09-25/functions/f/event-invoke-config/list").await;
    assert_eq!(configs["FunctionEventInvokeConfigs"][0], config);
    let listed = get("/2015-03-31/event-source-mappings/?FunctionName=f").await;
    let mapping = &listed["EventSourceMappings"][0];
    assert_eq!((&mapping["BatchSize"], &mapping["State"]), (&json!(7), &json!("Enabled")));
    assert_eq!(mapping["ScalingConfig"], json!({ "MaximumConcurrency": 2 }));
    assert_eq!(mapping["FilterCriteria"]["Filters"][0]["Pattern"], r#"{"body":["x"]}"#);
    let one = get(&format!("/2015-03-31/event-source-mappings/{}", mapping["UUID"].as_str().unwrap())).await;
    assert_eq!(one, *mapping);
    let others = get("/2015-03-31/event-source-mappings/?EventSourceArn=arn%3Aother").await;
    assert_eq!(others["EventSourceMappings"], json!([]));
    let settings = get("/2016-08-19/account-settings/").await;
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 997);
    let arn = "arn%3Aaws%3Alambda%3Aeu-central-1%3A000000000000%3Afunction%3Af";
    assert_eq!(get(&format!("/2017-03-31/tags/{arn}")).await, json!({ "Tags": {} }));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn what_a_function_prints_is_in_its_log_group_with_lambdas_own_lines() {
    let bench = Bench::with_function(&[]);
    bench.invoke(json!({ "n": 1 })).await;
    let request = AwsRequest {
        protocol: Protocol::Json { content_type: "application/x-amz-json-1.1" },
        action: "FilterLogEvents".to_owned(),
        path: "/".to_owned(),
        body: json!({ "logGroupName": "/aws/lambda/f" }).to_string().into(),
    };
    let answer: Value = serde_json::from_slice(&bench.logs.handle(request).await.body).unwrap();
    let events = answer["events"].as_array().unwrap();
    let place = |start: &str| {
        let found = events.iter().position(|event| event["message"].as_str().unwrap().starts_with(start));
        found.unwrap_or_else(|| panic!("no {start} in {answer}"))
    };
    assert!(place("START RequestId: ") < place("EVENT {\"n\":1}"));
    assert!(place("EVENT ") < place("END RequestId: ") && place("END ") < place("REPORT RequestId: "));
    let stream = events[0]["logStreamName"].as_str().unwrap();
    assert!(stream.contains("/[$LATEST]"), "{stream}");
    bench.lambda.shutdown().await;
}
