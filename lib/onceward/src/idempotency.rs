use std::fmt;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;

/// The longest idempotency key, in bytes. DynamoDB's own limit for a partition key is 2,048, function name included.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 1_024;

/// What a ledger record is stored under: a function and an idempotency key.
///
/// Its text form, and the table's partition key, is `{function}#{idempotency key}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerKey {
    /// Name of the function, without `#`.
    pub function: String,
    /// The event's id, or the key the caller gave: 1 to [`IDEMPOTENCY_KEY_BYTES_MAX`] bytes.
    pub idempotency_key: String,
}

impl fmt::Display for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.function, self.idempotency_key)
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
    /// Fingerprint of the payload that the key was first used with.
    pub fn fingerprint(&self) -> &str {
        match self {
            Self::Completed(completed) => &completed.fingerprint,
            Self::InProgress(lease) => &lease.fingerprint,
        }
    }
}

/// The record of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// The random id of the commit that wrote it.
    pub commit_id: String,
    /// SHA-256 of the payload, in hex.
    pub fingerprint: String,
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
    /// SHA-256 of the payload, in hex.
    pub fingerprint: String,
    /// When another may take over.
    pub expires_at: DateTime<Utc>,
}
