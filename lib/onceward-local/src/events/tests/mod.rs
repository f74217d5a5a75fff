//! The bus, without HTTP.

mod archive;
mod bus;
mod constraints;
mod delivery;
mod durable;
mod permissions;
mod timetable;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Entry, EventBridge, Rule, Target};
use crate::account::Account;
use crate::clock::Clock;
use crate::endpoint::Services;
use crate::lambda::LogSink;
use crate::sqs::{AttributeValue, Receive, Received, Sqs};
use crate::wire::{AwsRequest, Protocol};

const FIFO_SUFFIX: &str = ".fifo";
const QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:000000000000:work";

fn cloud(queues: &[&str]) -> (EventBridge, Sqs) {
    let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
    let Services { events, sqs, .. } = Services::new(account, LogSink::discard()).unwrap();
    for queue in queues {
        let fifo = [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")];
        let attributes = fifo.iter().filter(|_| queue.ends_with(FIFO_SUFFIX));
        let attributes = attributes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        sqs.create_queue(queue, &attributes).unwrap();
    }
    (events, sqs)
}

async fn receive(sqs: &Sqs, queue: &str) -> Vec<Received> {
    sqs.receive(queue, Receive { max: 10, wait: Duration::ZERO, visibility: None }).await.unwrap()
}

async fn call(events: &EventBridge, action: &str, body: Value) -> Result<Value, (u16, Value)> {
    let request = AwsRequest {
        protocol: Protocol::Json { content_type: "application/x-amz-json-1.1" },
        action: action.to_owned(),
        path: "/".to_owned(),
        body: Bytes::from(body.to_string()),
    };
    let response = events.handle(request).await;
    assert_eq!(response.content_type, "application/x-amz-json-1.1");
    let body: Value = serde_json::from_slice(&response.body).unwrap();
    if response.status == 200 { Ok(body) } else { Err((response.status, body)) }
}

async fn refused(events: &EventBridge, action: &str, body: Value) -> (String, String) {
    let (status, body) = call(events, action, body).await.unwrap_err();
    assert_eq!(status, 400);
    (body["__type"].as_str().unwrap().to_owned(), body["message"].as_str().unwrap().to_owned())
}

fn rule(name: &str, pattern: &Value) -> Rule {
    Rule { name: name.to_owned(), pattern: Some(pattern.to_string()), ..Rule::default() }
}

fn target(arn: &str) -> Target {
    Target { id: "1".to_owned(), arn: arn.to_owned(), ..Target::default() }
}

/// A message attribute that is text.
fn text(message: &Received, name: &str) -> String {
    match &message.message_attributes[name].value {
        AttributeValue::Text(text) => text.clone(),
        AttributeValue::Binary(_) => panic!("{name} is text"),
    }
}

/// When tests with a clock begin: half past a minute.
fn start() -> DateTime<Utc> {
    "2026-01-01T00:00:30Z".parse().unwrap()
}

/// As [`cloud`], on Tokio's clock; with what connects it, and its topics.
fn timed_cloud(queues: &[&str]) -> Services {
    let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
    let mut services = Services::new(account.clone(), LogSink::discard()).unwrap();
    services.events =
        EventBridge::open_with_clock(account, services.destinations.clone(), &services.store, Clock::tokio(start()))
            .unwrap();
    services.destinations.connect(services.clone());
    for queue in queues {
        services.sqs.create_queue(queue, &BTreeMap::new()).unwrap();
    }
    services
}

/// Waits, on Tokio's clock, until a message is there.
async fn arrives(sqs: &Sqs, queue: &str) -> Received {
    loop {
        if let Some(message) = receive(sqs, queue).await.pop() {
            return message;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn entry(detail_type: &str, detail: &str) -> Entry {
    Entry {
        source: "shop.orders".to_owned(),
        detail_type: detail_type.to_owned(),
        detail: detail.to_owned(),
        ..Entry::default()
    }
}
