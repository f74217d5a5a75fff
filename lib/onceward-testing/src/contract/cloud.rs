use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use onceward::{Envelope, Publisher, SourceQueue};

/// Where adapters of queues and buses are tried: AWS, an emulation of it, or memory.
///
/// A case makes the queues or the bus that it needs, so all cases can share one cloud, also at the same time.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// A new source queue and its dead-letter queue, both empty and of the same kind.
    async fn queues(&self, settings: QueueSettings) -> Box<dyn QueueProbe>;

    /// A new bus with one rule, which routes every event to a queue of the probe's own.
    async fn bus(&self) -> Box<dyn BusProbe>;
}

/// What a case needs of its queues.
#[derive(Debug, Clone, Copy)]
pub struct QueueSettings {
    /// Whether they are FIFO queues.
    pub fifo: bool,
    /// How long the source queue hides a message that was received, in whole seconds.
    pub visibility: Duration,
}

/// The adapter for a source queue, and what a case does to see its effects.
#[async_trait]
pub trait QueueProbe: Send + Sync {
    /// The adapter under test.
    fn adapter(&self) -> &dyn SourceQueue;

    /// Puts a message into the source queue.
    async fn put(&self, body: &str, group: Option<&str>);

    /// Receives messages from the source queue; waits up to `wait`, in whole seconds, until there are any.
    async fn receive(&self, wait: Duration) -> Vec<Received>;

    /// Takes letters out of the dead-letter queue; waits up to `wait`, in whole seconds, until there are any.
    async fn take_letters(&self, wait: Duration) -> Vec<Letter>;

    /// The time since the probe was made, on the clock of its queues.
    fn elapsed(&self) -> Duration;
}

/// A message that was received from a source queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// As it was put.
    pub body: String,
    /// Names this delivery.
    pub receipt_handle: String,
}

/// A dead letter as it lies in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The message's body.
    pub body: String,
    /// The message's group.
    pub group: Option<String>,
    /// The message's attributes, all of them texts.
    pub attributes: BTreeMap<String, String>,
}

/// The adapter for a bus, and what a case does to see its effects.
#[async_trait]
pub trait BusProbe: Send + Sync {
    /// The adapter under test.
    fn publisher(&self) -> &dyn Publisher;

    /// Takes events that the rule has routed, each an EventBridge event as JSON, in the order in which they came; waits
    /// up to `wait`, in whole seconds, until there are any.
    async fn take_routed(&self, wait: Duration) -> Vec<String>;

    /// The event, changed such that this bus refuses it and takes others of the same call.
    fn unacceptable(&self, event: Envelope) -> Envelope;
}
