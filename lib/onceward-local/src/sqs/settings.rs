//! Attributes of a queue: their names, defaults, ranges, and what they mean to the engine.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use super::error::SqsError;
use super::limits;
use super::redrive::{RedriveAllowPolicy, RedrivePolicy};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Attributes that may be empty, which removes them.
const REMOVABLE: [&str; 4] = ["Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId"];
/// Attributes that only a FIFO queue has.
const FIFO_ONLY: [&str; 3] = ["ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"];

/// A queue's attributes, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Every attribute that has a value, as `GetQueueAttributes` tells it.
    values: BTreeMap<String, String>,
    pub(crate) fifo: bool,
    pub(crate) visibility_ms: u64,
    pub(crate) delay_ms: u64,
    pub(crate) retention_ms: u64,
    pub(crate) wait: Duration,
    pub(crate) message_bytes_max: u64,
    pub(crate) content_based_deduplication: bool,
    /// `DeduplicationScope` is `messageGroup`.
    pub(crate) deduplicate_per_group: bool,
    pub(crate) redrive: Option<RedrivePolicy>,
    pub(crate) redrive_allow: RedriveAllowPolicy,
}

impl Settings {
    /// The settings of a new queue `name`: the defaults, changed by `given`.
    pub(crate) fn new(name: &str, given: &BTreeMap<String, String>) -> Result<Self, SqsError> {
        let fifo = given.get("FifoQueue").map(|value| boolean("FifoQueue", value)).transpose()?;
        if fifo == Some(false) {
            let reason = "Unknown Attribute FifoQueue: leave it out for a standard queue.".to_owned();
            return Err(SqsError::InvalidAttributeName { reason });
        }
        let fifo = fifo.is_some();
        check_name(name, fifo)?;
        let mut values: BTreeMap<String, String> = [
            ("VisibilityTimeout", limits::VISIBILITY_DEFAULT_S),
            ("DelaySeconds", 0),
            ("MaximumMessageSize", limits::MESSAGE_BYTES_MAX as u64),
            ("MessageRetentionPeriod", limits::RETENTION_DEFAULT_S),
            ("ReceiveMessageWaitTimeSeconds", 0),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_string()))
        .into();
        values.insert("SqsManagedSseEnabled".to_owned(), "true".to_owned());
        if fifo {
            for (name, value) in [
                ("FifoQueue", "true"),
                ("ContentBasedDeduplication", "false"),
                ("DeduplicationScope", "queue"),
                ("FifoThroughputLimit", "perQueue"),
            ] {
                values.insert(name.to_owned(), value.to_owned());
            }
        }
        let given = given.iter().filter(|(name, _)| *name != "FifoQueue");
        Self::apply(values, given)
    }

    /// Settings as they were stored: all that [`values`](Self::values) gave.
    pub(crate) fn stored(values: BTreeMap<String, String>) -> Result<Self, SqsError> {
        let fifo = values.contains_key("FifoQueue");
        Self::read(values, fifo)
    }

    /// These settings, changed by `given`.
    pub(crate) fn changed(&self, given: &BTreeMap<String, String>) -> Result<Self, SqsError> {
        if given.contains_key("FifoQueue") {
            let reason = "FifoQueue can be set only when the queue is created.".to_owned();
            return Err(SqsError::InvalidAttributeName { reason });
        }
        Self::apply(self.values.clone(), given)
    }

    /// Every attribute that has a value.
    pub(crate) fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    fn apply<'a>(
        mut values: BTreeMap<String, String>,
        given: impl IntoIterator<Item = (&'a String, &'a String)> + Clone,
    ) -> Result<Self, SqsError> {
        let fifo = values.contains_key("FifoQueue");
        for (name, value) in given.clone() {
            if !fifo && FIFO_ONLY.contains(&name.as_str()) {
                let reason = format!("You can specify the {name} only when FifoQueue is set to true.");
                return Err(SqsError::InvalidAttributeName { reason });
            }
            if value.is_empty() && REMOVABLE.contains(&name.as_str()) {
                values.remove(name);
            } else {
                values.insert(name.clone(), canonical(name, value)?);
            }
        }
        encryption(&mut values, given)?;
        Self::read(values, fifo)
    }

    /// Reads what the engine needs out of checked values.
    fn read(values: BTreeMap<String, String>, fifo: bool) -> Result<Self, SqsError> {
        let number = |name: &str| values.get(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
        let is = |name: &str, value: &str| values.get(name).is_some_and(|it| it == value);
        if is("FifoThroughputLimit", "perMessageGroupId") && !is("DeduplicationScope", "messageGroup") {
            return Err(SqsError::InvalidAttributeValue {
                attribute: "FifoThroughputLimit".to_owned(),
                reason: "perMessageGroupId is allowed only when DeduplicationScope is messageGroup.".to_owned(),
            });
        }
        Ok(Self {
            fifo,
            visibility_ms: number("VisibilityTimeout") * 1_000,
            delay_ms: number("DelaySeconds") * 1_000,
            retention_ms: number("MessageRetentionPeriod") * 1_000,
            wait: Duration::from_secs(number("ReceiveMessageWaitTimeSeconds")),
            message_bytes_max: number("MaximumMessageSize"),
            content_based_deduplication: is("ContentBasedDeduplication", "true"),
            deduplicate_per_group: is("DeduplicationScope", "messageGroup"),
            redrive: values.get("RedrivePolicy").map(|text| RedrivePolicy::parse(text)).transpose()?,
            redrive_allow: match values.get("RedriveAllowPolicy") {
                Some(text) => RedriveAllowPolicy::parse(text)?,
                None => RedriveAllowPolicy::AllowAll,
            },
            values,
        })
    }
}

