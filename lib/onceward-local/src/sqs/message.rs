//! Messages: as sent, as stored, as received.

use super::digest;
use super::error::SqsError;
use super::limits;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A message to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// The text; at least one character, and with the attributes at most the queue's `MaximumMessageSize`.
    pub body: String,
    /// Message attributes by name; at most 10.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// Required on a FIFO queue: messages of one group come one after the other.
    pub group_id: Option<String>,
    /// FIFO only: a second message with this id within 5 minutes is accepted and dropped.
    pub deduplication_id: Option<String>,
    /// Standard only: how long to hide it, up to 15 minutes; the queue's `DelaySeconds` if absent.
    pub delay: Option<Duration>,
    /// The system attribute `AWSTraceHeader`: an X-Ray trace header. It does not count as size.
    pub trace_header: Option<String>,
}

/// A typed message attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, each optionally with `.` and a label of one's own.
    pub data_type: String,
    /// The value.
    pub value: AttributeValue,
}

/// Value of a [`MessageAttribute`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttributeValue {
    /// Of a `String` or a `Number`.
    Text(String),
    /// Of a `Binary`.
    Binary(Vec<u8>),
}

/// What SQS answers to a message sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// A UUID. For a duplicate it is that of the first.
    pub message_id: String,
    /// MD5 of the body, in hexadecimal.
    pub md5_of_body: String,
    /// MD5 of the message attributes, if there are any.
    pub md5_of_message_attributes: Option<String>,
    /// FIFO only: grows with every message; 20 digits.
    pub sequence_number: Option<String>,
}

/// How to receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receive {
    /// At most so many messages: 1 to 10.
    pub max: usize,
    /// How long to wait for the first: up to 20 seconds.
    pub wait: Duration,
    /// How long to hide them, up to 12 hours; the queue's `VisibilityTimeout` if absent.
    pub visibility: Option<Duration>,
}

impl Default for Receive {
    /// One message, at once.
    fn default() -> Self {
        Self { max: 1, wait: Duration::ZERO, visibility: None }
    }
}

/// A message received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The id its sender was told.
    pub message_id: String,
    /// Names this receive of the message: what delete and change of visibility take.
    pub receipt_handle: String,
    /// The text.
    pub body: String,
    /// MD5 of the body, in hexadecimal.
    pub md5_of_body: String,
    /// All system attributes: `SentTimestamp`, `ApproximateReceiveCount`, …
    pub attributes: BTreeMap<String, String>,
    /// The sender's attributes.
    pub message_attributes: BTreeMap<String, MessageAttribute>,
    /// MD5 of those, if there are any.
    pub md5_of_message_attributes: Option<String>,
}

/// How many messages a queue holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Ready to be received.
    pub visible: usize,
    /// Received and neither deleted nor visible again.
    pub in_flight: usize,
    /// Sent with a delay that has not ended.
    pub delayed: usize,
}

impl MessageAttribute {
    /// An attribute of type `String`.
    pub fn string(value: impl Into<String>) -> Self {
        Self { data_type: "String".to_owned(), value: AttributeValue::Text(value.into()) }
    }

    fn value_bytes(&self) -> usize {
        match &self.value {
            AttributeValue::Text(text) => text.len(),
            AttributeValue::Binary(bytes) => bytes.len(),
        }
    }

    fn check(&self, name: &str) -> Result<(), SqsError> {
        let refuse = |reason: String| Err(SqsError::InvalidParameterValue { reason });
        let kind = self.data_type.split('.').next().unwrap_or_default();
        if self.data_type.len() > limits::ATTRIBUTE_NAME_CHARS_MAX || !matches!(kind, "String" | "Number" | "Binary") {
            return refuse(format!(
                "The type of message (user) attribute '{name}' is invalid. You must use only the following \
                 supported type prefixes: Binary, Number, String."
            ));
        }
        let fits = matches!(&self.value, AttributeValue::Binary(_)) == (kind == "Binary");
        if !fits || self.value_bytes() == 0 {
            return refuse(format!(
                "The message (user) attribute '{name}' must contain a non-empty message attribute value of type \
                 '{kind}'."
            ));
        }
        match &self.value {
            AttributeValue::Text(text) if kind == "Number" && !text.parse::<f64>().is_ok_and(f64::is_finite) => {
                refuse(format!("Can't cast the value of message (user) attribute '{name}' to a number."))
            }
            AttributeValue::Text(text) => check_characters(text),
            AttributeValue::Binary(_) => Ok(()),
        }
    }
}

