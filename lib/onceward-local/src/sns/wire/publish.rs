//! `Publish` and `PublishBatch`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Answer;
use crate::sns::query::{Parameters, Xml};
use crate::sns::{MESSAGE_SIZE_MAX_BYTES, Publication, Sns, SnsError};
use crate::sqs::{AttributeValue, MessageAttribute};

/// Entries of one batch. <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>
const ENTRIES_MAX: usize = 10;

pub(super) fn one(sns: &Sns, parameters: &Parameters) -> Answer {
    if parameters.get("PhoneNumber").is_some() {
        return Err(SnsError::invalid("PhoneNumber", "The local cloud does not send text messages"));
    }
    let topic_arn = parameters.get("TopicArn").or_else(|| parameters.get("TargetArn"));
    let topic_arn =
        topic_arn.ok_or_else(|| SnsError::invalid("TopicArn or TargetArn", "no value for required parameter"))?;
    let message_id = sns.publish(publication(topic_arn, parameters, "")?)?;
    Ok(Some(vec![Xml::text("MessageId", message_id)]))
}

pub(super) fn batch(sns: &Sns, parameters: &Parameters) -> Answer {
    let topic_arn = parameters.required("TopicArn")?;
    sns.topics().topic(topic_arn)?;
    let mut ids = BTreeSet::new();
    let mut entries = Vec::new();
    for item in parameters.items("PublishBatchRequestEntries.member.") {
        let id = parameters.required(&format!("{item}.Id"))?;
        if !ids.insert(id) {
            return Err(invalid_batch("BatchEntryIdsNotDistinct", format!("Two entries have the id {id}")));
        }
        entries.push((id, publication(topic_arn, parameters, &format!("{item}."))));
    }
    match entries.len() {
        0 => return Err(invalid_batch("EmptyBatchRequest", "The batch request doesn't contain any entries")),
        1..=ENTRIES_MAX => {}
        count => {
            let reason = format!("The batch has {count} entries, more than {ENTRIES_MAX}");
            return Err(invalid_batch("TooManyEntriesInBatchRequest", reason));
        }
    }
    let size: usize = entries.iter().filter_map(|(_, entry)| entry.as_ref().ok()).map(Publication::size).sum();
    if size > MESSAGE_SIZE_MAX_BYTES {
        let reason = format!("The batch has {size} bytes, more than {MESSAGE_SIZE_MAX_BYTES}");
        return Err(invalid_batch("BatchRequestTooLong", reason));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in entries {
        match entry.and_then(|entry| sns.publish(entry)) {
            Ok(message_id) => {
                successful.push(Xml::elements("member", vec![Xml::text("Id", id), Xml::text("MessageId", message_id)]));
            }
            Err(error) => failed.push(Xml::elements(
                "member",
                vec![
                    Xml::text("Id", id),
                    Xml::text("Code", error.code()),
                    Xml::text("Message", error.to_string()),
                    Xml::text("SenderFault", "true"),
                ],
            )),
        }
    }
    Ok(Some(vec![Xml::elements("Successful", successful), Xml::elements("Failed", failed)]))
}

fn invalid_batch(code: &'static str, reason: impl Into<String>) -> SnsError {
    SnsError::InvalidBatch { code, reason: reason.into() }
}

/// The message whose parameters begin with `prefix`.
fn publication(topic_arn: &str, parameters: &Parameters, prefix: &str) -> Result<Publication, SnsError> {
    let optional = |name: &str| parameters.get(&format!("{prefix}{name}"));
    for fifo_only in ["MessageGroupId", "MessageDeduplicationId"] {
        if optional(fifo_only).is_some() {
            return Err(SnsError::invalid(fifo_only, "The local cloud does not support FIFO topics"));
        }
    }
    let message = parameters.required(&format!("{prefix}Message"))?;
    let message = match optional("MessageStructure") {
        None => message.to_owned(),
        Some("json") => for_queues(message)?,
        Some(_) => return Err(SnsError::invalid("MessageStructure", "must be json")),
    };
    let mut attributes = BTreeMap::new();
    for item in parameters.items(&format!("{prefix}MessageAttributes.entry.")) {
        let name = parameters.required(&format!("{item}.Name"))?;
        attributes.insert(name.to_owned(), attribute(parameters, &item)?);
    }
    let subject = optional("Subject").map(str::to_owned);
    Ok(Publication { topic_arn: topic_arn.to_owned(), message, subject, attributes })
}

fn attribute(parameters: &Parameters, item: &str) -> Result<MessageAttribute, SnsError> {
    let data_type = parameters.required(&format!("{item}.Value.DataType"))?.to_owned();
    let text = parameters.get(&format!("{item}.Value.StringValue"));
    let binary = parameters.get(&format!("{item}.Value.BinaryValue"));
    let value = match (text, binary) {
        (Some(text), None) => AttributeValue::Text(text.to_owned()),
        (None, Some(binary)) => AttributeValue::Binary(
            STANDARD
                .decode(binary)
                .map_err(|error| SnsError::invalid(format!("{item}.Value.BinaryValue"), error.to_string()))?,
        ),
        _ => return Err(SnsError::invalid(item, "one of StringValue and BinaryValue is required")),
    };
    Ok(MessageAttribute { data_type, value })
}

/// `MessageStructure` `json`: a text per protocol. <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
fn for_queues(message: &str) -> Result<String, SnsError> {
    let invalid = |reason: &str| SnsError::invalid("Message Structure", reason);
    let texts: Value = serde_json::from_str(message).map_err(|_| invalid("JSON message body failed to parse"))?;
    let default =
        texts.get("default").and_then(Value::as_str).ok_or_else(|| invalid("No default entry in JSON message body"))?;
    Ok(texts.get("sqs").and_then(Value::as_str).unwrap_or(default).to_owned())
}
