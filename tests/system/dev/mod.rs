//! `onceward dev` as people and scripts use it: a process, its output and its signals.

mod attach;
mod check;
mod data;
mod endpoint;
mod faults;
mod lost;
mod process;
mod project;
mod rebuild;
mod refusals;

use std::{path::Path, process::Command};

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::{Value, json};

use self::process::{Dev, Process};
use crate::{
    system::{ROOT, order},
    trial,
};

/// Every function, and what the banner says triggers it.
const FUNCTIONS: [(&str, &str); 13] = [
    ("place-order", "POST /orders"),
    ("get-order", "GET /orders/{id}"),
    ("confirm-order", "shipment.scheduled.v1"),
    ("cancel-order", "stock.rejected.v1, stock.released.v1"),
    (
        "track-order",
        "stock.reserved.v1, stock.rejected.v1, stock.released.v1, payment.authorized.v1, payment.declined.v1, \
         shipment.scheduled.v1, confirmation.sent.v1",
    ),
    ("get-stock", "GET /stock/{product_id}"),
    ("receive-stock", "goods.received.v1"),
    ("reserve-stock", "order.placed.v1"),
    ("release-stock", "payment.declined.v1"),
    ("authorize-payment", "stock.reserved.v1"),
    ("schedule-shipment", "payment.authorized.v1"),
    ("send-confirmation", "order.confirmed.v1"),
    ("outbox-relay", "stream of table onceward-ledger"),
];

