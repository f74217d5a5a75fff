//! The ledger's item: its attributes are the data model of the design, read by operators and by the relay.

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use chrono::{DateTime, SecondsFormat, Utc};
use onceward::{
    Claim, Commit, Completed, EventIdentity, Fingerprint, Lease, LedgerError, LedgerKey, LedgerRecord, Origin,
};

use super::expression::number;

pub(super) const PK: &str = "pk";
pub(super) const STATUS: &str = "status";
pub(super) const OWNER: &str = "owner";
pub(super) const LEASE_EXPIRES_AT: &str = "lease_expires_at";
pub(super) const COMPLETED: &str = "completed";
pub(super) const IN_PROGRESS: &str = "in_progress";
const COMMIT_ID: &str = "commit_id";
const FINGERPRINT: &str = "fingerprint";
/// The digest by the rule of RFC 8785; the builds that have `fingerprint` alone neither write nor read it.
const JCS: &str = "jcs";
/// The Lambda function that wrote the record.
const LAMBDA: &str = "lambda";
/// Somebody else's event: its source, and its id where the key has more than that.
const SOURCE: &str = "source";
const EVENT_ID: &str = "event_id";
const RESULT: &str = "result";
const COMMITTED_AT: &str = "committed_at";
pub(super) const EXPIRES_AT: &str = "expires_at";

/// The attribute of records that have something to publish: the relay's mapping filters on it.
pub(crate) const OUTBOX: &str = "outbox";

/// The attribute that holds the envelopes to publish: a list of JSON texts, in order.
pub(crate) const EVENTS: &str = "events";

/// What is read of a record: everything but the events.
pub(super) const READ: [&str; 12] =
    [PK, STATUS, COMMIT_ID, FINGERPRINT, JCS, LAMBDA, SOURCE, EVENT_ID, RESULT, COMMITTED_AT, OWNER, LEASE_EXPIRES_AT];

pub(super) type SdkItem = HashMap<String, AttributeValue>;

/// The item of a commit.
pub(super) fn completed(commit: &Commit) -> Result<SdkItem, serde_json::Error> {
    let events = commit.events.iter().map(|event| serde_json::to_string(event).map(AttributeValue::S));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let mut item = SdkItem::from([
        text(PK, commit.key.to_string()),
        text(STATUS, COMPLETED),
        text(COMMIT_ID, &commit.commit_id),
        text(COMMITTED_AT, commit.committed_at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        expiry(commit.expires_at),
    ]);
    item.extend(origin(&commit.key, &commit.origin));
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
    let mut item = SdkItem::from([
        text(PK, claim.key.to_string()),
        text(STATUS, IN_PROGRESS),
        text(OWNER, &claim.lease.owner),
        (LEASE_EXPIRES_AT.to_owned(), lease_expires_at),
        expiry(claim.expires_at),
    ]);
    item.extend(origin(&claim.key, &claim.lease.origin));
    item
}

fn origin(key: &LedgerKey, origin: &Origin) -> SdkItem {
    let mut item = SdkItem::from([text(FINGERPRINT, &origin.fingerprint.text)]);
    if let Some(digest) = origin.fingerprint.jcs {
        item.extend([(JCS.to_owned(), AttributeValue::B(Blob::new(digest)))]);
    }
    if let Some(lambda) = &origin.lambda {
        item.extend([text(LAMBDA, lambda)]);
    }
    if let Some(event) = &origin.event {
        item.extend([text(SOURCE, &event.source)]);
        if event.id != key.idempotency_key {
            item.extend([text(EVENT_ID, &event.id)]);
        }
    }
    item
}

/// Reads a record that this library wrote.
pub(super) fn read(operation: &'static str, item: &SdkItem) -> Result<LedgerRecord, LedgerError> {
    let string = |name: &'static str| {
        let value = item.get(name).and_then(|value| value.as_s().ok()).cloned();
        value.ok_or_else(|| unreadable(operation, name))
    };
    let optional = |name| item.contains_key(name).then(|| string(name)).transpose();
    let event = match (optional(SOURCE)?, optional(EVENT_ID)?) {
        (None, _) => None,
        (Some(source), Some(id)) => Some(EventIdentity { source, id }),
        (Some(source), None) => {
            let id = key(item).ok_or_else(|| unreadable(operation, PK))?.idempotency_key;
            Some(EventIdentity { source, id })
        }
    };
    let fingerprint = Fingerprint { text: string(FINGERPRINT)?, jcs: digest(operation, item)? };
    let origin = Origin { fingerprint, event, lambda: optional(LAMBDA)? };
    match string(STATUS)?.as_str() {
        COMPLETED => {
            let result = optional(RESULT)?;
            let committed_at = DateTime::parse_from_rfc3339(&string(COMMITTED_AT)?).map(|at| at.to_utc());
            let committed_at = committed_at.map_err(|_| unreadable(operation, COMMITTED_AT))?;
            Ok(LedgerRecord::Completed(Completed { commit_id: string(COMMIT_ID)?, origin, result, committed_at }))
        }
        IN_PROGRESS => {
            let millis = item.get(LEASE_EXPIRES_AT).and_then(|value| value.as_n().ok()?.parse().ok());
            let expires_at = millis.and_then(DateTime::<Utc>::from_timestamp_millis);
            let expires_at = expires_at.ok_or_else(|| unreadable(operation, LEASE_EXPIRES_AT))?;
            Ok(LedgerRecord::InProgress(Lease { owner: string(OWNER)?, origin, expires_at }))
        }
        _ => Err(unreadable(operation, STATUS)),
    }
}

