//! Queues and buses in memory, as the contract's cases look at them.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use chrono::SecondsFormat;
use onceward::{
    DeadLetter, Envelope, Publisher, SourceQueue,
    memory::{MemoryPublisher, MemorySourceQueue},
};
use onceward_testing::contract::{BusProbe, Cloud, Letter, QueueProbe, QueueSettings, Received};
use serde_json::json;

/// A step of a queue's time while a case waits for a message, in milliseconds.
const STEP_MS: u64 = 100;

pub(crate) struct MemoryCloud;

#[async_trait]
impl Cloud for MemoryCloud {
    async fn queues(&self, settings: QueueSettings) -> Box<dyn QueueProbe> {
        Box::new(Queue { settings, ..Queue::default() })
    }

    async fn bus(&self) -> Box<dyn BusProbe> {
        Box::new(Bus::default())
    }
}

struct Queue {
    messages: MemorySourceQueue,
    settings: QueueSettings,
    letters_taken: AtomicUsize,
    elapsed_ms: AtomicU64,
}

impl Default for Queue {
    fn default() -> Self {
        let settings = QueueSettings { fifo: false, visibility: Duration::ZERO };
        Self { messages: MemorySourceQueue::default(), settings, letters_taken: 0.into(), elapsed_ms: 0.into() }
    }
}

#[async_trait]
impl QueueProbe for Queue {
    fn adapter(&self) -> &dyn SourceQueue {
        &self.messages
    }

    async fn put(&self, body: &str, group: Option<&str>) {
        self.messages.put(body, group);
    }

    async fn receive(&self, wait: Duration) -> Vec<Received> {
        let end = self.elapsed() + wait;
        loop {
            let messages = self.messages.receive(self.settings.visibility);
            if !messages.is_empty() || self.elapsed() >= end {
                let received = messages.into_iter().map(|(receipt_handle, body)| Received { body, receipt_handle });
                return received.collect();
            }
            self.messages.pass(Duration::from_millis(STEP_MS));
            self.elapsed_ms.fetch_add(STEP_MS, Ordering::Relaxed);
        }
    }

    async fn take_letters(&self, _wait: Duration) -> Vec<Letter> {
        let letters = self.messages.letters();
        let taken = self.letters_taken.swap(letters.len(), Ordering::Relaxed);
        letters[taken..].iter().map(shown).collect()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms.load(Ordering::Relaxed))
    }
}

/// The letter as a queue would show it.
fn shown(letter: &DeadLetter) -> Letter {
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let known = [
        ("reason", Some(letter.reason.as_str().to_owned())),
        ("error", Some(letter.error.clone())),
        ("function", Some(letter.function.clone())),
        ("source", Some(letter.source.clone())),
        ("attempts", Some(letter.attempts.to_string())),
        ("first_failed_at", Some(time(letter.first_failed_at))),
        ("last_failed_at", Some(time(letter.last_failed_at))),
        ("encoding", letter.is_base64.then(|| "base64".to_owned())),
        ("event_id", letter.event.as_ref().map(|(id, _)| id.clone())),
        ("event_type", letter.event.as_ref().map(|(_, event_type)| event_type.clone())),
    ];
    let attributes: BTreeMap<_, _> =
        known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Letter { body: letter.body.clone(), group: letter.group.clone(), attributes }
}

#[derive(Default)]
struct Bus {
    publisher: MemoryPublisher,
    taken: AtomicUsize,
}

#[async_trait]
impl BusProbe for Bus {
    fn publisher(&self) -> &dyn Publisher {
        &self.publisher
    }

    async fn take_routed(&self, _wait: Duration) -> Vec<String> {
        let published = self.publisher.published();
        let taken = self.taken.swap(published.len(), Ordering::Relaxed);
        published[taken..].iter().map(routed).collect()
    }

    fn unacceptable(&self, event: Envelope) -> Envelope {
        self.publisher.refuse_for_good(&event.id);
        event
    }
}

/// The event as `EventBridge` would deliver it.
fn routed(envelope: &Envelope) -> String {
    json!({
        "version": "0",
        "source": envelope.source,
        "detail-type": envelope.event_type,
        "time": envelope.time.to_rfc3339_opts(SecondsFormat::Secs, true),
        "detail": envelope,
    })
    .to_string()
}
