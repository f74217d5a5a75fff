//! Redrive policies: where a message goes that was received too often, and which queues a dead-letter queue takes.

use super::error::SqsError;
use super::limits;
use serde_json::Value;

/// A queue's `RedrivePolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedrivePolicy {
    /// The policy as it was given, to name it in errors.
    pub(crate) text: String,
    /// Where to.
    pub(crate) dead_letter_arn: String,
    /// Receives after which the next one moves the message instead: 1 to 1,000.
    pub(crate) receives_max: u32,
}

/// A dead-letter queue's `RedriveAllowPolicy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RedriveAllowPolicy {
    AllowAll,
    DenyAll,
    ByQueue(Vec<String>),
}

impl RedrivePolicy {
    pub(crate) fn parse(text: &str) -> Result<Self, SqsError> {
        let refuse = |reason: &str| SqsError::parameter("RedrivePolicy", text, reason);
        let policy: Value = serde_json::from_str(text).map_err(|_| refuse("It is not JSON."))?;
        let dead_letter_arn = policy["deadLetterTargetArn"].as_str().unwrap_or_default();
        if !is_queue_arn(dead_letter_arn) {
            return Err(refuse("Invalid value for deadLetterTargetArn."));
        }
        let receives_max = match &policy["maxReceiveCount"] {
            Value::Null => Some(limits::RECEIVE_COUNT_DEFAULT),
            Value::String(text) => text.parse().ok(),
            value => value.as_u64(),
        };
        let receives_max = receives_max
            .filter(|count| limits::RECEIVE_COUNT.contains(count))
            .and_then(|count| u32::try_from(count).ok())
            .ok_or_else(|| {
                refuse("Invalid value for maxReceiveCount; valid values are from 1 to 1000 both inclusive.")
            })?;
        Ok(Self { text: text.to_owned(), dead_letter_arn: dead_letter_arn.to_owned(), receives_max })
    }

    /// The policy is refused because of `reason`.
    pub(crate) fn refused(&self, reason: &str) -> SqsError {
        SqsError::parameter("RedrivePolicy", &self.text, reason)
    }
}

impl RedriveAllowPolicy {
    pub(crate) fn parse(text: &str) -> Result<Self, SqsError> {
        let refuse = |reason: &str| SqsError::parameter("RedriveAllowPolicy", text, reason);
        let policy: Value = serde_json::from_str(text).map_err(|_| refuse("It is not JSON."))?;
        let sources: Vec<String> = match &policy["sourceQueueArns"] {
            Value::Array(arns) => arns.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        match policy["redrivePermission"].as_str() {
            Some("byQueue") if !(1..=limits::REDRIVE_SOURCES_MAX).contains(&sources.len()) => {
                Err(refuse("byQueue takes 1 to 10 sourceQueueArns."))
            }
            Some("byQueue") if !sources.iter().all(|arn| is_queue_arn(arn)) => {
                Err(refuse("sourceQueueArns must be ARNs of queues."))
            }
            Some("byQueue") => Ok(Self::ByQueue(sources)),
            Some(_) if !sources.is_empty() => Err(refuse("sourceQueueArns goes only with byQueue.")),
            Some("allowAll") => Ok(Self::AllowAll),
            Some("denyAll") => Ok(Self::DenyAll),
            _ => Err(refuse("redrivePermission must be allowAll, denyAll or byQueue.")),
        }
    }

    pub(crate) fn allows(&self, source_arn: &str) -> bool {
        match self {
            Self::AllowAll => true,
            Self::DenyAll => false,
            Self::ByQueue(arns) => arns.iter().any(|arn| arn == source_arn),
        }
    }
}

/// `arn:{partition}:sqs:{region}:{account}:{name}`.
pub(crate) fn is_queue_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    matches!(parts.as_slice(), ["arn", _, "sqs", _, _, name] if !name.is_empty())
}
