//! A message as it is published, and as the queues receive it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::error::SnsError;
use super::topic::Subscription;
use crate::account::Account;
use crate::sqs::{AttributeValue, MessageAttribute, Outgoing};

/// Message and attributes together, in bytes. <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
pub const MESSAGE_SIZE_MAX_BYTES: usize = 256 * 1024;

/// Length of a subject in characters, by the same page.
const SUBJECT_MAX_CHARS: usize = 100;

/// What stands where AWS puts a signature.
const UNSIGNED: &str = "the local cloud does not sign notifications";

/// A message to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Publication {
    /// The topic.
    pub topic_arn: String,
    /// The text; not empty.
    pub message: String,
    /// Up to 100 printable ASCII characters.
    pub subject: Option<String>,
    /// Message attributes by name.
    pub attributes: BTreeMap<String, MessageAttribute>,
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
        self.message.len() + attributes.sum::<usize>()
    }

    pub(super) fn check(&self) -> Result<(), SnsError> {
        if self.message.is_empty() {
            return Err(SnsError::invalid("Message", "Empty message"));
        }
        if self.size() > MESSAGE_SIZE_MAX_BYTES {
            return Err(SnsError::invalid(
                "Message",
                format!("Message too long: more than {MESSAGE_SIZE_MAX_BYTES} bytes"),
            ));
        }
        let printable = |c: char| c == ' ' || c.is_ascii_graphic();
        let valid = |subject: &String| {
            !subject.is_empty() && subject.len() <= SUBJECT_MAX_CHARS && subject.chars().all(printable)
        };
        if self.subject.as_ref().is_some_and(|subject| !valid(subject)) {
            return Err(SnsError::invalid("Subject", format!("1 to {SUBJECT_MAX_CHARS} printable ASCII characters")));
        }
        self.attributes.iter().try_for_each(|(name, attribute)| check_attribute(name, attribute))
    }
}

fn check_attribute(name: &str, attribute: &MessageAttribute) -> Result<(), SnsError> {
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    let invalid = |reason: &str| Err(SnsError::invalid(format!("MessageAttributes {name}"), reason));
    match (&attribute.value, kind) {
        (AttributeValue::Text(text), "String" | "Number") if text.is_empty() => invalid("the value is empty"),
        (AttributeValue::Text(_), "String") | (AttributeValue::Binary(_), "Binary") => Ok(()),
        (AttributeValue::Text(text), "Number") if text.parse::<f64>().is_ok() => Ok(()),
        (AttributeValue::Text(_), "Number") => invalid("the value is not a number"),
        _ => invalid("the type must be String, Number or Binary, and the value of that type"),
    }
}

/// A message that was accepted.
#[derive(Debug)]
pub(super) struct Notification {
    pub(super) message: Publication,
    pub(super) message_id: String,
    pub(super) at: DateTime<Utc>,
    pub(super) signature_version: String,
}

impl Notification {
    /// What the subscribed queue receives.
    pub(super) fn outgoing(&self, subscription: &Subscription, account: &Account) -> Outgoing {
        if subscription.raw {
            return Outgoing {
                body: self.message.message.clone(),
                attributes: self.message.attributes.clone(),
                ..Outgoing::default()
            };
        }
        Outgoing { body: self.envelope(subscription, account).to_string(), ..Outgoing::default() }
    }

    /// <https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html>; queues receive it with the attributes.
    fn envelope(&self, subscription: &Subscription, account: &Account) -> Value {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": self.message_id,
            "TopicArn": self.message.topic_arn,
            "Message": self.message.message,
            "Timestamp": self.at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "SignatureVersion": self.signature_version,
            "Signature": STANDARD.encode(UNSIGNED),
            "SigningCertURL": format!("{}/SimpleNotificationService.pem", account.endpoint),
            "UnsubscribeURL": format!("{}/?Action=Unsubscribe&SubscriptionArn={}", account.endpoint, subscription.arn),
        });
        if let Some(subject) = &self.message.subject {
            envelope["Subject"] = json!(subject);
        }
        if !self.message.attributes.is_empty() {
            let attributes = self.message.attributes.iter().map(|(name, attribute)| {
                let value = match &attribute.value {
                    AttributeValue::Text(text) => text.clone(),
                    AttributeValue::Binary(bytes) => STANDARD.encode(bytes),
                };
                (name.clone(), json!({"Type": attribute.data_type, "Value": value}))
            });
            envelope["MessageAttributes"] = Value::Object(attributes.collect::<Map<_, _>>());
        }
        envelope
    }
}
