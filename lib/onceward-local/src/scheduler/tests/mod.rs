//! Schedules over their REST API, on Tokio's clock.

mod api;
mod durable;
mod invocations;

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Scheduler;
use crate::account::Account;
use crate::clock::Clock;
use crate::endpoint::{self, Services};
use crate::events::EventBridge;
use crate::lambda::LogSink;
use crate::sqs::{AttributeValue, Receive, Received};
use crate::store::Store;

const BODY_BYTES_MAX: usize = 1 << 20;

/// When tests begin: half past a minute.
fn start() -> DateTime<Utc> {
    "2026-01-01T00:00:30Z".parse().unwrap()
}

struct Bench {
    services: Services,
    router: Router,
}

impl Bench {
    fn new(queues: &[&str]) -> Self {
        let bench = Self::open(Store::memory(), start());
        for queue in queues {
            bench.services.sqs.create_queue(queue, &BTreeMap::new()).unwrap();
        }
        bench
    }

    fn open(store: Store, now: DateTime<Utc>) -> Self {
        let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
        let mut services = Services::open(account.clone(), LogSink::discard(), store).unwrap();
        let clock = Clock::tokio(now);
        services.events = EventBridge::open_with_clock(
            account.clone(),
            services.destinations.clone(),
            &services.store,
            clock.clone(),
        )
        .unwrap();
        services.scheduler =
            Scheduler::open_with_clock(account, services.destinations.clone(), &services.store, clock).unwrap();
        services.destinations.connect(services.clone());
        Self { router: endpoint::router(&services), services }
    }

    /// Status, error code and body of an answer.
    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Option<String>, Value) {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::builder().method(method).uri(path).body(body).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        assert!(response.headers().contains_key("x-amzn-requestid"), "{method} {path}");
        let code = response.headers().get("x-amzn-errortype").map(|code| code.to_str().unwrap().to_owned());
        let bytes = to_bytes(response.into_body(), BODY_BYTES_MAX).await.unwrap();
        (status, code, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// The body of an answer that must be right.
    async fn ok(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, _, answer) = self.call(method, path, body).await;
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer
    }

    /// Status, code and message of an answer that must be wrong.
    async fn refused(&self, method: &str, path: &str, body: Value) -> (u16, String, String) {
        let (status, code, answer) = self.call(method, path, body).await;
        (status, code.unwrap_or_default(), answer["Message"].as_str().unwrap_or_default().to_owned())
    }

    async fn receive(&self, queue: &str) -> Option<Received> {
        let sqs = &self.services.sqs;
        let all = Receive { max: 1, wait: Duration::ZERO, visibility: None };
        let message = sqs.receive(queue, all).await.unwrap().pop()?;
        sqs.delete(queue, &message.receipt_handle).unwrap();
        Some(message)
    }

    /// Waits, on Tokio's clock, until a message is there.
    async fn arrives(&self, queue: &str) -> Received {
        let search = async {
            loop {
                match self.receive(queue).await {
                    Some(message) => return message,
                    None => tokio::time::sleep(Duration::from_secs(1)).await,
                }
            }
        };
        tokio::time::timeout(Duration::from_hours(49), search).await.expect("the schedule is due")
    }
}

/// A schedule of a queue, with `more` over it.
fn schedule(expression: &str, queue: &str, more: &Value) -> Value {
    let mut schedule = json!({
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": format!("arn:aws:sqs:eu-west-1:000000000000:{queue}"),
            "RoleArn": "arn:aws:iam::000000000000:role/scheduler",
            "Input": "<aws.scheduler.scheduled-time>",
        },
    });
    merge(&mut schedule, more);
    schedule
}

fn merge(value: &mut Value, more: &Value) {
    match (value, more) {
        (Value::Object(members), Value::Object(more)) => {
            for (name, more) in more {
                merge(members.entry(name.clone()).or_insert(Value::Null), more);
            }
        }
        (value, more) => *value = more.clone(),
    }
}

fn text(message: &Received, name: &str) -> String {
    match &message.message_attributes[name].value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Binary(_) => panic!("{name} is text"),
    }
}
