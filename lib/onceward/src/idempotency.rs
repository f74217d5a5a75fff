use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use crate::{Fingerprint, fingerprint::hex};

/// The longest idempotency key, in bytes. DynamoDB's own limit for a partition key is 2,048, function name included.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 1_024;

/// The longest source of somebody else's event, in bytes: its record names it.
pub(crate) const SOURCE_BYTES_MAX: usize = 1_024;

/// What a ledger record is stored under: a function and an idempotency key.
///
/// Its text form, and the table's partition key, is `{function}#{idempotency key}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerKey {
    /// Name of the function, without `#`.
    pub function: String,
    /// The event's id, or the key the caller gave: 1 to [`IDEMPOTENCY_KEY_BYTES_MAX`] bytes. If the record of another
    /// source's event has the id's place, the [identity](EventIdentity).
    pub idempotency_key: String,
}

impl fmt::Display for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.function, self.idempotency_key)
    }
}

/// What tells one event of somebody else's from all others: CloudEvents says source and id together
/// (<https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#id>).
///
/// Its text form is `{source}#{id}`, with `%23` for each `#` of the source and `%25` for each `%`, so that no two
/// identities have one text. If that is longer than [`IDEMPOTENCY_KEY_BYTES_MAX`], it is its SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventIdentity {
    /// The event's `source`, at most 1,024 bytes.
    pub source: String,
    /// The event's `id`.
    pub id: String,
}

impl fmt::Display for EventIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}#{}", self.source.replace('%', "%25").replace('#', "%23"), self.id);
        match text.len() <= IDEMPOTENCY_KEY_BYTES_MAX {
            true => f.write_str(&text),
            false => f.write_str(&hex(&Sha256::digest(text))),
        }
    }
}

/// What a record says of the event or request that it is of, and of who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// What its payload is told by.
    pub fingerprint: Fingerprint,
    /// Which event, if it is somebody else's and its key is not made from its payload or a header. `None` also in the
    /// records of builds that did not say.
    pub event: Option<EventIdentity>,
    /// Name of the Lambda function that wrote it; `None` if it was not told its name, and in the records of builds that
    /// did not say.
    pub lambda: Option<String>,
}

impl From<Fingerprint> for Origin {
    fn from(fingerprint: Fingerprint) -> Self {
        Self { fingerprint, event: None, lambda: None }
    }
}

/// What the ledger knows of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerRecord {
    /// Handled: its effects are there.
    Completed(Completed),
    /// Being handled in guarded mode.
    InProgress(Lease),
}

impl LedgerRecord {
    /// What the key was first used with, and by whom.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Completed(completed) => &completed.origin,
            Self::InProgress(lease) => &lease.origin,
        }
    }
}

/// The record of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// The random id of the commit that wrote it.
    pub commit_id: String,
    /// Of which event, and written by whom.
    pub origin: Origin,
    /// What the handler answered, as JSON.
    pub result: Option<String>,
    /// When, to the millisecond.
    pub committed_at: DateTime<Utc>,
}

impl Completed {
    /// What the handler answered, if it answered anything.
    pub fn answer<T: DeserializeOwned>(&self) -> Result<Option<T>, serde_json::Error> {
        self.result.as_deref().map(serde_json::from_str).transpose()
    }
}

/// A claim on a key that ends by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The random id of the claim: only its holder may complete or release.
    pub owner: String,
    /// For which event, and by whom.
    pub origin: Origin,
    /// When another may take over.
    pub expires_at: DateTime<Utc>,
}
