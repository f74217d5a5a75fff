mod form;

use std::fmt::Write as _;

use async_trait::async_trait;
use aws_sdk_sqs::types::MessageAttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use onceward::{DeadLetter, DeadLetterError, DeadLetterQueue};
use sha2::{Digest as _, Sha256};

use self::form::{Form, is_sendable};
use super::{FIFO_SUFFIX, SqsQueues};
use crate::refusal::{BoxError, explained};

/// The most bytes a message may have, its attributes' names, types and values included:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// The attribute that says how to get the body as received.
const ENCODING: &str = "encoding";

/// The type of an attribute that is text.
const STRING: &str = "String";

/// The longest message group and deduplication id.
const GROUP_CHARS_MAX: usize = 128;

/// The longest text of an attribute that explains a dead letter, in characters: the attributes count as part of the
/// message, which has a limit.
const EXPLANATION_CHARS_MAX: usize = 1_000;

/// What IAM calls the action.
const SEND_MESSAGE: &str = "sqs:SendMessage";

#[async_trait]
impl DeadLetterQueue for SqsQueues {
    async fn send(&self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let failed = |source: BoxError| DeadLetterError { source };
        let form = Form::of(letter);
        let mut request = self.client.send_message().queue_url(&self.dead_letter_queue_url);
        for (name, value) in attributes(letter, &form) {
            let value = MessageAttributeValue::builder().data_type(STRING).string_value(value).build();
            request = request.message_attributes(name, value.map_err(|error| failed(error.into()))?);
        }
        if self.dead_letter_queue_url.ends_with(FIFO_SUFFIX) {
            request = request.message_group_id(group(letter)).message_deduplication_id(deduplication_id(letter));
        }
        let resources = &[self.dead_letter_resource()];
        let sent = request.message_body(form.body).send().await;
        sent.map(drop).map_err(|error| failed(explained(SEND_MESSAGE, resources, error)))
    }
}

/// The message group in a FIFO queue: what ordered the letter, or a group of its own.
fn group(letter: &DeadLetter) -> String {
    let named = letter.group.as_ref().filter(|group| is_group(group)).unwrap_or(&letter.message_id);
    if is_group(named) { named.clone() } else { sha256(&[named.as_bytes()]) }
}

/// Whether SQS takes it as a message group; the partition key of a stream or a topic may be anything.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn is_group(key: &str) -> bool {
    (1..=GROUP_CHARS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Of everything that tells one letter from another. The message id alone does not: the events of one ledger record
/// share a sequence number, and a broker's message may have any that its producer likes. SQS would drop the second
/// letter in silence.
fn deduplication_id(letter: &DeadLetter) -> String {
    let parts = [&letter.function, &letter.source, &letter.message_id, &letter.body];
    // With its length before it no part can pass for a piece of the next.
    let parts = parts.map(|part| (u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes(), part.as_bytes()));
    let parts: Vec<_> = parts.iter().flat_map(|(length, part)| [length.as_slice(), part]).collect();
    sha256(&parts)
}

/// SHA-256 in lower-case hexadecimal.
fn sha256(parts: &[&[u8]]) -> String {
    let digest = parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How to read the body, and what is known about the letter, as message attributes: at most ten, none empty, the most
/// telling first, and no more than there is room for beside the body. A body of the largest size leaves none: the log
/// then has the reason alone. The encoding always has room.
fn attributes(letter: &DeadLetter, form: &Form<'_>) -> Vec<(&'static str, String)> {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let (id, event_type) = letter.event.clone().unwrap_or_default();
    let attributes = [
        (ENCODING, form.encoding.unwrap_or_default().to_owned()),
        ("reason", letter.reason.as_str().to_owned()),
        ("function", letter.function.clone()),
        ("attempts", letter.attempts.to_string()),
        ("last_failed_at", time(letter.last_failed_at)),
        ("event_type", sendable(&event_type)),
        ("event_id", sendable(&id)),
        ("error", sendable(&letter.error)),
        ("source", sendable(&letter.source)),
        ("first_failed_at", time(letter.first_failed_at)),
    ];
    let mut room = MESSAGE_BYTES_MAX.saturating_sub(form.body.len());
    let fitting = attributes.into_iter().filter(|(name, value)| {
        let size = attribute_bytes(name, value);
        let fits = !value.is_empty() && size <= room;
        room -= if fits { size } else { 0 };
        fits
    });
    fitting.collect()
}

/// What an attribute counts.
fn attribute_bytes(name: &str, value: &str) -> usize {
    name.len() + STRING.len() + value.len()
}

/// As much of an explanation as SQS takes.
fn sendable(text: &str) -> String {
    text.chars().filter(|&character| is_sendable(character)).take(EXPLANATION_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
