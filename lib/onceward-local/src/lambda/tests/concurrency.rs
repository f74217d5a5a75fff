//! `ReservedConcurrentExecutions`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Bench, http_api::Client, spec};
use crate::lambda::{FunctionSpec, LambdaError};

fn reserved(reserved: usize) -> Bench {
    let bench = Bench::new();
    bench.lambda.create_function(FunctionSpec { reserved_concurrency: Some(reserved), ..spec("f", &[]) }).unwrap();
    bench
}

#[tokio::test]
async fn reserved_concurrency_of_zero_throttles_every_invocation() {
    let bench = reserved(0);
    let client = Client::serve(bench.lambda.api()).await;
    let answer = client.send("POST", "/2015-03-31/functions/f/invocations", &[], "{}").await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (429, Some("TooManyRequestsException")));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&body["Type"], &body["Message"]), (&json!("User"), &json!("Rate Exceeded.")));
    assert_eq!(body["Reason"], "ReservedFunctionConcurrentInvocationLimitExceeded");
    assert_eq!(bench.lambda.processes("f").unwrap(), [0; 0]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn more_invocations_than_reserved_are_throttled() {
    let bench = reserved(1);
    bench.lambda.start("f").await.unwrap();
    let sleep = || bench.lambda.invoke("f", json!({ "do": "sleep", "ms": 300 }).to_string().into());
    let outcomes = join_all([sleep(), sleep(), sleep()]).await;
    let throttled = |outcome: &&Result<_, _>| matches!(outcome, Err(LambdaError::Throttled { .. }));
    assert_eq!(outcomes.iter().filter(throttled).count(), 2, "{outcomes:?}");
    assert!(sleep().await.is_ok());
    bench.lambda.shutdown().await;
}
