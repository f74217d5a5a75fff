//! The parameters of all actions: what is required is for each action to say.

use super::super::error::SqsError;
use super::super::limits;
use super::super::message::{AttributeValue, MessageAttribute, Outgoing};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The one system attribute that can be sent.
pub(super) const TRACE_HEADER: &str = "AWSTraceHeader";

/// A request's parameters, by the names of the JSON protocol.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Input {
    pub(super) queue_url: Option<String>,
    pub(super) queue_name: Option<String>,
    pub(super) queue_name_prefix: Option<String>,
    pub(super) attributes: Option<BTreeMap<String, String>>,
    pub(super) attribute_names: Option<Vec<String>>,
    pub(super) message_system_attribute_names: Option<Vec<String>>,
    pub(super) message_attribute_names: Option<Vec<String>>,
    /// `CreateQueue` alone spells it in lower case.
    #[serde(alias = "tags")]
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) tag_keys: Option<Vec<String>>,
    #[serde(default, deserialize_with = "integer")]
    pub(super) max_results: Option<i64>,
    pub(super) next_token: Option<String>,
    #[serde(default, deserialize_with = "integer")]
    pub(super) max_number_of_messages: Option<i64>,
    #[serde(default, deserialize_with = "integer")]
    pub(super) wait_time_seconds: Option<i64>,
    pub(super) receive_request_attempt_id: Option<String>,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    pub(super) queue_owner_aws_account_id: Option<String>,
    pub(super) source_arn: Option<String>,
    pub(super) destination_arn: Option<String>,
    #[serde(default, deserialize_with = "integer")]
    pub(super) max_number_of_messages_per_second: Option<i64>,
    pub(super) task_handle: Option<String>,
    pub(super) label: Option<String>,
    #[serde(rename = "AWSAccountIds")]
    pub(super) accounts: Option<Vec<String>>,
    pub(super) actions: Option<Vec<String>>,
    pub(super) entries: Option<Vec<Entry>>,
    /// The parameters that a batch repeats for each entry.
    #[serde(flatten)]
    pub(super) entry: Entry,
}

/// What concerns one message, alone or as an entry of a batch.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Entry {
    pub(super) id: Option<String>,
    pub(super) message_body: Option<String>,
    #[serde(default, deserialize_with = "integer")]
    pub(super) delay_seconds: Option<i64>,
    pub(super) message_attributes: Option<BTreeMap<String, Typed>>,
    pub(super) message_system_attributes: Option<BTreeMap<String, Typed>>,
    pub(super) message_deduplication_id: Option<String>,
    pub(super) message_group_id: Option<String>,
    pub(super) receipt_handle: Option<String>,
    #[serde(default, deserialize_with = "integer")]
    pub(super) visibility_timeout: Option<i64>,
}

/// A message attribute's value on the wire.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Typed {
    data_type: Option<String>,
    string_value: Option<String>,
    /// Base64.
    binary_value: Option<String>,
}

impl Input {
    pub(super) fn queue(&self) -> Result<&str, SqsError> {
        self.queue_url.as_deref().ok_or(SqsError::MissingParameter { parameter: "QueueUrl" })
    }

    pub(super) fn source_arn(&self) -> Result<&str, SqsError> {
        self.source_arn.as_deref().ok_or(SqsError::MissingParameter { parameter: "SourceArn" })
    }

    pub(super) fn label(&self) -> Result<&str, SqsError> {
        self.label.as_deref().ok_or(SqsError::MissingParameter { parameter: "Label" })
    }

    pub(super) fn queue_name(&self) -> Result<&str, SqsError> {
        self.queue_name.as_deref().ok_or(SqsError::MissingParameter { parameter: "QueueName" })
    }
}

impl Entry {
    pub(super) fn receipt_handle(&self) -> Result<&str, SqsError> {
        self.receipt_handle.as_deref().ok_or(SqsError::MissingParameter { parameter: "ReceiptHandle" })
    }

    pub(super) fn visibility(&self) -> Result<Option<Duration>, SqsError> {
        seconds("VisibilityTimeout", self.visibility_timeout)
    }

    /// Takes the message out of the entry.
    pub(super) fn outgoing(&mut self) -> Result<Outgoing, SqsError> {
        let mut attributes = BTreeMap::new();
        for (name, typed) in self.message_attributes.take().unwrap_or_default() {
            let attribute = typed.read(&name)?;
            attributes.insert(name, attribute);
        }
        let mut trace_header = None;
        for (name, typed) in self.message_system_attributes.take().unwrap_or_default() {
            let MessageAttribute { data_type, value } = typed.read(&name)?;
            if let (TRACE_HEADER, "String", AttributeValue::Text(text)) = (name.as_str(), data_type.as_str(), value) {
                trace_header = Some(text);
            } else {
                let reason = "The only system attribute that can be sent is AWSTraceHeader, of type String.";
                return Err(SqsError::parameter("MessageSystemAttributes", name, reason));
            }
        }
        Ok(Outgoing {
            body: self.message_body.take().ok_or(SqsError::MissingParameter { parameter: "MessageBody" })?,
            attributes,
            group_id: self.message_group_id.take(),
            deduplication_id: self.message_deduplication_id.take(),
            delay: seconds("DelaySeconds", self.delay_seconds)?,
            trace_header,
        })
    }
}

impl Typed {
    fn read(self, name: &str) -> Result<MessageAttribute, SqsError> {
        let refuse = |reason: String| SqsError::InvalidParameterValue { reason };
        let data_type = self.data_type.filter(|it| !it.is_empty()).ok_or_else(|| {
            refuse(format!("The message (user) attribute '{name}' must contain a non-empty attribute type."))
        })?;
        let value =
            match (self.string_value, self.binary_value) {
                (Some(text), None) => AttributeValue::Text(text),
                (None, Some(text)) => AttributeValue::Binary(STANDARD.decode(text).map_err(|_| {
                    refuse(format!("The value of the message (user) attribute '{name}' is not base64."))
                })?),
                _ => {
                    return Err(refuse(format!(
                        "The message (user) attribute '{name}' must have either a StringValue or a BinaryValue."
                    )));
                }
            };
        Ok(MessageAttribute { data_type, value })
    }
}

/// A number of seconds that is not negative; the upper bounds are checked where they are known.
pub(super) fn seconds(parameter: &str, value: Option<i64>) -> Result<Option<Duration>, SqsError> {
    let read = |value: i64| {
        u64::try_from(value)
            .map(Duration::from_secs)
            .map_err(|_| SqsError::parameter(parameter, value, "It must not be negative."))
    };
    value.map(read).transpose()
}

/// How many results a page may have; `None` if the caller did not say.
pub(super) fn page(value: Option<i64>) -> Result<Option<usize>, SqsError> {
    let read = |value: i64| {
        usize::try_from(value)
            .ok()
            .filter(|it| limits::LIST_RESULTS.contains(it))
            .ok_or_else(|| SqsError::parameter("MaxResults", value, "It must be from 1 to 1000."))
    };
    value.map(read).transpose()
}

/// An integer, which the query protocol and some clients send as text.
fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    let read = |value: Value| {
        let number = match &value {
            Value::String(text) => text.parse().ok(),
            other => other.as_i64(),
        };
        number.ok_or_else(|| serde::de::Error::custom(format!("{value} is not an integer")))
    };
    value.map(read).transpose()
}
