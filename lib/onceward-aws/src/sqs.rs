use async_trait::async_trait;
use aws_sdk_sqs::{
    Client,
    types::{ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue},
};
use chrono::SecondsFormat;
use onceward::{DeadLetter, DeadLetterError, DeadLetterQueue, Postponement, Visibility, VisibilityError};

/// The most entries a batch call takes:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html>.
const BATCH_ENTRIES_MAX: usize = 10;

/// The most bytes a message may have, its attributes' names, types and values included:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// What the name of a FIFO queue ends with.
pub(crate) const FIFO_SUFFIX: &str = ".fifo";

/// The type of an attribute that is text.
const STRING: &str = "String";

/// The longest text of an attribute that explains a dead letter, in characters: the attributes count as part of the
/// message, which has a limit.
const EXPLANATION_CHARS_MAX: usize = 1_000;

/// The queue that feeds a function, and its dead-letter queue.
#[derive(Debug, Clone)]
pub struct SqsQueues {
    client: Client,
    queue_url: String,
    dead_letter_queue_url: String,
}

impl SqsQueues {
    /// Both queues by their URLs.
    pub fn new(client: Client, queue_url: impl Into<String>, dead_letter_queue_url: impl Into<String>) -> Self {
        Self { client, queue_url: queue_url.into(), dead_letter_queue_url: dead_letter_queue_url.into() }
    }
}

#[async_trait]
impl DeadLetterQueue for SqsQueues {
    async fn send(&self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| DeadLetterError { source };
        let mut request = self.client.send_message().queue_url(&self.dead_letter_queue_url).message_body(&letter.body);
        for (name, value) in explanation(letter) {
            let value = MessageAttributeValue::builder().data_type(STRING).string_value(value).build();
            request = request.message_attributes(name, value.map_err(|error| failed(error.into()))?);
        }
        if self.dead_letter_queue_url.ends_with(FIFO_SUFFIX) {
            let group = letter.group.as_ref().unwrap_or(&letter.message_id);
            request = request.message_group_id(group).message_deduplication_id(&letter.message_id);
        }
        request.send().await.map(drop).map_err(|error| failed(error.into()))
    }
}

/// What is known about the letter, as message attributes: at most ten, none empty, the most telling first, and no more
/// than there is room for beside the body. A body of the largest size leaves none: the log then has the reason alone.
fn explanation(letter: &DeadLetter) -> Vec<(&'static str, String)> {
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let (id, event_type) = letter.event.clone().unwrap_or_default();
    let attributes = [
        ("reason", letter.reason.as_str().to_owned()),
        ("function", letter.function.clone()),
        ("attempts", letter.attempts.to_string()),
        ("last_failed_at", time(letter.last_failed_at)),
        ("event_type", sendable(&event_type)),
        ("event_id", sendable(&id)),
        ("error", sendable(&letter.error)),
        ("source", letter.source.clone()),
        ("first_failed_at", time(letter.first_failed_at)),
        ("encoding", if letter.is_base64 { "base64".to_owned() } else { String::new() }),
    ];
    let mut room = MESSAGE_BYTES_MAX.saturating_sub(letter.body.len());
    let fitting = attributes.into_iter().filter(|(name, value)| {
        let size = name.len() + STRING.len() + value.len();
        let fits = !value.is_empty() && size <= room;
        room -= if fits { size } else { 0 };
        fits
    });
    fitting.collect()
}

/// SQS refuses control characters and two code points that JSON allows:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
fn sendable(text: &str) -> String {
    let allowed = |&character: &char| {
        matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..) && character != '\u{fffe}'
    };
    text.chars().filter(allowed).take(EXPLANATION_CHARS_MAX).collect()
}

#[async_trait]
impl Visibility for SqsQueues {
    async fn postpone(&self, postponements: &[Postponement]) -> Result<(), VisibilityError> {
        let total = postponements.len();
        let mut failed = 0;
        let mut source = None;
        for chunk in postponements.chunks(BATCH_ENTRIES_MAX) {
            let entries = chunk.iter().enumerate().map(|(index, postponement)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(&postponement.receipt_handle)
                    .visibility_timeout(whole_seconds(postponement.delay))
                    .build()
                    .expect("id and receipt handle are set")
            });
            let request = self.client.change_message_visibility_batch().queue_url(&self.queue_url);
            match request.set_entries(Some(entries.collect())).send().await {
                Ok(answer) => {
                    failed += answer.failed().len();
                    source = source.or_else(|| Some(answer.failed().first()?.message().unwrap_or("refused").into()));
                }
                Err(error) => {
                    failed += chunk.len();
                    source = Some(error.into());
                }
            }
        }
        source.map_or(Ok(()), |source| Err(VisibilityError { failed, total, source }))
    }
}

/// Rounded up: the message must not be back before the delay is over.
fn whole_seconds(delay: std::time::Duration) -> i32 {
    i32::try_from(delay.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use onceward::Reason;

    use super::*;

    fn names(body_bytes: usize) -> Vec<&'static str> {
        let letter = DeadLetter {
            body: "x".repeat(body_bytes),
            is_base64: false,
            group: None,
            message_id: "m".to_owned(),
            reason: Reason::MalformedEvent,
            error: "e".repeat(5_000),
            function: "f".to_owned(),
            source: "s".to_owned(),
            attempts: 1,
            first_failed_at: DateTime::UNIX_EPOCH,
            last_failed_at: DateTime::UNIX_EPOCH,
            event: None,
        };
        explanation(&letter).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn a_large_body_keeps_the_attributes_that_fit_beside_it() {
        assert_eq!(
            names(10),
            ["reason", "function", "attempts", "last_failed_at", "error", "source", "first_failed_at"]
        );
        assert_eq!(names(MESSAGE_BYTES_MAX - 100), ["reason", "function", "attempts", "last_failed_at"]);
        assert_eq!(names(MESSAGE_BYTES_MAX), [""; 0]);
    }

    #[test]
    fn what_sqs_refuses_is_left_out_of_an_explanation() {
        assert_eq!(sendable("a\u{0}b\u{ffff}c\u{1f600}"), "abc\u{1f600}");
    }
}
