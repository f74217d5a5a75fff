mod dead_letters;
mod receive_limit;
#[cfg(test)]
mod tests;
mod visibility;

use std::sync::Arc;

use aws_sdk_sqs::Client;
pub(crate) use receive_limit::ReceiveLimits;

use crate::{refusal::Resource, settings};

/// What the name of a FIFO queue ends with.
pub(crate) const FIFO_SUFFIX: &str = ".fifo";

/// The queue that feeds a function, and its dead-letter queue.
#[derive(Debug, Clone)]
pub struct SqsQueues {
    client: Client,
    queue_url: String,
    dead_letter_queue_url: String,
    limits: Arc<ReceiveLimits>,
}

impl SqsQueues {
    /// Both queues by their URLs.
    pub fn new(client: Client, queue_url: impl Into<String>, dead_letter_queue_url: impl Into<String>) -> Self {
        let limits = Arc::new(ReceiveLimits::new(None));
        Self { client, queue_url: queue_url.into(), dead_letter_queue_url: dead_letter_queue_url.into(), limits }
    }

    /// With limits that outlive it.
    pub(crate) fn limited(self, limits: Arc<ReceiveLimits>) -> Self {
        Self { limits, ..self }
    }

    /// The function's own queue, as an error names it: the messages say which it is, no variable does.
    fn resource(&self) -> Resource {
        Resource { kind: "queue", name: self.queue_url.clone(), variable: None }
    }

    /// The dead-letter queue, as an error names it.
    fn dead_letter_resource(&self) -> Resource {
        let variable = Some(settings::DEAD_LETTER_QUEUE_URL.to_owned());
        Resource { kind: "queue", name: self.dead_letter_queue_url.clone(), variable }
    }
}
