//! What the ledger's item of a commit counts: it holds the answer and the events, and is one item of the transaction.

use super::{
    ITEM_BYTES_MAX, PARTITION_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX, UnitOfWork, UnitOfWorkError, error::SPLIT_WORK,
    limits::ENVELOPE_BYTES_MAX,
};
use crate::{Commit, Origin, envelope::ESCAPED_BYTES};

/// What the item counts besides key, ids, answer and events: the names of all attributes, status and times.
const ATTRIBUTES_BYTES: usize = 256;

/// What an event's text counts in the list besides itself.
const ELEMENT_BYTES: usize = 1;

/// What the ids of a commit count at most: a random UUID, a SHA-256 in hexadecimal and one in bytes, and the name of a
/// Lambda function. The name of an event's source is counted when the commit is known.
const IDS_BYTES: usize = 36 + 64 + 32 + LAMBDA_NAME_BYTES_MAX;

/// The longest name of a Lambda function: <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>.
const LAMBDA_NAME_BYTES_MAX: usize = 64;

/// What an envelope has, as JSON, besides its payload, subject and type, unless the event that it answers came with
/// long ids.
const ENVELOPE_BYTES: usize = 1_024;

/// What to do about events and an answer that the record cannot hold.
const SHORTEN: &str = "publish less, or answer with less";

impl UnitOfWork {
    /// Whether the record will fit its item, and all items one transaction, as far as the unit of work can tell.
    pub(super) fn fits_with_record(&self, row_bytes: usize) -> Result<(), UnitOfWorkError> {
        let json_bytes = |text: &str| serde_json::to_string(text).map_or(text.len() * ESCAPED_BYTES, |json| json.len());
        let mut bytes = PARTITION_KEY_BYTES_MAX + IDS_BYTES + ATTRIBUTES_BYTES;
        bytes += self.answer.as_ref().map_or(0, String::len);
        for event in &self.events {
            // The type is also part of `dataschema`.
            let texts = json_bytes(&event.subject) + 2 * json_bytes(&event.event_type);
            let event_bytes = event.data.get().len() + texts + ENVELOPE_BYTES;
            fits_an_entry(&event.event_type, event_bytes)?;
            bytes += event_bytes + ELEMENT_BYTES;
        }
        fits(row_bytes, bytes)
    }
}

impl Origin {
    /// What its values count in the record, names not counted.
    pub(crate) fn bytes(&self) -> usize {
        let event = self.event.as_ref().map_or(0, |event| event.source.len() + event.id.len());
        let fingerprint = self.fingerprint.text.len() + self.fingerprint.jcs.map_or(0, |digest| digest.len());
        fingerprint + event + self.lambda.as_ref().map_or(0, String::len)
    }
}

impl Commit {
    /// No fewer bytes than the ledger's item of this commit has in DynamoDB.
    pub fn record_bytes(&self) -> usize {
        self.events.iter().map(|event| event.json_bytes() + ELEMENT_BYTES).sum::<usize>() + self.bytes_without_events()
    }

    /// No fewer bytes than record and rows count in a transaction. What DynamoDB would not take fills one: by itself it gets
    /// its own error.
    pub(crate) fn transaction_bytes(&self) -> usize {
        let rows = self.actions.iter().map(|action| action.bytes().unwrap_or(TRANSACTION_BYTES_MAX));
        rows.sum::<usize>() + self.record_bytes()
    }

    fn bytes_without_events(&self) -> usize {
        let key = self.key.function.len() + 1 + self.key.idempotency_key.len();
        key + self.commit_id.len()
            + self.origin.bytes()
            + self.answer.as_ref().map_or(0, String::len)
            + ATTRIBUTES_BYTES
    }

    /// Whether it can be written and published, now that the envelopes are known.
    pub(crate) fn check(&self, row_bytes: usize) -> Result<(), UnitOfWorkError> {
        let mut bytes = self.bytes_without_events();
        for event in &self.events {
            let event_bytes = event.json_bytes();
            fits_an_entry(&event.event_type, event_bytes)?;
            bytes += event_bytes + ELEMENT_BYTES;
        }
        fits(row_bytes, bytes)
    }
}

/// An event that the relay could never publish would stop the outbox.
fn fits_an_entry(event_type: &str, bytes: usize) -> Result<(), UnitOfWorkError> {
    let what = format_args!("bytes of the event {event_type} in its envelope");
    UnitOfWorkError::unless_within(what, bytes, ENVELOPE_BYTES_MAX, "publish less, or an id under which it can be read")
}

fn fits(row_bytes: usize, record_bytes: usize) -> Result<(), UnitOfWorkError> {
    let what = "bytes of answer and events in the ledger's record";
    UnitOfWorkError::unless_within(what, record_bytes, ITEM_BYTES_MAX, SHORTEN)?;
    let what = "bytes of rows, answer and events in a unit of work";
    UnitOfWorkError::unless_within(what, row_bytes + record_bytes, TRANSACTION_BYTES_MAX, SPLIT_WORK)
}
