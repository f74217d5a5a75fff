//! What a queue checks of a message before it takes it.

use super::digest;
use super::error::SqsError;
use super::message::{Message, Outgoing};
use super::settings::Settings;
use std::time::Duration;

/// Checks `outgoing` against the queue's settings; answers the message to store as `id`, and its delay in milliseconds.
pub(crate) fn admit(settings: &Settings, mut outgoing: Outgoing, id: String) -> Result<(Message, u64), SqsError> {
    outgoing.check(settings.message_bytes_max)?;
    let delay_ms = match outgoing.delay {
        Some(delay) if settings.fifo && delay > Duration::ZERO => {
            let reason = "The request include parameter that is not valid for this queue type.";
            return Err(SqsError::parameter("DelaySeconds", delay.as_secs(), reason));
        }
        Some(delay) if !settings.fifo => milliseconds(delay),
        _ => settings.delay_ms,
    };
    if settings.fifo {
        if outgoing.group_id.is_none() {
            return Err(SqsError::MissingParameter { parameter: "MessageGroupId" });
        }
        if outgoing.deduplication_id.is_none() {
            if !settings.content_based_deduplication {
                let reason = "The queue should either have ContentBasedDeduplication enabled or \
                              MessageDeduplicationId provided explicitly";
                return Err(SqsError::InvalidParameterValue { reason: reason.to_owned() });
            }
            outgoing.deduplication_id = Some(digest::content_id(&outgoing.body));
        }
    } else if let Some(id) = &outgoing.deduplication_id {
        let reason = "The request includes a parameter that is not valid for this queue type.";
        return Err(SqsError::parameter("MessageDeduplicationId", id, reason));
    }
    Ok((Message::new(id, outgoing), delay_ms))
}

/// Whole milliseconds; no limit of SQS comes near the bounds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
