use async_trait::async_trait;
use aws_sdk_sqs::Client;
use onceward::{DeadLetter, DeadLetterError, DeadLetterQueue};

use crate::SqsQueues;

/// Where letters go, if the environment names a place.
#[derive(Debug)]
pub(super) struct DeadLetters {
    queue: Option<SqsQueues>,
}

impl DeadLetters {
    /// The queue of this URL, if the environment has one.
    pub(super) fn new(client: Client, url: Option<String>) -> Self {
        // No messages come from it.
        Self { queue: url.map(|url| SqsQueues::new(client, String::new(), url)) }
    }
}

#[async_trait]
impl DeadLetterQueue for DeadLetters {
    async fn send(&self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let Some(queue) = &self.queue else {
            let (reason, error) = (letter.reason.as_str(), &letter.error);
            let source = format!("no dead-letter queue is named (DEAD_LETTER_QUEUE_URL) for {reason}: {error}");
            return Err(DeadLetterError { source: source.into() });
        };
        queue.send(letter).await
    }
}
