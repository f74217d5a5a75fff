use std::{collections::HashMap, error::Error, fmt};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{
    Action, CircuitBreakerStore, Envelope, Key, Lease, LedgerKey, LedgerRecord, Origin, Store, unit_of_work::row_name,
};

/// The store of what was handled, and of everything that handling it changed.
///
/// Every implementation passes the contract suite of `onceward-testing`.
#[async_trait]
pub trait Ledger: Store + CircuitBreakerStore {
    /// The records of `keys`, absent ones left out.
    async fn find(&self, keys: &[LedgerKey]) -> Result<HashMap<LedgerKey, LedgerRecord>, LedgerError>;

    /// The record of one key, for whoever wants to know what became of an event.
    async fn get(&self, key: &LedgerKey) -> Result<Option<LedgerRecord>, LedgerError> {
        Ok(self.find(std::slice::from_ref(key)).await?.remove(key))
    }

    /// Writes the record, the effects and the outgoing events together or not at all.
    ///
    /// Calling it again with the same `commit_id` is safe when the first outcome is unknown.
    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError>;

    /// Writes all these commits together or none of them.
    ///
    /// No two of them touch one item, and they have 100 actions at most, each record counted as one. `token` is random,
    /// 1 to 36 characters: calling it again with the same commits and token is safe when the first outcome is unknown.
    async fn commit_group(&self, commits: &[Commit], token: &str) -> Result<GroupOutcome, LedgerError>;

    /// Takes the key for one owner until the lease ends. A lease that has ended at `now` is taken over.
    async fn claim(&self, claim: &Claim) -> Result<ClaimOutcome, LedgerError>;

    /// Gives the claim back, if it is still this owner's. Someone else's stays as it is.
    async fn release(&self, key: &LedgerKey, owner: &str) -> Result<(), LedgerError>;

    /// Makes the ledger remember the record of this key until `until` at least, and answers the record; `None` if there
    /// is none. Nothing else of it changes.
    async fn keep(&self, key: &LedgerKey, until: DateTime<Utc>) -> Result<Option<LedgerRecord>, LedgerError>;
}

/// Everything that one handled event changes.
#[derive(Debug, Clone)]
pub struct Commit {
    /// The record's key.
    pub key: LedgerKey,
    /// Random and the same for every try of this commit, so that it recognises its own success.
    pub commit_id: String,
    /// Of which event, and by whom.
    pub origin: Origin,
    /// Guarded mode: the claim that must still be held.
    pub owner: Option<String>,
    /// Writes and checks, each of another row.
    pub actions: Vec<Action>,
    /// Events to publish, in order.
    pub events: Vec<Envelope>,
    /// What to replay to a duplicate, as JSON.
    pub answer: Option<String>,
    /// Time of the commit.
    pub committed_at: DateTime<Utc>,
    /// When the record may be forgotten.
    pub expires_at: DateTime<Utc>,
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// It is written, by this call or by an earlier try of the same commit.
    Committed,
    /// Another commit or claim holds the key. Nothing was written.
    Duplicate(LedgerRecord),
    /// A condition on a row does not hold. Nothing was written.
    ConditionFailed {
        /// Which rows, in the order of the actions.
        rows: Vec<FailedRow>,
    },
    /// Guarded mode: the lease is no longer this owner's. Nothing was written.
    LeaseLost,
}

/// A row whose condition did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRow {
    /// The table's logical name.
    pub table: &'static str,
    /// The row's key.
    pub key: Key,
    /// Whether there was such a row.
    pub exists: bool,
}

/// `table/partition[/sort]`.
impl fmt::Display for FailedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&row_name(self.table, &self.key))
    }
}

/// How a group of commits ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupOutcome {
    /// All are written, by this call or by an earlier one with the same token.
    Committed,
    /// This call wrote nothing. Why, each commit learns by itself: [`Ledger::commit`].
    Cancelled,
}

/// A request for a key.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The record's key.
    pub key: LedgerKey,
    /// Who claims, until when, and for which payload.
    pub lease: Lease,
    /// When it is claimed: leases that ended before are free.
    pub now: DateTime<Utc>,
    /// When the record may be forgotten.
    pub expires_at: DateTime<Utc>,
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The key is this owner's until the lease ends.
    Claimed,
    /// Completed before, or leased to another.
    Held(LedgerRecord),
}

/// A call to the ledger that failed: whether it had an effect may be unknown.
#[derive(Debug, thiserror::Error)]
#[error("the ledger's {operation} failed")]
pub struct LedgerError {
    /// The operation, such as `TransactWriteItems`.
    pub operation: &'static str,
    /// Whether the same call may succeed soon: throttled, timed out, in conflict with another transaction.
    pub transient: bool,
    /// What the store says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}
