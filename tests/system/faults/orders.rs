//! An order flow in the midst of everything that can go wrong.

use std::collections::BTreeSet;

use aws_config::retry::RetryConfig;
use aws_sdk_sqs::types::QueueAttributeName;
use onceward_local::faults::{Counted, Plan};
use serde_json::json;

use super::{counts, inject, sdk};
use crate::system::{System, order};

const ORDERS: usize = 40;
const CLIENTS: usize = 4;
/// How often a client repeats one request; each may meet several faults.
const TRIES_MAX: u32 = 100;
/// As short as a function's own limit allows: a killed function's message comes back after it.
const VISIBILITY_SECONDS: &str = "6";
/// Everything at once. A kill costs a message its visibility timeout, so there are few.
const MIX: [&str; 13] = [
    "dynamodb.TransactWriteItems:conflict,probability=0.1",
    "dynamodb.TransactWriteItems:lost_response,probability=0.05",
    "dynamodb.PutItem:lost_request,probability=0.05",
    "dynamodb.*:throttle,probability=0.03",
    "dynamodb.*:latency=5,jitter_ms=5,probability=0.2",
    "events.PutEvents:partial,probability=0.15",
    "events.PutEvents:lost_response,probability=0.05",
    "events.PutEvents:duplicate,probability=0.1",
    "events.PutEvents:error=503,probability=0.03",
    "sqs.ReceiveMessage:duplicate,probability=0.1",
    "sqs.ReceiveMessage:reorder,probability=0.5",
    "lambda.Invoke:kill,probability=0.03,limit=5,jitter_ms=10",
    "lambda.Invoke:kill=before,probability=0.03,limit=5",
];

pub(super) async fn orders_add_up(system: System) {
    system.receive("p-1", u32::try_from(ORDERS).expect("a small number")).await;
    hurry(&system).await;
    inject(system.cloud(), &MIX);
    let clients = (0..CLIENTS).map(|client| place_orders(&system, client));
    let placed: BTreeSet<_> = futures_util::future::join_all(clients).await.concat().into_iter().collect();
    assert_eq!(placed.len(), ORDERS, "each request became one order");
    for order_id in &placed {
        assert_eq!(system.settled(order_id).await["status"], "confirmed");
    }
    let counts = counts(system.cloud());
    for Counted { rule, matched, injected } in &counts {
        println!("{rule}: {injected} of {matched}");
    }
    system.drained().await;
    system.cloud().faults().set(Plan::default()).expect("no faults");
    assert!(counts.iter().all(|counted| counted.matched > 0), "each had its chance");
    assert!(counts.iter().filter(|counted| counted.injected > 0).count() > MIX.len() / 2);

    let expected = json!({"product_id": "p-1", "available": 0, "reserved": ORDERS});
    assert_eq!(system.stock("p-1").await, expected);
    let charges = system.gateway().charges();
    let paid: BTreeSet<_> =
        charges.iter().filter_map(|charge| charge["reference"].as_str().map(str::to_owned)).collect();
    assert_eq!((charges.len(), &paid), (ORDERS, &placed), "one charge for each order");
    for queue in system.cloud().sqs().queues().iter().filter(|queue| queue.ends_with("-dlq")) {
        assert_eq!(system.cloud().sqs().depth(queue).expect("the queue exists").visible, 0, "{queue}");
    }
}

/// Messages of functions that were killed come back soon.
async fn hurry(system: &System) {
    let sqs = aws_sdk_sqs::Client::new(&sdk(system.cloud().aws_url(), RetryConfig::disabled()).await);
    for queue in system.cloud().sqs().queues() {
        let attribute = (QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS.to_owned());
        let request = sqs.set_queue_attributes().queue_url(system.cloud().sqs().url(&queue));
        request.set_attributes(Some([attribute].into())).send().await.expect("set");
    }
}

async fn place_orders(system: &System, client: usize) -> Vec<String> {
    let mut placed = Vec::new();
    for number in 0..ORDERS / CLIENTS {
        let key = format!("{client}-{number}");
        let mut tries = 0;
        let answer = loop {
            let (status, answer) = system.post(order("p-1", 1).to_string(), Some(&key)).await;
            if status.as_u16() == 202 {
                break answer;
            }
            assert!(status.is_server_error(), "{status}: {answer}");
            tries += 1;
            assert!(tries < TRIES_MAX, "not accepted in {TRIES_MAX} tries: {answer}");
        };
        placed.push(answer["order_id"].as_str().expect("an id").to_owned());
    }
    placed
}
