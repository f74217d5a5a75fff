//! One invocation: what goes in, what comes out, what is reported when it fails.

use serde_json::{Value, json};

use super::{Bench, TIMEOUT, advance, json, kill};
use crate::lambda::LambdaError;

#[tokio::test]
async fn an_invocation_answers_what_the_function_answers() {
    let bench = Bench::with_function(&[]);
    let invocation = bench.invoke(json!({ "order": 7 })).await;
    assert_eq!(invocation.function_error, None);
    assert_eq!(json(&invocation), json!({ "order": 7 }));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_error_is_handed_on() {
    let bench = Bench::with_function(&[]);
    let invocation = bench.invoke(json!({ "do": "fail" })).await;
    assert_eq!(invocation.function_error.as_deref(), Some("Unhandled"));
    assert_eq!(json(&invocation), json!({ "errorType": "Boom", "errorMessage": "as told" }));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_runtime_learns_request_deadline_function_and_trace() {
    let bench = Bench::with_function(&[]);
    let now = chrono::Utc::now().timestamp_millis();
    let headers = json(&bench.invoke(json!({ "do": "headers" })).await);
    let deadline: i64 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    let answered = chrono::Utc::now().timestamp_millis();
    let begun = deadline - i64::try_from(TIMEOUT.as_millis()).unwrap();
    assert!((now..=answered).contains(&begun), "{deadline} is {TIMEOUT:?} after a time from {now} to {answered}");
    let arn = "arn:aws:lambda:eu-central-1:000000000000:function:f";
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], arn);
    assert_eq!(headers["lambda-runtime-aws-request-id"].as_str().unwrap().len(), 36);
    assert!(headers["lambda-runtime-trace-id"].as_str().unwrap().starts_with("Root=1-"));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_sees_its_own_variables_and_no_others() {
    let bench = Bench::with_function(&[("TABLE", "orders"), ("AWS_REGION", "mars-1")]);
    let variables = json(&bench.invoke(json!({ "do": "variables" })).await);
    assert_eq!(variables["TABLE"], "orders");
    assert_eq!(variables["AWS_REGION"], "eu-central-1", "reserved: the cloud says where it is");
    assert_eq!(variables["AWS_ENDPOINT_URL"], "http://127.0.0.1:4566");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_NAME"], "f");
    assert_eq!(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert_eq!(variables["TZ"], ":UTC");
    assert_eq!(variables["AWS_LAMBDA_LOG_GROUP_NAME"], "/aws/lambda/f");
    assert!(variables["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap().contains("/[$LATEST]"));
    assert_eq!(
        (&variables["_HANDLER"], &variables["AWS_LAMBDA_FUNCTION_VERSION"]),
        (&"bootstrap".into(), &"$LATEST".into())
    );
    assert!(variables["LAMBDA_TASK_ROOT"].as_str().unwrap().ends_with("lambda/tests"));
    assert_eq!(variables["AWS_EXECUTION_ENV"], Value::Null, "not defined for custom runtimes");
    assert_eq!(variables["CARGO_MANIFEST_DIR"], Value::Null, "the cloud's own environment is not inherited");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed_and_replaced() {
    let mut bench = Bench::with_function(&[]);
    bench.lambda.start("f").await.unwrap();
    let before = bench.lambda.processes("f").unwrap();
    let lambda = bench.lambda.clone();
    let invoked = tokio::spawn(async move { lambda.invoke("f", r#"{"do":"hang"}"#.into()).await });
    bench.event().await;
    assert!(!invoked.is_finished());
    advance(TIMEOUT).await;
    let invocation = invoked.await.unwrap().unwrap();
    assert_eq!(invocation.function_error.as_deref(), Some("Unhandled"));
    let error = json(&invocation);
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.starts_with("RequestId: ") && message.ends_with(" Error: Task timed out after 300.00 seconds"));
    assert!(!super::runs(before[0]), "killed and reaped before the caller is told");
    assert_eq!(bench.invoke(json!({ "again": true })).await.function_error, None);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_process_that_exits_during_an_invocation_fails_it() {
    let bench = Bench::with_function(&[]);
    let error = json(&bench.invoke(json!({ "do": "exit", "code": 9 })).await);
    assert_eq!(error["errorType"], "Runtime.ExitError");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.ends_with(" Error: Runtime exited with error: exit status 9"), "{message}");
    assert_eq!(bench.invoke(json!({ "again": true })).await.function_error, None);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_process_that_is_killed_during_an_invocation_fails_it() {
    let mut bench = Bench::with_function(&[]);
    bench.lambda.start("f").await.unwrap();
    let lambda = bench.lambda.clone();
    let invoked = tokio::spawn(async move { lambda.invoke("f", r#"{"do":"hang"}"#.into()).await });
    bench.event().await;
    kill(bench.lambda.processes("f").unwrap()[0]);
    let error = json(&invoked.await.unwrap().unwrap());
    assert_eq!(error["errorType"], "Runtime.ExitError");
    assert!(error["errorMessage"].as_str().unwrap().ends_with("Runtime exited with error: signal: killed"));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_acknowledged_answer_counts_although_the_process_ends_at_once() {
    let bench = Bench::with_function(&[]);
    for _ in 0..5 {
        let invocation = bench.invoke(json!({ "then": "exit" })).await;
        assert_eq!(invocation.function_error, None, "{:?}", invocation.payload);
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn payloads_have_limits() {
    let bench = Bench::with_function(&[]);
    let refused = bench.lambda.invoke("f", vec![b'1'; 6_291_457].into()).await;
    assert!(matches!(refused, Err(LambdaError::RequestTooLarge { .. })), "{refused:?}");
    let error = json(&bench.invoke(json!({ "do": "large" })).await);
    assert_eq!(error["errorType"], "Function.ResponseSizeTooLarge");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_unknown_function_is_named() {
    let bench = Bench::new();
    let refused = bench.lambda.invoke("f", "{}".into()).await.unwrap_err();
    assert_eq!(refused.to_string(), "Function not found: arn:aws:lambda:eu-central-1:000000000000:function:f");
}