/// The way of an order, hop by hop.
const HOPS: [(&str, &str, &str); 8] = [
    ("place-order", "POST /orders", "committed"),
    ("outbox-relay", "order.placed.v1", "published"),
    ("reserve-stock", "order.placed.v1", "committed"),
    ("authorize-payment", "stock.reserved.v1", "committed"),
    ("schedule-shipment", "payment.authorized.v1", "committed"),
    ("confirm-order", "shipment.scheduled.v1", "committed"),
    ("send-confirmation", "order.confirmed.v1", "committed"),
    ("track-order", "confirmation.sent.v1", "committed"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let with_proc = |test: Trial| test.with_kind("needs /proc").with_ignored_flag(!Process::listed());
    let mut trials = vec![
        trial("dev::a_newcomer_places_the_printed_order", a_newcomer_places_the_printed_order),
        trial("dev::log_json_is_hops_on_stdout", log_json_is_hops_on_stdout),
        trial("dev::the_demo_is_stock", the_demo_is_stock),
        trial("dev::without_the_demo_there_is_no_stock", without_the_demo_there_is_no_stock),
        with_proc(trial("dev::ctrl_c_ends_every_process", ctrl_c_ends_every_process)),
        with_proc(trial("dev::functions_do_not_outlive_a_killed_cloud", functions_do_not_outlive_a_killed_cloud)),
    ];
    trials.extend(data::trials());
    trials.extend(refusals::trials());
    trials.extend(rebuild::trials());
    trials.extend(attach::trials());
    trials.extend(check::trials());
    trials.extend(faults::trials());
    trials.extend(endpoint::trials());
    trials.extend(lost::trials());
    trials
}

fn a_newcomer_places_the_printed_order() {
    let mut dev = Dev::ready(&[]);
    let banner = dev.out.text();
    let words: Vec<_> = banner.split_whitespace().collect();
    let words = words.join(" ");
    assert!(dev.out.url("AWS endpoint").starts_with("http://127.0.0.1:"));
    for (function, trigger) in FUNCTIONS {
        assert!(words.contains(&format!("started onceward-{function} in ")), "{function}: {banner}");
        assert!(words.contains(&format!(" onceward-{function} {trigger} ")), "{function}: {banner}");
    }
    let table =
        dev.out.seen.iter().skip_while(|line| !line.contains("triggered by")).take_while(|line| *line != "Try:");
    assert_eq!(table.clone().find(|line| line.chars().count() > 80), None, "fits the smallest terminal");

    let url = dev.out.url("HTTP API");
    let line = dev.out.until("the curl line", |line| line.starts_with("curl "));
    let placed = place(&dev, &line, &url);
    assert_eq!(placed["status"], "placed", "{placed}");
    let order_id = placed["order_id"].as_str().expect("an order id");
    for (function, event_type, outcome) in HOPS {
        let what = format!("{function} {event_type} {outcome}");
        dev.out.until(&what, |line| {
            [function, event_type, outcome, " ms"].iter().all(|word| line.contains(word))
                // Several orders' events may be published at once, and a request names its order since it has one.
                && (matches!(function, "outbox-relay" | "place-order") || line.contains(order_id))
        });
    }
    let (status, order) = dev.get(&format!("{url}/orders/{order_id}"));
    assert_eq!((status, &order["status"]), (200, &json!("confirmed")), "{order}");
}

/// By curl, as a person does; on a machine without curl the same request.
fn place(dev: &Dev, line: &str, url: &str) -> Value {
    match Command::new("sh").args(["-c", line]).output() {
        Ok(output) if output.status.success() => serde_json::from_slice(&output.stdout).expect("JSON"),
        Ok(output) if output.status.code() != Some(127) => panic!("{line}: {output:?}"),
        _ => {
            let body = line.split(" -d '").nth(1).and_then(|rest| rest.strip_suffix('\'')).expect("a body");
            dev.post(&format!("{url}/orders"), body)
        }
    }
}

fn log_json_is_hops_on_stdout() {
    let mut dev = Dev::start(&["--log", "json"]);
    let url = dev.err.url("HTTP API");
    let placed = dev.post(&format!("{url}/orders"), &order("p-1", 1).to_string());
    let order_id = placed["order_id"].as_str().expect("an order id");
    for (function, event_type, outcome) in HOPS {
        dev.out.until(&format!("{function} {event_type} {outcome}"), |line| {
            let hop: Value = serde_json::from_str(line).unwrap_or_default();
            // The relay may publish the order's event with those of the demo, and names the first of them.
            let relayed = function == "outbox-relay";
            let named = |text: &str| text.starts_with(event_type) || relayed && text.contains(" +");
            hop["function"] == function
                && hop["event_type"].as_str().is_some_and(named)
                && hop["outcome"] == outcome
                && (relayed || function == "place-order" || hop["subject"] == order_id)
        });
    }
    dev.signal(Signal::INT);
    dev.ended();
    let outcomes = ["committed", "replayed", "retried", "dead_lettered", "answered", "refused", "published"];
    for line in &dev.out.seen {
        let hop: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(hop["target"], "onceward::delivery", "{line}");
        let text = |field: &str| hop[field].as_str().unwrap_or_else(|| panic!("{field} is a text: {line}"));
        assert!(chrono::DateTime::parse_from_rfc3339(text("timestamp")).is_ok(), "{line}");
        assert!(FUNCTIONS.iter().any(|(function, _)| *function == text("function")), "{line}");
        assert!(outcomes.contains(&text("outcome")), "{line}");
        assert!(!text("event_type").is_empty() && hop["subject"].is_string(), "{line}");
        assert!(hop["attempt"].as_u64() >= Some(1) && hop["duration_ms"].as_f64() >= Some(0.0), "{line}");
    }
}

fn the_demo_is_stock() {
    let mut dev = Dev::ready(&[]);
    let url = dev.out.url("HTTP API");
    for product in ["p-1", "p-2", "p-3", "p-4", "p-5"] {
        let expected = json!({"product_id": product, "available": 100, "reserved": 0});
        assert_eq!(dev.get(&format!("{url}/stock/{product}")), (200, expected));
    }
}

/// In a folder below the template's, too.
fn without_the_demo_there_is_no_stock() {
    let mut dev = Dev::start_in(&Path::new(ROOT).join("functions/orders"), &["--no-demo"]);
    let url = dev.out.url("HTTP API");
    dev.out.until("the banner", |line| line.contains(process::READY));
    let (status, answer) = dev.get(&format!("{url}/stock/p-1"));
    assert_eq!(status, 404, "{answer}");
    assert!(!dev.out.text().contains("curl "), "there is nothing to order");
}

fn ctrl_c_ends_every_process() {
    let mut dev = Dev::ready(&[]);
    let functions = dev.functions();
    assert!(functions.len() >= FUNCTIONS.len(), "{functions:?}");
    let began = std::time::Instant::now();
    dev.signal(Signal::INT);
    let status = dev.ended();
    assert_eq!(status.code(), Some(130), "what shells expect of Ctrl-C");
    let took = began.elapsed() + dev.gone(&functions);
    println!("the functions were gone {took:?} after Ctrl-C");
    // Hops that were under way may still be told of after it.
    assert!(dev.out.seen.iter().any(|line| line == "stopping"), "{}", dev.out.text());
}

fn functions_do_not_outlive_a_killed_cloud() {
    let dev = Dev::ready(&["--no-demo"]);
    let functions = dev.functions();
    assert!(functions.len() >= FUNCTIONS.len(), "{functions:?}");
    dev.signal(Signal::KILL);
    // Without the cloud a function gives up by itself.
    let took = dev.gone(&functions);
    println!("the functions were gone {took:?} after the cloud");
}
