//! Several records' commits in one transaction, for the time of one batch.
//!
//! A record that commits waits until its group is full, or until every record that runs waits too: then nobody could
//! join any more. A group that is not written as a whole is sent commit by commit, as if there were no groups.

mod forming;
mod sending;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use forming::Forming;
use sending::Sent;

use crate::{
    CircuitBreakerStore, CircuitRecord, Claim, ClaimOutcome, Commit, CommitOutcome, GroupOutcome, Invocation, Item,
    Key, Ledger, LedgerError, LedgerKey, LedgerRecord, Ports, Store, StoreError, execute::DEADLINE_MARGIN,
    function::Settings,
};

/// The most actions of a group, ledger records included:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>.
pub(crate) const GROUP_ACTIONS_MAX: usize = 100;

/// The most bytes of a group's items together: DynamoDB takes 4 MB in a transaction, read as the smaller of its two meanings.
/// See [`GROUP_ACTIONS_MAX`].
const GROUP_BYTES_MAX: usize = 4_000_000;

/// The longest that a commit waits for the others of its group. A record that comes later is not waited for again in
/// this batch, so that all waiting together is at most this times the records that run at once.
const GROUP_WAIT_MAX: Duration = Duration::from_secs(2);

/// A wait takes this part of the time that is left at most: after any number of waits there is time to write.
const GROUP_WAIT_SHARE: u32 = 4;

/// The ledger as the records of one batch see it: it collects their commits into groups.
pub(super) struct GroupedLedger {
    ports: Ports,
    invocation: Invocation,
    forming: Arc<Mutex<Forming>>,
}

impl GroupedLedger {
    pub(super) fn new(settings: &Settings, ports: &Ports, invocation: Invocation) -> Arc<Self> {
        let forming = Forming::new(settings.commits_grouped, settings.concurrency);
        Arc::new(Self { ports: ports.clone(), invocation, forming: Arc::new(Mutex::new(forming)) })
    }

    /// What the records use instead of the batch's own ports.
    pub(super) fn ports(self: &Arc<Self>) -> Ports {
        match self.forming().records_max > 1 {
            true => Ports { ledger: Arc::clone(self) as Arc<dyn Ledger>, ..self.ports.clone() },
            false => self.ports.clone(),
        }
    }

    /// So many lanes will run, in turn.
    pub(super) fn begin(&self, lanes: usize) {
        self.forming().lanes = lanes;
    }

    /// A lane is done: nobody waits for it any more.
    pub(super) fn lane_ended(&self) {
        let mut forming = self.forming();
        forming.lanes = forming.lanes.saturating_sub(1);
        forming.close_those_due();
    }

    /// Takes a seat in a group; it is empty if the commit is to be sent alone.
    fn join<'a>(&'a self, commit: &'a Commit) -> Seat<'a> {
        let left = self.invocation.remaining(self.ports.clock.as_ref()).saturating_sub(DEADLINE_MARGIN);
        let wait = GROUP_WAIT_MAX.min(left / GROUP_WAIT_SHARE);
        let open = |id, gate| sending::group(self.ports.clone(), Arc::downgrade(&self.forming), id, gate, wait);
        Seat { forming: &self.forming, commit, group: self.forming().join(commit, open) }
    }

    fn forming(&self) -> MutexGuard<'_, Forming> {
        lock(&self.forming)
    }
}

fn lock(forming: &Mutex<Forming>) -> MutexGuard<'_, Forming> {
    forming.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One commit's part in what is under way; left also when the record is dropped at its deadline.
struct Seat<'a> {
    forming: &'a Mutex<Forming>,
    commit: &'a Commit,
    group: Option<(u64, Sent)>,
}

impl Seat<'_> {
    /// Whether the group, and so the commit, was written.
    async fn written(&self) -> bool {
        let Some((_, sent)) = &self.group else { return false };
        let written = sent.clone().await;
        if !written {
            lock(self.forming).alone.insert(self.commit.key.clone());
        }
        written
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        lock(self.forming).leave(self.group.as_ref().map(|(id, _)| *id), &self.commit.commit_id);
    }
}

#[async_trait]
impl Store for GroupedLedger {
    async fn load(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        self.ports.ledger.load(table, key).await
    }

    async fn query(&self, table: &str, prefix: &Key, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.ports.ledger.query(table, prefix, limit).await
    }
}

#[async_trait]
impl CircuitBreakerStore for GroupedLedger {
    async fn load_circuit(&self, breaker: &str) -> Result<Option<CircuitRecord>, LedgerError> {
        self.ports.ledger.load_circuit(breaker).await
    }

    async fn swap_circuit(
        &self,
        breaker: &str,
        expected: Option<&str>,
        next: Option<&CircuitRecord>,
    ) -> Result<bool, LedgerError> {
        self.ports.ledger.swap_circuit(breaker, expected, next).await
    }
}

#[async_trait]
impl Ledger for GroupedLedger {
    async fn find(&self, keys: &[LedgerKey]) -> Result<HashMap<LedgerKey, LedgerRecord>, LedgerError> {
        self.ports.ledger.find(keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError> {
        let seat = self.join(commit);
        match seat.written().await {
            true => Ok(CommitOutcome::Committed),
            false => self.ports.ledger.commit(commit).await,
        }
    }

    async fn commit_group(&self, commits: &[Commit], token: &str) -> Result<GroupOutcome, LedgerError> {
        self.ports.ledger.commit_group(commits, token).await
    }

    async fn claim(&self, claim: &Claim) -> Result<ClaimOutcome, LedgerError> {
        self.ports.ledger.claim(claim).await
    }

    async fn release(&self, key: &LedgerKey, owner: &str) -> Result<(), LedgerError> {
        self.ports.ledger.release(key, owner).await
    }

    async fn keep(&self, key: &LedgerKey, until: DateTime<Utc>) -> Result<Option<LedgerRecord>, LedgerError> {
        self.ports.ledger.keep(key, until).await
    }
}
