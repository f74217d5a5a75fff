//! A message as it is published, and as the queues receive it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::error::SnsError;
use super::subscription::{Protocol, Subscription};
use super::topic::{FIFO_SUFFIX, Topic};
use crate::account::Account;
use crate::sqs::{AttributeValue, MessageAttribute, Outgoing, check_fifo_id, content_id};

/// Message and attributes together, in bytes, unless the topic says otherwise.
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
pub const MESSAGE_SIZE_MAX_BYTES: usize = 256 * 1024;

/// Length of a subject in characters, by the same page.
const SUBJECT_MAX_CHARS: usize = 100;

/// Length of a message attribute's name in characters.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>
const ATTRIBUTE_NAME_MAX_CHARS: usize = 256;

/// What stands where AWS puts a signature.
const UNSIGNED: &str = "the local cloud does not sign notifications";

/// A message to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The topic.
    pub topic_arn: String,
    /// The text; not empty.
    pub message: String,
    /// Up to 100 characters, none of which is a control character.
    pub subject: Option<String>,
    /// Message attributes by name.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// Texts for single protocols (`sqs`, `lambda`) in place of `message`: what `MessageStructure` `json` says.
    pub per_protocol: BTreeMap<String, String>,
    /// Required by a FIFO topic; from a standard topic it goes on to standard queues.
    pub group_id: Option<String>,
    /// FIFO only: a second message with this id within 5 minutes is accepted and dropped.
    pub deduplication_id: Option<String>,
}

impl Publication {
    /// Size in bytes: message, and names, types and values of the attributes.
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, attribute)| {
            let value = match &attribute.value {
                AttributeValue::Text(text) => text.len(),
                AttributeValue::Binary(bytes) => bytes.len(),
            };
            name.len() + attribute.data_type.len() + value
        });
        let message = if self.per_protocol.is_empty() {
            self.message.len()
        } else {
            self.per_protocol.iter().map(|(protocol, text)| protocol.len() + text.len()).sum()
        };
        message + attributes.sum::<usize>()
    }

    /// Checks the message, and gives one of a FIFO topic the deduplication id of its content if it has none.
    pub(super) fn check(&mut self, topic: &Topic) -> Result<(), SnsError> {
        if self.message.is_empty() && self.per_protocol.is_empty() {
            return Err(SnsError::invalid("Message", "Empty message"));
        }
        let bytes_max = topic.message_bytes_max();
        if self.size() > bytes_max {
            return Err(SnsError::invalid("Message", format!("Message too long: more than {bytes_max} bytes")));
        }
        self.check_fifo(topic)?;
        let valid = |subject: &String| {
            (1..=SUBJECT_MAX_CHARS).contains(&subject.chars().count()) && !subject.chars().any(char::is_control)
        };
        if self.subject.as_ref().is_some_and(|subject| !valid(subject)) {
            let reason = format!("1 to {SUBJECT_MAX_CHARS} characters without line breaks or control characters");
            return Err(SnsError::invalid("Subject", reason));
        }
        self.attributes.iter().try_for_each(|(name, attribute)| check_attribute(name, attribute))
    }

    fn check_fifo(&mut self, topic: &Topic) -> Result<(), SnsError> {
        let ids = [("MessageGroupId", &self.group_id), ("MessageDeduplicationId", &self.deduplication_id)];
        for (name, id) in ids {
            if let Some(Err(refused)) = id.as_deref().map(|id| check_fifo_id(name, id)) {
                return Err(SnsError::invalid(name, refused.to_string()));
            }
        }
        if !topic.is_fifo() && self.deduplication_id.is_some() {
            let reason = "The request includes MessageDeduplicationId parameter that is not valid for this topic type";
            return Err(SnsError::invalid("MessageDeduplicationId", reason));
        }
        if !topic.is_fifo() {
            return Ok(());
        }
        if self.group_id.is_none() {
            let reason = "The MessageGroupId parameter is required for FIFO topics";
            return Err(SnsError::invalid("MessageGroupId", reason));
        }
        if self.deduplication_id.is_none() {
            if !topic.deduplicates_by_content() {
                let reason = "The topic should either have ContentBasedDeduplication enabled or \
                              MessageDeduplicationId provided explicitly";
                return Err(SnsError::invalid("MessageDeduplicationId", reason));
            }
            self.deduplication_id = Some(content_id(&self.message));
        }
        Ok(())
    }
}

fn check_attribute(name: &str, attribute: &MessageAttribute) -> Result<(), SnsError> {
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let invalid = |reason: &str| {
        Err(SnsError::InvalidParameterValue { reason: format!("The message attribute '{name}' is invalid: {reason}") })
    };
    if let Some(reason) = name_fault(name) {
        return invalid(reason);
    }
    match (&attribute.value, kind) {
        (AttributeValue::Text(text), "String" | "Number") if text.is_empty() => invalid("the value is empty"),
        (AttributeValue::Text(_), "String") | (AttributeValue::Binary(_), "Binary") => Ok(()),
        (AttributeValue::Text(text), "Number") if text.parse::<f64>().is_ok() => Ok(()),
        (AttributeValue::Text(_), "Number") => invalid("the value is not a number"),
        _ => invalid("the type must be String, Number or Binary, and the value of that type"),
    }
}

