//! `Publish` and `PublishBatch`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Answer;
use crate::sns::query::{Parameters, Xml, check_arn};
use crate::sns::{Publication, Published, Sns, SnsError};
use crate::sqs::{AttributeValue, MessageAttribute};

/// Entries of one batch. <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>
const ENTRIES_MAX: usize = 10;
/// Characters of an entry's id.
const ENTRY_ID_CHARS_MAX: usize = 80;

pub(super) fn one(sns: &Sns, parameters: &Parameters) -> Answer {
    if parameters.get("PhoneNumber").is_some() {
        return Err(SnsError::invalid("PhoneNumber", "The local cloud does not send text messages"));
    }
    let topic_arn = parameters.get("TopicArn").or_else(|| parameters.get("TargetArn"));
    let topic_arn =
        topic_arn.ok_or_else(|| SnsError::invalid("TopicArn or TargetArn", "no value for required parameter"))?;
    check_arn("TopicArn", topic_arn)?;
    Ok(Some(published(sns.publish_sequenced(publication(topic_arn, parameters, "")?)?)))
}

fn published(published: Published) -> Vec<Xml> {
    let Published { message_id, sequence_number } = published;
    let number = sequence_number.map(|number| Xml::text("SequenceNumber", number));
    [Xml::text("MessageId", message_id)].into_iter().chain(number).collect()
}

pub(super) fn batch(sns: &Sns, parameters: &Parameters) -> Answer {
    let topic_arn = parameters.arn("TopicArn")?;
    let bytes_max = sns.topics().topic(topic_arn)?.message_bytes_max();
    let mut ids = BTreeSet::new();
    let mut entries = Vec::new();
    for item in parameters.items("PublishBatchRequestEntries.member.") {
        let id = parameters.required(&format!("{item}.Id"))?;
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !plain || !(1..=ENTRY_ID_CHARS_MAX).contains(&id.len()) {
            let reason = "The Id of a batch entry has 1 to 80 alphanumeric characters, hyphens and underscores";
            return Err(invalid_batch("InvalidBatchEntryId", reason));
        }
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
    if size > bytes_max {
        let reason = format!("The batch has {size} bytes, more than {bytes_max}");
        return Err(invalid_batch("BatchRequestTooLong", reason));
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, entry) in entries {
        match entry.and_then(|entry| sns.publish_sequenced(entry)) {
            Ok(answer) => {
                let fields = [Xml::text("Id", id)].into_iter().chain(published(answer)).collect();
                successful.push(Xml::elements("member", fields));
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
    let message = parameters.required(&format!("{prefix}Message"))?;
    let (message, per_protocol) = match optional("MessageStructure") {
        None => (message.to_owned(), BTreeMap::new()),
        Some("json") => structured(message)?,
        Some(_) => return Err(SnsError::invalid("MessageStructure", "must be json")),
    };
    let mut attributes = BTreeMap::new();
    for item in parameters.items(&format!("{prefix}MessageAttributes.entry.")) {
        let name = parameters.required(&format!("{item}.Name"))?;
        attributes.insert(name.to_owned(), attribute(name, parameters, &item)?);
    }
    let own = |name: &str| optional(name).map(str::to_owned);
    Ok(Publication {
        topic_arn: topic_arn.to_owned(),
        message,
        subject: own("Subject"),
        attributes,
        per_protocol,
        group_id: own("MessageGroupId"),
        deduplication_id: own("MessageDeduplicationId"),
    })
}

fn attribute(name: &str, parameters: &Parameters, item: &str) -> Result<MessageAttribute, SnsError> {
    let invalid = |reason: &str| {
        Err(SnsError::InvalidParameterValue { reason: format!("The message attribute '{name}' {reason}") })
    };
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
        _ => return invalid("must contain either a StringValue or a BinaryValue."),
    };
    Ok(MessageAttribute { data_type, value })
}

/// `MessageStructure` `json`: the default text, and all texts by protocol. Other values than texts are passed over.
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
fn structured(message: &str) -> Result<(String, BTreeMap<String, String>), SnsError> {
    let invalid = |reason: &str| SnsError::invalid("Message Structure", reason);
    let texts: BTreeMap<String, Value> =
        serde_json::from_str(message).map_err(|_| invalid("JSON message body failed to parse"))?;
    let texts = texts.into_iter().filter_map(|(protocol, text)| Some((protocol, text.as_str()?.to_owned())));
    let texts: BTreeMap<String, String> = texts.collect();
    let default = texts.get("default").cloned().ok_or_else(|| invalid("No default entry in JSON message body"))?;
    Ok((default, texts))
}
