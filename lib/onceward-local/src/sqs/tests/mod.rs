//! The engine with explicit times, and the service on tokio's paused clock.

mod durable;
mod fifo;
mod moves;
pub(super) mod service;
mod standard;

use super::admission;
use super::fifo::Original;
use super::message::Outgoing;
use super::queue::{Delivery, Queue, Take, Taken};
use super::settings::Settings;
use std::collections::BTreeMap;

fn attributes<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn queue<const N: usize>(name: &str, pairs: [(&str, &str); N]) -> Queue {
    Queue::new(7, Settings::new(name, &attributes(pairs)).unwrap())
}

fn send(queue: &mut Queue, now_ms: u64, outgoing: Outgoing) -> Original {
    let (message, delay_ms) = admission::admit(queue.settings(), outgoing, format!("id-{now_ms}")).unwrap();
    queue.send(now_ms, message, delay_ms)
}

fn text(body: &str) -> Outgoing {
    Outgoing { body: body.to_owned(), ..Outgoing::default() }
}

fn grouped(group: &str, body: &str) -> Outgoing {
    Outgoing { group_id: Some(group.to_owned()), ..text(body) }
}

fn take(queue: &mut Queue, now_ms: u64, max: usize, receives_max: Option<u32>) -> Taken {
    queue.receive(now_ms, Take { max, visibility_ms: 30_000, receives_max }).unwrap()
}

/// Receives up to ten.
fn receive(queue: &mut Queue, now_ms: u64) -> Vec<Delivery> {
    take(queue, now_ms, 10, None).deliveries
}

fn bodies(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|it| it.message.body.as_str()).collect()
}