/// Why a message attribute may not be called so.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html>
fn name_fault(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    if !(1..=ATTRIBUTE_NAME_MAX_CHARS).contains(&name.chars().count()) {
        Some("its name must have 1 to 256 characters")
    } else if !name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) {
        Some("its name can contain A-Z, a-z, 0-9, underscore, hyphen and period")
    } else if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        Some("its name must not start or end with a period, or have two in succession")
    } else if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        Some("its name must not start with AWS. or Amazon.")
    } else {
        None
    }
}

/// A message that was accepted.
#[derive(Debug)]
pub(super) struct Notification {
    pub(super) message: Publication,
    pub(super) message_id: String,
    pub(super) at: DateTime<Utc>,
    pub(super) signature_version: String,
    /// FIFO only.
    pub(super) sequence_number: Option<String>,
}

impl Notification {
    /// The text for a protocol.
    pub(super) fn text(&self, protocol: Protocol) -> &str {
        self.message.per_protocol.get(protocol.name()).unwrap_or(&self.message.message)
    }

    /// What the subscribed queue or function receives.
    pub(super) fn outgoing(&self, subscription: &Subscription, account: &Account) -> Outgoing {
        match subscription.protocol {
            Protocol::Lambda => {
                let body = self.lambda_event(subscription, account).to_string();
                Outgoing { body, ..Outgoing::default() }
            }
            Protocol::Sqs => self.to_queue(&subscription.endpoint, subscription, account),
        }
    }

    /// What the queue `queue_arn` receives, be it the subscription's endpoint or its dead-letter queue.
    pub(super) fn to_queue(&self, queue_arn: &str, subscription: &Subscription, account: &Account) -> Outgoing {
        let fifo = queue_arn.ends_with(FIFO_SUFFIX);
        let mut outgoing = Outgoing {
            // From a FIFO topic a standard queue takes neither; from a standard topic it takes the group.
            group_id: self.message.group_id.clone().filter(|_| fifo == self.sequence_number.is_some()),
            deduplication_id: self.message.deduplication_id.clone().filter(|_| fifo),
            ..Outgoing::default()
        };
        if subscription.settings.raw {
            self.text(subscription.protocol).clone_into(&mut outgoing.body);
            outgoing.attributes.clone_from(&self.message.attributes);
        } else {
            outgoing.body = self.envelope(subscription, account).to_string();
        }
        outgoing
    }

    /// <https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html>; queues receive it with the attributes.
    fn envelope(&self, subscription: &Subscription, account: &Account) -> Value {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": self.message_id,
            "TopicArn": self.message.topic_arn,
            "Message": self.text(subscription.protocol),
            "Timestamp": self.timestamp(),
            "SignatureVersion": self.signature_version,
            "Signature": STANDARD.encode(UNSIGNED),
            "SigningCertURL": certificate(account),
            "UnsubscribeURL": unsubscribe(subscription, account),
        });
        if let Some(subject) = &self.message.subject {
            envelope["Subject"] = json!(subject);
        }
        if let Some(number) = &self.sequence_number {
            envelope["SequenceNumber"] = json!(number);
        }
        if !self.message.attributes.is_empty() {
            envelope["MessageAttributes"] = self.typed_attributes();
        }
        envelope
    }

    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html>
    fn lambda_event(&self, subscription: &Subscription, account: &Account) -> Value {
        json!({ "Records": [{
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": subscription.arn,
            "Sns": {
                "Type": "Notification",
                "MessageId": self.message_id,
                "TopicArn": self.message.topic_arn,
                "Subject": self.message.subject,
                "Message": self.text(subscription.protocol),
                "Timestamp": self.timestamp(),
                "SignatureVersion": self.signature_version,
                "Signature": STANDARD.encode(UNSIGNED),
                "SigningCertUrl": certificate(account),
                "UnsubscribeUrl": unsubscribe(subscription, account),
                "MessageAttributes": self.typed_attributes(),
            },
        }]})
    }

    fn timestamp(&self) -> String {
        self.at.to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    fn typed_attributes(&self) -> Value {
        let attributes = self.message.attributes.iter().map(|(name, attribute)| {
            let value = match &attribute.value {
                AttributeValue::Text(text) => text.clone(),
                AttributeValue::Binary(bytes) => STANDARD.encode(bytes),
            };
            (name.clone(), json!({"Type": attribute.data_type, "Value": value}))
        });
        Value::Object(attributes.collect::<Map<_, _>>())
    }
}

fn certificate(account: &Account) -> String {
    format!("{}/SimpleNotificationService.pem", account.endpoint)
}

fn unsubscribe(subscription: &Subscription, account: &Account) -> String {
    format!("{}/?Action=Unsubscribe&SubscriptionArn={}", account.endpoint, subscription.arn)
}
