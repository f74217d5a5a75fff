//! Lambda's REST API, over HTTP.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{Bench, http_api::Client};

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
    assert!(String::from_utf8(tail).unwrap().contains(r#"EVENT {"a":1}"#));

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

#[tokio::test]
async fn refusals_have_their_aws_names() {
    let bench = Bench::with_function(&[]);
    let client = Client::serve(bench.lambda.api()).await;
    let large = " ".repeat(6_291_457);
    for (method, path, body, status, code) in [
        ("POST", "/2015-03-31/functions/nobody/invocations", "{}", 404, "ResourceNotFoundException"),
        ("POST", "/2015-03-31/functions/f/invocations", "{", 400, "InvalidRequestContentException"),
        ("POST", "/2015-03-31/functions/f/invocations", &large, 413, "RequestTooLargeException"),
        ("POST", "/2015-03-31/functions", "{}", 501, "UnsupportedOperationException"),
    ] {
        let answer = client.send(method, path, &[], body).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (status, Some(code)), "{path}");
    }
    let list = client.send("GET", "/2015-03-31/functions/", &[], "").await;
    assert!(list.body.contains(r#""FunctionName":"f""#), "{}", list.body);
    bench.lambda.shutdown().await;
}
