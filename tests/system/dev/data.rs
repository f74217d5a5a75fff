//! `onceward dev --data`: what was there before is there again.

use std::{fs, path::PathBuf};

use libtest_mimic::Trial;
use rustix::process::Signal;

use super::process::Dev;
use crate::{system::order, trial};

/// Orders that are under way when the process is killed.
const ORDERS: usize = 30;

pub(super) fn trials() -> Vec<Trial> {
    vec![trial("dev::orders_survive_a_killed_cloud_with_its_data", orders_survive_a_killed_cloud_with_its_data)]
}

/// A folder that goes with its test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Killed while orders are being handled; each is settled by the next cloud, and the stock says so.
fn orders_survive_a_killed_cloud_with_its_data() {
    let folder = Folder(std::env::temp_dir().join(format!("onceward-data-{:016x}", rand::random::<u64>())));
    let data = folder.0.to_str().expect("text");
    let mut dev = Dev::ready(&["--data", data]);
    let http = dev.out.url("HTTP API");
    let stock = |dev: &Dev, http: &str| dev.get(&format!("{http}/stock/p-1")).1;
    let before = stock(&dev, &http)["available"].as_u64().expect("the demo put some there");
    let placed: Vec<String> = (0..ORDERS)
        .map(|_| {
            let answer = dev.post(&format!("{http}/orders"), &order("p-1", 1).to_string());
            answer["order_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
        })
        .collect();
    dev.signal(Signal::KILL);
    dev.ended();

    let mut dev = Dev::ready(&["--data", data, "--no-demo"]);
    let http = dev.out.url("HTTP API");
    for order_id in &placed {
        dev.until("the order is confirmed", &format!("{http}/orders/{order_id}"), |it| it["status"] == "confirmed");
    }
    let after = stock(&dev, &http);
    assert_eq!(after["available"].as_u64(), Some(before - ORDERS as u64), "{after}");
}