fn digest(operation: &'static str, item: &SdkItem) -> Result<Option<[u8; 32]>, LedgerError> {
    let Some(value) = item.get(JCS) else { return Ok(None) };
    let digest = value.as_b().ok().and_then(|bytes| bytes.as_ref().try_into().ok());
    digest.map(Some).ok_or_else(|| unreadable(operation, JCS))
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

#[cfg(test)]
mod tests {
    use onceward::{Envelope, LedgerKey};
    use serde_json::json;

    use super::*;

    /// What DynamoDB counts: names and values, lists with their overhead.
    fn bytes(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::B(bytes) => bytes.as_ref().len(),
            AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
            other => panic!("the record has no {other:?}"),
        }
    }

    fn commit(events: usize, answer: Option<String>, origin: Origin) -> Commit {
        let event = json!({
            "specversion": "1.0", "id": "e\u{1}\"", "source": "orders", "type": "order.placed.v1",
            "time": "2026-11-21T01:02:03.004Z", "subject": "bücher\n", "sequence": "7", "data": {"a": "é"},
        });
        let event = Envelope::parse(&event.to_string()).unwrap();
        Commit {
            key: LedgerKey { function: "place-order".to_owned(), idempotency_key: "k".repeat(1_024) },
            commit_id: "c".repeat(36),
            origin,
            owner: None,
            actions: Vec::new(),
            events: vec![event; events],
            answer,
            committed_at: DateTime::<Utc>::MAX_UTC,
            expires_at: DateTime::<Utc>::MAX_UTC,
        }
    }

    #[test]
    fn the_core_counts_no_fewer_bytes_than_the_item_has_and_few_more() {
        let (least, most) = (Origin::from(Fingerprint::of_text("f".repeat(64))), most());
        for (events, answer) in [(0, None), (1, None), (50, None), (0, Some("{}".to_owned())), (3, Some("é".repeat(9)))]
        {
            for origin in [&least, &most] {
                let commit = commit(events, answer.clone(), origin.clone());
                let item = completed(&commit).unwrap();
                let found: usize = item.iter().map(|(name, value)| name.len() + bytes(value)).sum();
                let counted = commit.record_bytes();
                assert!((found..found + 256).contains(&counted), "{events} events: {counted} for {found}");
            }
        }
    }

    fn most() -> Origin {
        let fingerprint = Fingerprint { text: "f".repeat(64), jcs: Some([7; 32]) };
        let event = EventIdentity { source: "s".repeat(1_024), id: "i".repeat(1_024) };
        Origin { fingerprint, event: Some(event), lambda: Some("l".repeat(64)) }
    }

    #[test]
    fn what_a_record_says_of_its_origin_is_read_back() {
        let key = |text: &str| LedgerKey { function: "f".to_owned(), idempotency_key: text.to_owned() };
        let short = Origin { event: Some(EventIdentity { source: "s#".to_owned(), id: "k#1".to_owned() }), ..most() };
        for (key, origin) in [(key("k#1"), short.clone()), (key("s%23#k#1"), short), (key("k"), most())] {
            let commit = Commit { key, committed_at: DateTime::UNIX_EPOCH, ..commit(0, None, origin.clone()) };
            let record = read("GetItem", &completed(&commit).unwrap()).unwrap();
            assert_eq!(record.origin(), &origin);
        }
    }

    #[test]
    fn a_digest_of_another_length_is_not_taken_for_ours() {
        let commit = Commit { committed_at: DateTime::UNIX_EPOCH, ..commit(0, None, most()) };
        let mut item = completed(&commit).unwrap();
        for value in [AttributeValue::B(Blob::new([1; 31])), AttributeValue::S("x".repeat(32))] {
            item.insert(JCS.to_owned(), value);
            assert!(read("GetItem", &item).unwrap_err().source.to_string().contains("`jcs`"));
        }
    }
}
