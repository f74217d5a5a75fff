use async_trait::async_trait;
use aws_sdk_sqs::types::MessageAttributeValue;
use chrono::SecondsFormat;
use onceward::{DeadLetter, DeadLetterError, DeadLetterQueue};

use super::{FIFO_SUFFIX, SqsQueues};
use crate::refusal::{BoxError, explained};

/// The most bytes a message may have, its attributes' names, types and values included:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const MESSAGE_BYTES_MAX: usize = 1_048_576;

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
        let mut request = self.client.send_message().queue_url(&self.dead_letter_queue_url).message_body(&letter.body);
        for (name, value) in explanation(letter) {
            let value = MessageAttributeValue::builder().data_type(STRING).string_value(value).build();
            request = request.message_attributes(name, value.map_err(|error| failed(error.into()))?);
        }
        if self.dead_letter_queue_url.ends_with(FIFO_SUFFIX) {
            let group = letter.group.as_ref().filter(|group| is_group(group)).unwrap_or(&letter.message_id);
            request = request.message_group_id(group).message_deduplication_id(&letter.message_id);
        }
        let resources = &[self.dead_letter_resource()];
        request.send().await.map(drop).map_err(|error| failed(explained(SEND_MESSAGE, resources, error)))
    }
}

/// Whether SQS takes it as a message group; the partition key of a stream or a topic may be anything.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn is_group(key: &str) -> bool {
    (1..=GROUP_CHARS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
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
    fn a_message_group_is_what_sqs_takes_as_one() {
        assert!(is_group("orders/7!") && is_group(&"x".repeat(128)));
        assert!(!is_group("") && !is_group("a b") && !is_group("ä") && !is_group(&"x".repeat(129)));
    }

    #[test]
    fn what_sqs_refuses_is_left_out_of_an_explanation() {
        assert_eq!(sendable("a\u{0}b\u{ffff}c\u{1f600}"), "abc\u{1f600}");
    }
}
