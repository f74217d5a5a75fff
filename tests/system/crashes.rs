//! Function processes die at any moment, and nothing is lost or doubled.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use libtest_mimic::Trial;
use onceward_local::cloud::Cloud;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    on_a_cloud,
    system::{System, order},
};

const ORDERS: usize = 1_000;
const CLIENTS: usize = 20;
const KILL_EVERY: Duration = Duration::from_millis(200);
const PRODUCTS: [&str; 5] = ["p-1", "p-2", "p-3", "p-4", "p-5"];
/// Less than what is ordered, so that some orders are rejected.
const STOCK: u32 = 300;
/// How often a client repeats one request; each may meet a killed process.
const TRIES_MAX: u32 = 100;

pub(crate) fn trials() -> Vec<Trial> {
    vec![on_a_cloud("crashes::a_thousand_orders_while_processes_are_killed", a_thousand_orders)]
}

async fn a_thousand_orders(system: System) {
    let seed = std::env::var("ONCEWARD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("ONCEWARD_SEED={seed} repeats the orders and the choice of victims");
    for product in PRODUCTS {
        system.receive(product, STOCK).await;
    }
    let done = Arc::new(AtomicBool::new(false));
    let kills = Arc::new(AtomicU32::new(0));
    let killer = tokio::spawn(kill(Arc::clone(system.cloud()), seed, Arc::clone(&done), Arc::clone(&kills)));
    let system = Arc::new(system);
    let clients = (0..CLIENTS).map(|client| tokio::spawn(place_orders(Arc::clone(&system), seed, client)));
    let mut placed = BTreeMap::new();
    for client in clients.collect::<Vec<_>>() {
        placed.extend(client.await.expect("the client ends"));
    }
    assert_eq!(placed.len(), ORDERS, "each request became one order");
    let mut orders = Vec::new();
    for order_id in placed.keys() {
        orders.push(system.settled(order_id).await);
    }
    done.store(true, Ordering::Relaxed);
    killer.await.expect("the killer ends");
    system.drained().await;
    audit(&system, &placed, &orders).await;
    let cancelled = orders.iter().filter(|order| order["status"] == "cancelled").count();
    let (kills, confirmed) = (kills.load(Ordering::Relaxed), ORDERS - cancelled);
    println!("{kills} processes killed, {confirmed} orders confirmed, {cancelled} cancelled");
    assert!(kills > 20 && confirmed > 0 && cancelled > 0);
}

/// Kills a process of some function every 200 ms.
async fn kill(cloud: Arc<Cloud>, seed: u64, done: Arc<AtomicBool>, kills: Arc<AtomicU32>) {
    let mut random = StdRng::seed_from_u64(seed);
    let functions = cloud.lambda().functions();
    let mut ticks = tokio::time::interval(KILL_EVERY);
    while !done.load(Ordering::Relaxed) {
        ticks.tick().await;
        let function = &functions[random.random_range(0..functions.len())];
        let processes = cloud.lambda().processes(function).expect("the function exists");
        let Some(victim) = processes.first().and_then(|process| Pid::from_raw(i32::try_from(*process).ok()?)) else {
            continue;
        };
        // It may have ended by itself since it was listed.
        if kill_process(victim, Signal::KILL).is_ok() {
            kills.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Places one client's share of the orders; repeats each request with its key until it is accepted.
async fn place_orders(system: Arc<System>, seed: u64, client: usize) -> BTreeMap<String, Value> {
    let mut random = StdRng::seed_from_u64(seed.wrapping_add(client as u64 + 1));
    let mut placed = BTreeMap::new();
    for number in 0..ORDERS / CLIENTS {
        let mut body = order(PRODUCTS[random.random_range(0..PRODUCTS.len())], random.random_range(1..=3));
        if random.random_ratio(1, 10) {
            body["payment_token"] = json!("tok_declined");
        }
        let key = format!("{client}-{number}");
        let mut tries = 0;
        let answer = loop {
            let (status, answer) = system.post(body.to_string(), Some(&key)).await;
            if status.as_u16() == 202 {
                break answer;
            }
            assert!(status.is_server_error(), "{status}: {answer}");
            tries += 1;
            assert!(tries < TRIES_MAX, "not accepted in {TRIES_MAX} tries: {answer}");
        };
        placed.insert(answer["order_id"].as_str().expect("an id").to_owned(), body);
    }
    placed
}

/// Stock, money and queues add up.
async fn audit(system: &System, placed: &BTreeMap<String, Value>, orders: &[Value]) {
    let mut reserved: BTreeMap<&str, u64> = BTreeMap::new();
    let mut owed: BTreeMap<&str, u64> = BTreeMap::new();
    for order in orders.iter().filter(|order| order["status"] == "confirmed") {
        let order_id = order["order_id"].as_str().expect("an id");
        let line = &placed[order_id]["lines"][0];
        let (product, quantity) = (line["product_id"].as_str().expect("a product"), line["quantity"].as_u64());
        *reserved.entry(product).or_default() += quantity.expect("a quantity");
        owed.insert(order_id, quantity.expect("a quantity") * 1_250);
    }
    for product in PRODUCTS {
        let set_aside = reserved.get(product).copied().unwrap_or_default();
        let expected = json!({"product_id": product, "available": u64::from(STOCK) - set_aside, "reserved": set_aside});
        assert_eq!(system.stock(product).await, expected);
    }
    let payments = system.gateway().charges();
    let mut charged: BTreeMap<&str, u64> = BTreeMap::new();
    for charge in &payments {
        let reference = charge["reference"].as_str().expect("a reference");
        let before = charged.insert(reference, charge["amount"].as_u64().expect("an amount"));
        assert_eq!(before, None, "{reference} is charged twice");
    }
    assert_eq!(charged, owed);
    for queue in system.cloud().sqs().queues() {
        let depth = system.cloud().sqs().depth(&queue).expect("the queue exists");
        if !queue.ends_with("confirmation-inbox") {
            assert_eq!((depth.visible, depth.in_flight, depth.delayed), (0, 0, 0), "{queue}");
        }
    }
}
