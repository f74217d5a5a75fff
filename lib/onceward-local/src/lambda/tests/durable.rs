//! Asynchronous invocations of a data folder.

use std::time::Duration;

use serde_json::{Value, json};

use super::destinations::{asynchronous, cloud_with, end, told};
use super::{Bench, spec};
use crate::{
    endpoint::Services,
    lambda::EventInvokeConfig,
    store::{Store, tests::Folder},
};

fn open(folder: &Folder) -> (Bench, Services) {
    cloud_with(Store::open(&folder.0).unwrap())
}

/// Waits for the report of a retry, and then until it is due.
async fn failed(bench: &mut Bench, delay: u64) {
    let report = bench.report().await;
    assert!(report.contains(&format!("failed, next try in {delay} s: ")), "{report}");
    advance(delay).await;
}

/// The clock runs only while the retry is waited for: the process is real.
async fn advance(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn an_event_that_waits_for_a_retry_goes_on_with_its_tries_after_a_restart() {
    let folder = Folder::new();
    let (mut bench, services) = open(&folder);
    let failure = |services: &Services| {
        let on_failure_arn = Some(services.sqs.arn("told"));
        asynchronous(EventInvokeConfig { on_failure_arn, ..EventInvokeConfig::default() })
    };
    bench.lambda.create_function(failure(&services)).unwrap();
    let request_id = bench.lambda.invoke_later("f", r#"{"do":"fail"}"#.into(), None).unwrap();
    assert!(bench.report().await.contains("next try in 60 s"));
    end(bench, &services).await;
    drop(services);

    let (mut bench, services) = open(&folder);
    bench.lambda.create_function(failure(&services)).unwrap();
    bench.lambda.resume(&services.store).unwrap();
    tokio::task::yield_now().await;
    advance(40).await;
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.lambda.processes("f").unwrap(), [0; 0], "not yet");
    advance(20).await;
    failed(&mut bench, 120).await;
    let record: Value = serde_json::from_str(&told(&services).await.body).unwrap();
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(record["requestContext"]["requestId"], json!(request_id));
    assert_eq!(record["responsePayload"]["errorMessage"], "as told");
    end(bench, &services).await;
    assert!(services.store.read::<Value>("lambda.event").unwrap().is_empty(), "it is settled");
}

#[tokio::test]
async fn an_event_under_way_is_handed_to_its_function_again_after_a_restart() {
    let folder = Folder::new();
    let event = json!({ "do": "sleep", "ms": 600_000 });
    let (mut bench, services) = open(&folder);
    bench.lambda.create_function(spec("f", &[])).unwrap();
    bench.lambda.create_function(spec("gone", &[])).unwrap();
    for function in ["f", "gone"] {
        bench.lambda.invoke_later(function, event.to_string().into(), None).unwrap();
        assert_eq!(bench.event().await, event);
    }
    end(bench, &services).await;
    drop(services);

    let (mut bench, services) = open(&folder);
    bench.lambda.create_function(spec("f", &[])).unwrap();
    bench.lambda.resume(&services.store).unwrap();
    assert_eq!(bench.event().await, event);
    let left = services.store.read::<Value>("lambda.event").unwrap();
    assert_eq!(left.len(), 1, "events of functions that are gone are too");
    end(bench, &services).await;
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_not_accepted() {
    let folder = Folder::new();
    let store = Store::open(&folder.0).unwrap();
    let (bench, services) = cloud_with(store.clone());
    bench.lambda.create_function(asynchronous(EventInvokeConfig::default())).unwrap();
    store.break_off();
    let request = axum::http::Request::post("/2015-03-31/functions/f/invocations")
        .header("x-amz-invocation-type", "Event")
        .body(axum::body::Body::from("{}"))
        .unwrap();
    let response = tower::ServiceExt::oneshot(crate::endpoint::router(&services), request).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-amzn-errortype"]),
        (500, &"ServiceException".parse().unwrap())
    );
    end(bench, &services).await;
}
