//! What event source mappings read: queues and streams of this process, or of another cloud.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use serde_json::Value;

use super::sqs::POLL_WAIT;
use crate::{
    dynamodb::DynamoDb,
    sqs::{Receive, Received, RedrivePolicy, Sqs},
};

/// Where an SQS mapping's messages come from. Queues are named by their ARNs.
#[async_trait]
pub(crate) trait QueueSource: fmt::Debug + Send + Sync {
    /// How long one long poll may wait.
    fn poll_wait(&self) -> Duration;

    /// The next messages. Whoever drops the future has taken none: what it might have got is visible to others.
    async fn receive(&self, queue_arn: &str, request: Receive) -> Result<Vec<Received>, String>;

    /// Deletes messages; answers the ids of those that are still there, with the reason.
    async fn delete(&self, queue_arn: &str, messages: &[&Received]) -> Vec<(String, String)>;

    /// The queue's redrive policy, if it has one and that is known here.
    fn redrive(&self, _queue_arn: &str) -> Option<RedrivePolicy> {
        None
    }

    /// Hides a message for so long from now on. Where that is refused, it is delivered again.
    async fn hide(&self, queue_arn: &str, receipt_handle: &str, visibility: Duration);
}

/// Where a stream mapping's records come from.
#[async_trait]
pub(crate) trait StreamSource: fmt::Debug + Send + Sync {
    /// `DescribeTable`, `DescribeStream`, `GetShardIterator` or `GetRecords`, in the words of `DynamoDB`'s JSON protocol.
    async fn call(&self, action: &'static str, request: Value) -> Result<Value, SourceError>;
}

/// Why a stream did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action}: {message}")]
pub(crate) struct SourceError {
    pub(crate) action: &'static str,
    /// `ExpiredIteratorException`, …; empty if it is none of `DynamoDB`'s.
    pub(crate) code: String,
    pub(crate) message: String,
}

#[async_trait]
impl QueueSource for Sqs {
    fn poll_wait(&self) -> Duration {
        POLL_WAIT
    }

    /// It takes when it is ready, and then it is not dropped.
    async fn receive(&self, queue_arn: &str, request: Receive) -> Result<Vec<Received>, String> {
        Sqs::receive(self, queue_arn, request).await.map_err(|error| error.to_string())
    }

    async fn delete(&self, queue_arn: &str, messages: &[&Received]) -> Vec<(String, String)> {
        let delete = |message: &&Received| {
            let error = Sqs::delete(self, queue_arn, &message.receipt_handle).err()?;
            Some((message.message_id.clone(), error.to_string()))
        };
        messages.iter().filter_map(delete).collect()
    }

    fn redrive(&self, queue_arn: &str) -> Option<RedrivePolicy> {
        self.peek(queue_arn, |entry| entry.queue.settings().redrive.clone()).ok()?
    }

    async fn hide(&self, queue_arn: &str, receipt_handle: &str, visibility: Duration) {
        // Refused after 12 hours.
        drop(self.change_visibility(queue_arn, receipt_handle, visibility));
    }
}

#[async_trait]
impl StreamSource for DynamoDb {
    async fn call(&self, action: &'static str, request: Value) -> Result<Value, SourceError> {
        let fault = |message: String| SourceError { action, code: String::new(), message };
        let (dynamodb, request) = (self.clone(), request.to_string());
        let answer = if action == "GetRecords" {
            let reading = tokio::task::spawn_blocking(move || dynamodb.execute(action, request.as_bytes()));
            reading.await.map_err(|error| fault(error.to_string()))?
        } else {
            dynamodb.execute(action, request.as_bytes())
        };
        let answer = answer.map_err(|failure| fault(failure.to_string()))?;
        serde_json::from_slice(&answer).map_err(|error| fault(error.to_string()))
    }
}
