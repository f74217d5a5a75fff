mod relay;

use std::error::Error;

use async_trait::async_trait;

pub use relay::{Relay, RelayPorts};

use crate::Envelope;

/// Sends events to where rules route them.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// The most events one call takes.
    fn batch_max(&self) -> usize;

    /// The most bytes the events of one call may have together. An event larger than that is sent alone.
    fn batch_bytes_max(&self) -> usize;

    /// Sends the events; answers the places in `envelopes` of those that were refused.
    async fn publish(&self, envelopes: &[&Envelope]) -> Result<Vec<PublishFailure>, PublishError>;
}

/// One event that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishFailure {
    /// Its place in the call.
    pub index: usize,
    /// Why, in the bus's words.
    pub reason: String,
    /// Whether the bus will refuse the same event whenever it is sent. What a permission, a quota or time can mend is not
    /// permanent.
    pub permanent: bool,
}

/// A call that failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("the events could not be sent")]
pub struct PublishError {
    /// What the bus says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
    /// Whether an event in the call makes it one that the bus will never take.
    pub permanent: bool,
}

/// One record of the ledger's stream: the events of one commit.
#[derive(Debug)]
pub struct StreamRecord {
    /// The stream's name for the place of the record.
    pub sequence_number: String,
    /// ARN of the stream.
    pub source: String,
    /// What the commit published, in order, or what stands there in place of an event.
    pub events: Vec<Result<Envelope, UnreadableEvent>>,
}

/// Something in a ledger record's outbox that is no event: this library did not write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableEvent {
    /// What was found, as text.
    pub body: String,
    /// What is wrong with it. It may quote what was found.
    pub error: String,
}

#[cfg(test)]
mod tests;
