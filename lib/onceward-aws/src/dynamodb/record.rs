//! The ledger's item: its attributes are the data model of the design, read by operators and by the relay.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, SecondsFormat, Utc};
use onceward::{Claim, Commit, Completed, Lease, LedgerError, LedgerKey, LedgerRecord};

use super::expression::number;

pub(super) const PK: &str = "pk";
pub(super) const STATUS: &str = "status";
pub(super) const OWNER: &str = "owner";
pub(super) const LEASE_EXPIRES_AT: &str = "lease_expires_at";
pub(super) const COMPLETED: &str = "completed";
pub(super) const IN_PROGRESS: &str = "in_progress";
const COMMIT_ID: &str = "commit_id";
const FINGERPRINT: &str = "fingerprint";
const RESULT: &str = "result";
const OUTBOX: &str = "outbox";
const COMMITTED_AT: &str = "committed_at";
const EXPIRES_AT: &str = "expires_at";

/// The attribute that holds the envelopes to publish: a list of JSON texts, in order.
pub(crate) const EVENTS: &str = "events";

/// What is read of a record: everything but the events.
pub(super) const READ: [&str; 8] = [PK, STATUS, COMMIT_ID, FINGERPRINT, RESULT, COMMITTED_AT, OWNER, LEASE_EXPIRES_AT];

pub(super) type SdkItem = HashMap<String, AttributeValue>;

/// The item of a commit.
pub(super) fn completed(commit: &Commit) -> Result<SdkItem, serde_json::Error> {
    let events = commit.events.iter().map(|event| serde_json::to_string(event).map(AttributeValue::S));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let mut item = SdkItem::from([
        text(PK, commit.key.to_string()),
        text(STATUS, COMPLETED),
        text(COMMIT_ID, &commit.commit_id),
        text(FINGERPRINT, &commit.fingerprint),
        text(COMMITTED_AT, commit.committed_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        expiry(commit.expires_at),
    ]);
    if let Some(answer) = &commit.answer {
        item.extend([text(RESULT, answer)]);
    }
    if !events.is_empty() {
        item.extend([text(OUTBOX, "pending"), (EVENTS.to_owned(), AttributeValue::L(events))]);
    }
    Ok(item)
}

/// The item of a claim.
pub(super) fn in_progress(claim: &Claim) -> SdkItem {
    let lease_expires_at = number(claim.lease.expires_at.timestamp_millis());
    SdkItem::from([
        text(PK, claim.key.to_string()),
        text(STATUS, IN_PROGRESS),
        text(FINGERPRINT, &claim.lease.fingerprint),
        text(OWNER, &claim.lease.owner),
        (LEASE_EXPIRES_AT.to_owned(), lease_expires_at),
        expiry(claim.expires_at),
    ])
}

/// Reads a record that this library wrote.
pub(super) fn read(operation: &'static str, item: &SdkItem) -> Result<LedgerRecord, LedgerError> {
    let string = |name: &'static str| {
        let value = item.get(name).and_then(|value| value.as_s().ok()).cloned();
        value.ok_or_else(|| unreadable(operation, name))
    };
    let fingerprint = string(FINGERPRINT)?;
    match string(STATUS)?.as_str() {
        COMPLETED => {
            let result = item.contains_key(RESULT).then(|| string(RESULT)).transpose()?;
            let committed_at = DateTime::parse_from_rfc3339(&string(COMMITTED_AT)?).map(|at| at.to_utc());
            let committed_at = committed_at.map_err(|_| unreadable(operation, COMMITTED_AT))?;
            Ok(LedgerRecord::Completed(Completed { commit_id: string(COMMIT_ID)?, fingerprint, result, committed_at }))
        }
        IN_PROGRESS => {
            let millis = item.get(LEASE_EXPIRES_AT).and_then(|value| value.as_n().ok()?.parse().ok());
            let expires_at = millis.and_then(DateTime::<Utc>::from_timestamp_millis);
            let expires_at = expires_at.ok_or_else(|| unreadable(operation, LEASE_EXPIRES_AT))?;
            Ok(LedgerRecord::InProgress(Lease { owner: string(OWNER)?, fingerprint, expires_at }))
        }
        _ => Err(unreadable(operation, STATUS)),
    }
}

/// The key of a record that was read.
pub(super) fn key(item: &SdkItem) -> Option<LedgerKey> {
    let (function, idempotency_key) = item.get(PK)?.as_s().ok()?.split_once('#')?;
    Some(LedgerKey { function: function.to_owned(), idempotency_key: idempotency_key.to_owned() })
}

fn unreadable(operation: &'static str, attribute: &str) -> LedgerError {
    let source = format!("the ledger record's attribute `{attribute}` is missing or not what this library writes");
    LedgerError { operation, transient: false, source: source.into() }
}

fn text(name: &str, value: impl Into<String>) -> (String, AttributeValue) {
    (name.to_owned(), AttributeValue::S(value.into()))
}

fn expiry(at: DateTime<Utc>) -> (String, AttributeValue) {
    (EXPIRES_AT.to_owned(), number(at.timestamp()))
}
