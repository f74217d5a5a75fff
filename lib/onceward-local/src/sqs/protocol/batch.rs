//! Batches: ten entries at most, each of which succeeds or fails for itself.

use super::super::error::SqsError;
use super::super::limits;
use super::super::message::Outgoing;
use super::actions::sent;
use super::input::{Entry, Input};
use crate::sqs::Sqs;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

impl Sqs {
    pub(super) fn send_batch(&self, mut input: Input) -> Result<Value, SqsError> {
        let entries = entries(&mut input, "SendMessageBatchRequestEntry")?;
        let queue = input.queue()?;
        // A queue that is not there fails the batch, not each of its entries.
        self.peek(queue, |_| ())?;
        let mut messages = Vec::new();
        for mut entry in entries {
            let message = entry.outgoing();
            messages.push((entry.id.unwrap_or_default(), message));
        }
        let bytes: usize = messages.iter().map(|(_, message)| message.as_ref().map_or(0, Outgoing::bytes)).sum();
        if bytes > limits::MESSAGE_BYTES_MAX {
            return Err(SqsError::BatchRequestTooLong { max: limits::MESSAGE_BYTES_MAX, sent: bytes });
        }
        Ok(collect(messages.into_iter().map(|(id, message)| {
            let outcome = message.and_then(|message| {
                let trace_header = message.trace_header.clone();
                self.send(queue, message).map(|it| sent(it, trace_header.as_deref()))
            });
            (id, outcome)
        })))
    }

    pub(super) fn delete_batch(&self, mut input: Input) -> Result<Value, SqsError> {
        let entries = entries(&mut input, "DeleteMessageBatchRequestEntry")?;
        let queue = input.queue()?;
        self.peek(queue, |_| ())?;
        Ok(collect(entries.into_iter().map(|entry| {
            let outcome = entry.receipt_handle().and_then(|handle| self.delete(queue, handle));
            (entry.id.unwrap_or_default(), outcome.map(|()| Map::new()))
        })))
    }

    pub(super) fn change_visibility_batch(&self, mut input: Input) -> Result<Value, SqsError> {
        let entries = entries(&mut input, "ChangeMessageVisibilityBatchRequestEntry")?;
        let queue = input.queue()?;
        self.peek(queue, |_| ())?;
        Ok(collect(entries.into_iter().map(|entry| {
            let outcome = self.change_entry(queue, &entry);
            (entry.id.unwrap_or_default(), outcome.map(|()| Map::new()))
        })))
    }

    /// Changes the visibility of one message.
    pub(super) fn change_entry(&self, queue: &str, entry: &Entry) -> Result<(), SqsError> {
        let timeout = entry.visibility()?.ok_or(SqsError::MissingParameter { parameter: "VisibilityTimeout" })?;
        self.change_visibility(queue, entry.receipt_handle()?, timeout)
    }
}

/// The entries, if the batch as a whole is acceptable.
fn entries(input: &mut Input, kind: &'static str) -> Result<Vec<Entry>, SqsError> {
    let entries = input.entries.take().unwrap_or_default();
    if entries.is_empty() {
        return Err(SqsError::EmptyBatchRequest { entry: kind });
    }
    if entries.len() > limits::BATCH_ENTRIES_MAX {
        return Err(SqsError::TooManyEntriesInBatchRequest { max: limits::BATCH_ENTRIES_MAX, sent: entries.len() });
    }
    let mut seen = BTreeSet::new();
    for entry in &entries {
        let id = entry.id.as_deref().ok_or(SqsError::MissingParameter { parameter: "Id" })?;
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !plain || id.is_empty() || id.len() > limits::BATCH_ENTRY_ID_CHARS_MAX {
            return Err(SqsError::InvalidBatchEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::BatchEntryIdsNotDistinct { id: id.to_owned() });
        }
    }
    Ok(entries)
}

fn collect(outcomes: impl Iterator<Item = (String, Result<Map<String, Value>, SqsError>)>) -> Value {
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (id, outcome) in outcomes {
        match outcome {
            Ok(mut fields) => {
                fields.insert("Id".to_owned(), Value::String(id));
                successful.push(Value::Object(fields));
            }
            Err(error) => failed.push(json!({
                "Id": id, "SenderFault": true, "Code": error.query_code(), "Message": error.to_string(),
            })),
        }
    }
    json!({ "Successful": successful, "Failed": failed })
}
