//! The payment gateway is down: orders wait, and are charged when it is back.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::Trial;
use onceward_local::lambda::CONCURRENCY_DEFAULT;
use serde_json::Value;

use crate::{
    on_a_cloud_with,
    system::{System, eventually, order},
};

const ORDERS: usize = 100;
/// How many of them are placed at a time.
const CLIENTS: usize = 20;
/// The first open time. The test waits for a probe that fails after it, and for the next, which succeeds, after twice
/// that; five receives would last sixteen times that.
const OPEN_SECONDS: &str = "5";
/// The calls that one environment may have made before it knows: those under way when the fifth in a row fails.
const CALLS_BEFORE_OPEN_MAX: u64 = 5 + 10;
/// More probes than there can be in the time of the test.
const PROBES_MAX: u64 = 10;

pub(crate) fn trials() -> Vec<Trial> {
    let environment = BTreeMap::from([("PAYMENT_GATEWAY_OPEN_SECONDS".to_owned(), OPEN_SECONDS.to_owned())]);
    let name = "outage::orders_wait_while_the_payment_gateway_is_down";
    vec![on_a_cloud_with("template.yaml", environment, name, orders_wait)]
}

async fn orders_wait(system: System) {
    system.receive("p-1", u32::try_from(ORDERS).expect("a small number")).await;
    let gateway = system.gateway().clone();
    gateway.set_down(true);
    let mut placed = Vec::new();
    while placed.len() < ORDERS {
        let body = order("p-1", 1);
        let orders = (0..CLIENTS).map(|_| system.place(&body));
        placed.extend(futures_util::future::join_all(orders).await);
    }
    eventually("every order waits for its payment, and a probe has failed", async || {
        let depth = system.depth("onceward-authorize-payment").await;
        depth.visible + depth.in_flight == ORDERS && failed_probes(&system).await > 0
    })
    .await;
    let calls = gateway.calls();
    let calls_max = CONCURRENCY_DEFAULT as u64 * CALLS_BEFORE_OPEN_MAX + PROBES_MAX;
    println!("{calls} calls for {ORDERS} orders while the gateway was down");
    assert!(calls <= calls_max, "{calls} calls: {calls_max} at most");

    gateway.set_down(false);
    for order_id in &placed {
        assert_eq!(system.settled(order_id).await["status"], "confirmed");
    }
    system.drained().await;
    let charges = gateway.charges();
    let references: BTreeSet<_> = charges.iter().filter_map(|charge| charge["reference"].as_str()).collect();
    assert_eq!((charges.len(), references), (ORDERS, placed.iter().map(String::as_str).collect()));
    let dead = system.depth("onceward-authorize-payment-dlq").await;
    let letters = if dead.visible == 0 { Vec::new() } else { system.dead_letters("authorize-payment").await };
    assert!(letters.is_empty(), "{letters:#?}");
    assert_eq!(breaker(&system).await, None, "a closed circuit has no record");
}

async fn breaker(system: &System) -> Option<Value> {
    system.rows("onceward-ledger").await.into_iter().find(|row| row["pk"]["S"] == "breaker#payment-gateway")
}

async fn failed_probes(system: &System) -> u32 {
    let record = breaker(system).await;
    record.and_then(|record| record["failed_probes"]["N"].as_str()?.parse().ok()).unwrap_or_default()
}
