use serde::{Deserialize, Serialize};

use crate::Event;

/// A record that came without a value: the tombstone of a compacted Kafka topic, an empty record of Kinesis or
/// `RabbitMQ`. The runtime makes this event of it for a function that handles it; for any other function it is
/// acknowledged, and the log says so.
///
/// Nobody publishes it, so no rule has to bring it.
///
/// ```
/// # use onceward::{Context, Function, HandlerResult, NoValue, UnitOfWork};
/// async fn forget(deleted: NoValue, _: Context) -> HandlerResult {
///     assert!(deleted.key.is_some(), "a compacted topic has keys");
///     Ok(UnitOfWork::new())
/// }
/// let function = Function::new("forget-customers").on(forget);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoValue {
    /// Where it was: the Kafka topic, the Kinesis stream, the `RabbitMQ` queue with its virtual host (`queue::vhost`).
    pub topic: String,
    /// The record's key, the partition key of a stream; `None` if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether the key is in base64, because its bytes are not text.
    #[serde(default)]
    pub key_is_base64: bool,
}

impl Event for NoValue {
    const TYPE: &'static str = "onceward.no-value";

    /// The key, empty if there is none.
    fn subject(&self) -> String {
        self.key.clone().unwrap_or_default()
    }
}
