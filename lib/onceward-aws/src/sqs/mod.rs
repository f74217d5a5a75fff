mod dead_letters;
#[cfg(test)]
mod tests;
mod visibility;

use aws_sdk_sqs::Client;

use crate::{refusal::Resource, settings};

/// The queue that feeds a function, and its dead-letter queue.
#[derive(Debug, Clone)]
pub struct SqsQueues {
    client: Client,
    queue_url: String,
    dead_letter_queue_url: Option<String>,
}

impl SqsQueues {
    /// Both queues by their URLs.
    pub fn new(client: Client, queue_url: impl Into<String>, dead_letter_queue_url: impl Into<String>) -> Self {
        let dead_letter_queue_url = Some(dead_letter_queue_url.into());
        Self { client, queue_url: queue_url.into(), dead_letter_queue_url }
    }

    /// A queue that has no dead-letter queue: a message that no retry can help stays in it until its own redrive policy
    /// or its retention ends that.
    pub fn without_dead_letters(client: Client, queue_url: impl Into<String>) -> Self {
        Self { client, queue_url: queue_url.into(), dead_letter_queue_url: None }
    }

    /// The function's own queue, as an error names it.
    fn resource(&self) -> Resource {
        let variable = Some(settings::QUEUE_URL.to_owned());
        Resource { kind: "queue", name: self.queue_url.clone(), variable }
    }
}

/// The dead-letter queue, as an error names it.
fn dead_letter_resource(url: &str) -> Resource {
    let variable = Some(settings::DEAD_LETTER_QUEUE_URL.to_owned());
    Resource { kind: "queue", name: url.to_owned(), variable }
}