impl Outgoing {
    /// What counts against the size limits, in bytes: the body, and the name, type and value of every attribute.
    pub(crate) fn bytes(&self) -> usize {
        let attribute = |(name, it): (&String, &MessageAttribute)| name.len() + it.data_type.len() + it.value_bytes();
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>()
    }

    /// Checks what is the same for every queue.
    pub(crate) fn check(&self, bytes_max: u64) -> Result<(), SqsError> {
        if self.body.is_empty() {
            return Err(SqsError::MissingParameter { parameter: "MessageBody" });
        }
        check_characters(&self.body)?;
        if self.attributes.len() > limits::MESSAGE_ATTRIBUTES_MAX {
            return Err(SqsError::InvalidParameterValue {
                reason: format!(
                    "Number of message attributes [{}] exceeds the allowed maximum [{}].",
                    self.attributes.len(),
                    limits::MESSAGE_ATTRIBUTES_MAX
                ),
            });
        }
        for (name, attribute) in &self.attributes {
            check_attribute_name(name)?;
            attribute.check(name)?;
        }
        if self.bytes() as u64 > bytes_max {
            return Err(SqsError::InvalidParameterValue {
                reason: format!(
                    "One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes."
                ),
            });
        }
        for (parameter, id) in [("MessageGroupId", &self.group_id), ("MessageDeduplicationId", &self.deduplication_id)]
        {
            if let Some(id) = id {
                check_fifo_id(parameter, id)?;
            }
        }
        let delay_max = Duration::from_secs(*limits::DELAY_S.end());
        match self.delay {
            Some(delay) if delay > delay_max => {
                Err(SqsError::parameter("DelaySeconds", delay.as_secs(), "DelaySeconds must be >= 0 and <= 900."))
            }
            _ => Ok(()),
        }
    }
}

/// The part of a stored message that never changes: shared by the queue and those who receive it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) md5_of_body: String,
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) md5_of_attributes: Option<String>,
    pub(crate) group_id: Option<String>,
    pub(crate) deduplication_id: Option<String>,
    pub(crate) trace_header: Option<String>,
}

impl Message {
    /// Digests are computed here, outside any lock.
    pub(crate) fn new(id: String, outgoing: Outgoing) -> Self {
        let Outgoing { body, attributes, group_id, deduplication_id, delay: _, trace_header } = outgoing;
        let md5_of_body = digest::md5_of_body(&body);
        let md5_of_attributes = digest::md5_of_attributes(attributes.iter().map(|(name, it)| (name.as_str(), it)));
        Self { id, body, md5_of_body, attributes, md5_of_attributes, group_id, deduplication_id, trace_header }
    }

    /// The same message under another id.
    pub(crate) fn anew(&self, id: String) -> Self {
        Self { id, ..self.clone() }
    }
}

/// The characters SQS takes: those of XML 1.0.
fn check_characters(text: &str) -> Result<(), SqsError> {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    match text.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((offset, _)) => Err(SqsError::InvalidMessageContents { offset }),
        None => Ok(()),
    }
}

fn check_attribute_name(name: &str) -> Result<(), SqsError> {
    let lower = name.to_ascii_lowercase();
    let reason = if name.is_empty() || name.len() > limits::ATTRIBUTE_NAME_CHARS_MAX {
        "Message (user) attribute names must have 1 to 256 characters."
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
        "Message (user) attribute names can contain A-Z, a-z, 0-9, underscore, hyphen and period."
    } else if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        "Message (user) attribute names must not start or end with a period, or have two in succession."
    } else if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        "You can't use message attribute names beginning with 'AWS.' or 'Amazon.': they are reserved."
    } else {
        return Ok(());
    };
    Err(SqsError::InvalidParameterValue { reason: format!("{reason} The name is '{name}'.") })
}

pub(crate) fn check_fifo_id(parameter: &str, id: &str) -> Result<(), SqsError> {
    if (1..=limits::FIFO_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(());
    }
    let reason = format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length.");
    Err(SqsError::parameter(parameter, id, &reason))
}
