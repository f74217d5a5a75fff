//! What goes wrong with functions on purpose.

use serde_json::{Value, json};
use tokio::time::timeout;

use super::http_api::Client;
use super::{Bench, PATIENCE, json, spec};
use crate::faults::{Faults, Plan};
use crate::lambda::{Cors, Route};
use crate::wire::{AwsRequest, Protocol};

/// A Lambda with the function `f`, and its faults.
fn faulty() -> (Bench, Faults) {
    let (mut bench, faults) = (Bench::new(), Faults::default());
    bench.lambda = bench.lambda.with_faults(faults.clone());
    bench.lambda.create_function(spec("f", &[])).unwrap();
    (bench, faults)
}

fn inject(faults: &Faults, spec: &str) {
    faults.set(Plan { seed: Some(7), rules: vec![spec.parse().unwrap()] }).unwrap();
}

#[tokio::test]
async fn a_process_killed_on_purpose_has_started_before() {
    let (bench, faults) = faulty();
    let (nap, hang) = (|| json!({}), || json!({ "do": "hang" }));

    inject(&faults, "lambda:kill=before,limit=1");
    assert_eq!(bench.invoke(nap()).await.function_error, None, "another process took it");
    assert_eq!(faults.counts().1[0].injected, 1);
    let first = bench.lambda.processes("f").unwrap();
    for _ in 0..2 {
        inject(&faults, "lambda:kill,limit=1,latency_ms=50");
        let killed = bench.invoke(hang()).await;
        assert_eq!(json(&killed)["errorType"], "Runtime.ExitError", "{killed:?}");
        assert!(!String::from_utf8_lossy(&killed.payload).contains("did not start"));
    }
    assert_eq!(bench.invoke(nap()).await.function_error, None, "the function is not taken for one that does not start");
    assert_ne!(bench.lambda.processes("f").unwrap(), first);
    bench.lambda.shutdown().await;
}

/// How often the log says that a request was begun.
async fn started(bench: &Bench, request_id: &str) -> usize {
    let pattern = format!("\"START RequestId: {request_id}\"");
    let request = AwsRequest {
        protocol: Protocol::Json { content_type: "application/x-amz-json-1.1" },
        action: "FilterLogEvents".to_owned(),
        path: "/".to_owned(),
        body: json!({ "logGroupName": "/aws/lambda/f", "filterPattern": pattern }).to_string().into(),
    };
    let answer: Value = serde_json::from_slice(&bench.logs.handle(request).await.body).unwrap();
    tokio::task::yield_now().await;
    answer["events"].as_array().map_or(0, Vec::len)
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
#[tokio::test]
async fn an_asynchronous_invocation_may_run_twice() {
    let (mut bench, faults) = faulty();
    inject(&faults, "lambda.Invoke:duplicate");
    let request_id = bench.lambda.invoke_later("f", r#"{"do":"headers","n":1}"#.into(), None).unwrap();
    assert_eq!((bench.event().await["n"].clone(), bench.event().await["n"].clone()), (json!(1), json!(1)));
    let twice = async { while started(&bench, &request_id).await < 2 {} };
    timeout(PATIENCE, twice).await.expect("both have the id that the sender knows");
    assert_eq!(faults.counts().1[0].injected, 1);
    bench.invoke(json!({})).await;
    assert_eq!(faults.counts().1[0].matched, 1, "who waits for an answer gets one");
    bench.lambda.shutdown().await;
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>
#[tokio::test]
async fn an_http_api_is_throttled_and_fails_in_words_that_browsers_may_read() {
    let (bench, faults) = faulty();
    let cors = Cors { allow_origins: vec!["*".to_owned()], ..Cors::default() };
    let route = Route { method: "GET".to_owned(), path: "/things/{id}".to_owned(), function: "f".to_owned() };
    let client = Client::serve(bench.lambda.http_api(vec![route], Some(cors))).await;
    for (kind, status, message) in [
        ("throttle", 429, "Too Many Requests"),
        ("error", 500, "Internal Server Error"),
        ("error=503", 503, "Service Unavailable"),
    ] {
        inject(&faults, &format!("execute-api:{kind},resource=things"));
        let answer = client.send("GET", "/things/1", &[("origin", "https://shop.example")], "").await;
        assert_eq!((answer.status, &*answer.body), (status, &*json!({"message": message}).to_string()));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(client.send("GET", "/others", &[], "").await.status, 404);
    }
    bench.lambda.shutdown().await;
}
