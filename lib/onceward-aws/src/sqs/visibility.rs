use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::{BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry};
use onceward::{Backoff, Clock as _, Postponement, Visibility, VisibilityError};

use super::SqsQueues;
use crate::{
    SystemClock, SystemRandomness,
    refusal::{BoxError, Said, explain, explained},
};

/// The most entries a batch call takes:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html>.
const BATCH_ENTRIES_MAX: usize = 10;

/// How often a message's visibility is asked for while the fault is not ours.
const POSTPONE_TRIES_MAX: u32 = 2;

/// What IAM calls the action.
const CHANGE_MESSAGE_VISIBILITY: &str = "sqs:ChangeMessageVisibility";

#[async_trait]
impl Visibility for SqsQueues {
    async fn postpone(&self, postponements: &[Postponement]) -> Result<(), VisibilityError> {
        let total = postponements.len();
        let mut failed = 0;
        let mut source = None;
        for chunk in postponements.chunks(BATCH_ENTRIES_MAX) {
            if let Err((count, error)) = self.postpone_chunk(chunk).await {
                failed += count;
                source = source.or(Some(error));
            }
        }
        source.map_or(Ok(()), |source| Err(VisibilityError { failed, total, source }))
    }
}

impl SqsQueues {
    /// `Err` says how many were not changed, and why the first of them was not.
    async fn postpone_chunk(&self, chunk: &[Postponement]) -> Result<(), (usize, BoxError)> {
        let mut entries: Vec<_> = chunk.iter().enumerate().map(entry).collect();
        let (mut refused, mut source) = (0, None);
        for attempt in 1..=POSTPONE_TRIES_MAX {
            let request = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
            let answer = request.set_entries(Some(entries.clone())).send().await.map_err(|error| {
                (refused + entries.len(), explained(CHANGE_MESSAGE_VISIBILITY, &[self.resource()], error))
            })?;
            let failures = answer.failed();
            let last = attempt == POSTPONE_TRIES_MAX;
            let final_one = failures.iter().find(|failure| last || failure.sender_fault());
            source = source.or_else(|| final_one.map(|failure| self.reason(failure)));
            // A message that was deleted, or whose handle has expired, is lost to us; the rest may be tried again.
            let again = |id: &str| failures.iter().any(|failure| failure.id() == id && !failure.sender_fault());
            refused += failures.iter().filter(|failure| failure.sender_fault()).count();
            entries.retain(|entry| again(entry.id()));
            if entries.is_empty() {
                break;
            }
            if !last {
                SystemClock.sleep(Backoff::COMMITS.after(attempt, &SystemRandomness)).await;
            }
        }
        match (refused + entries.len(), source) {
            (failed @ 1.., Some(source)) => Err((failed, source)),
            _ => Ok(()),
        }
    }

    fn reason(&self, failure: &BatchResultErrorEntry) -> BoxError {
        let message = failure.message().map(str::to_owned);
        let said = Said { code: Some(failure.code().to_owned()), message, status: None, request_id: None };
        explain(CHANGE_MESSAGE_VISIBILITY, &[self.resource()], said)
    }
}

fn entry((index, postponement): (usize, &Postponement)) -> ChangeMessageVisibilityBatchRequestEntry {
    ChangeMessageVisibilityBatchRequestEntry::builder()
        .id(index.to_string())
        .receipt_handle(&postponement.receipt_handle)
        .visibility_timeout(whole_seconds(postponement.delay.min(VISIBILITY_MAX)))
        .build()
        .expect("id and receipt handle are set")
}

/// The longest that a message is hidden again. SQS allows 12 hours from the receive, and Lambda may have had the message
/// for 20 minutes since: a batching window of up to 5, a run of up to 15.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>
const VISIBILITY_MAX: Duration = Duration::from_mins(12 * 60 - 20);

/// Rounded up: the message must not be back before the delay is over.
fn whole_seconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}