/// The attribute's value as it is kept and compared, if it is one it may have.
pub(crate) fn canonical(name: &str, value: &str) -> Result<String, SqsError> {
    let one_of = |allowed: &[&str]| {
        if allowed.contains(&value) {
            return Ok(value.to_owned());
        }
        Err(invalid(name, format!("must be one of {}.", allowed.join(", "))))
    };
    match name {
        "VisibilityTimeout" => number(name, value, &limits::VISIBILITY_S),
        "DelaySeconds" => number(name, value, &limits::DELAY_S),
        "MaximumMessageSize" => number(name, value, &limits::MAXIMUM_MESSAGE_SIZE_BYTES),
        "MessageRetentionPeriod" => number(name, value, &limits::RETENTION_S),
        "ReceiveMessageWaitTimeSeconds" => number(name, value, &limits::WAIT_S),
        "KmsDataKeyReusePeriodSeconds" => number(name, value, &limits::KMS_REUSE_S),
        "FifoQueue" | "ContentBasedDeduplication" | "SqsManagedSseEnabled" => {
            boolean(name, value).map(|it| it.to_string())
        }
        "DeduplicationScope" => one_of(&["queue", "messageGroup"]),
        "FifoThroughputLimit" => one_of(&["perQueue", "perMessageGroupId"]),
        "Policy" | "RedrivePolicy" | "RedriveAllowPolicy" => match serde_json::from_str(value) {
            Ok(serde_json::Value::Object(_)) => Ok(value.to_owned()),
            _ => Err(invalid(name, "must be a JSON object.".to_owned())),
        },
        "KmsMasterKeyId" => Ok(value.to_owned()),
        _ => Err(SqsError::InvalidAttributeName { reason: format!("Unknown Attribute {name}.") }),
    }
}

/// Either KMS or SQS encrypts, never both; naming a key turns the other off, as on AWS.
fn encryption<'a>(
    values: &mut BTreeMap<String, String>,
    given: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> Result<(), SqsError> {
    if !values.contains_key("KmsMasterKeyId") {
        return Ok(());
    }
    if given.into_iter().any(|(name, value)| name == "SqsManagedSseEnabled" && value == "true") {
        let reason = "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE \
                      or SQS SSE."
            .to_owned();
        return Err(SqsError::InvalidAttributeName { reason });
    }
    values.insert("SqsManagedSseEnabled".to_owned(), "false".to_owned());
    values.entry("KmsDataKeyReusePeriodSeconds".to_owned()).or_insert_with(|| limits::KMS_REUSE_DEFAULT_S.to_string());
    Ok(())
}

fn number(name: &str, value: &str, range: &RangeInclusive<u64>) -> Result<String, SqsError> {
    match value.parse::<u64>() {
        Ok(number) if range.contains(&number) => Ok(number.to_string()),
        _ => Err(invalid(name, format!("must be an integer from {} to {}.", range.start(), range.end()))),
    }
}

fn boolean(name: &str, value: &str) -> Result<bool, SqsError> {
    value.to_ascii_lowercase().parse().map_err(|_| invalid(name, "must be true or false.".to_owned()))
}

fn invalid(name: &str, reason: String) -> SqsError {
    SqsError::InvalidAttributeValue { attribute: name.to_owned(), reason }
}

fn check_name(name: &str, fifo: bool) -> Result<(), SqsError> {
    let stem = if fifo { name.strip_suffix(".fifo").unwrap_or_default() } else { name };
    let plain = stem.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if plain && !stem.is_empty() && name.len() <= limits::QUEUE_NAME_CHARS_MAX {
        return Ok(());
    }
    let reason = if fifo {
        "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with \
         .fifo suffix and be 1 to 80 in length"
    } else {
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
    };
    Err(SqsError::InvalidParameterValue { reason: format!("{reason}; the name is '{name}'.") })
}
