use std::{
    collections::HashMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use onceward::{
    CircuitBreakerStore, CircuitRecord, Claim, ClaimOutcome, Commit, CommitOutcome, GroupOutcome, Item, Key, Ledger,
    LedgerError, LedgerKey, LedgerRecord, Store, StoreError, memory::MemoryLedger,
};

use super::Harness;

impl Harness {
    /// From now on the ledger is too busy to take a commit, or takes them again. Claims and reads go on.
    ///
    /// What a guarded handler did outside of the transaction is done when its commit fails: the next delivery runs it
    /// again, and the other side must be able to tell, by the idempotency key for instance.
    pub fn commits_fail(&self, fail: bool) {
        self.faults.commits_fail.store(fail, Ordering::Relaxed);
    }
}

/// A ledger in memory that can be too busy.
#[derive(Debug)]
pub(super) struct Faults {
    ledger: Arc<MemoryLedger>,
    commits_fail: AtomicBool,
}

impl Faults {
    pub(super) fn of(ledger: Arc<MemoryLedger>) -> Self {
        Self { ledger, commits_fail: AtomicBool::new(false) }
    }

    fn admit(&self, operation: &'static str) -> Result<(), LedgerError> {
        if self.commits_fail.load(Ordering::Relaxed) {
            let source = io::Error::other("the test says that the ledger is busy").into();
            return Err(LedgerError { operation, transient: true, source });
        }
        Ok(())
    }
}

#[async_trait]
impl Store for Faults {
    async fn load(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        self.ledger.load(table, key).await
    }

    async fn query(&self, table: &str, prefix: &Key, limit: usize) -> Result<Vec<Item>, StoreError> {
        self.ledger.query(table, prefix, limit).await
    }
}

#[async_trait]
impl CircuitBreakerStore for Faults {
    async fn load_circuit(&self, breaker: &str) -> Result<Option<CircuitRecord>, LedgerError> {
        self.ledger.load_circuit(breaker).await
    }

    async fn swap_circuit(
        &self,
        breaker: &str,
        expected: Option<&str>,
        next: Option<&CircuitRecord>,
    ) -> Result<bool, LedgerError> {
        self.ledger.swap_circuit(breaker, expected, next).await
    }
}

#[async_trait]
impl Ledger for Faults {
    async fn find(&self, keys: &[LedgerKey]) -> Result<HashMap<LedgerKey, LedgerRecord>, LedgerError> {
        self.ledger.find(keys).await
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError> {
        self.admit("commit")?;
        self.ledger.commit(commit).await
    }

    async fn commit_group(&self, commits: &[Commit], token: &str) -> Result<GroupOutcome, LedgerError> {
        self.admit("commit_group")?;
        self.ledger.commit_group(commits, token).await
    }

    async fn claim(&self, claim: &Claim) -> Result<ClaimOutcome, LedgerError> {
        self.ledger.claim(claim).await
    }

    async fn keep(&self, key: &LedgerKey, until: DateTime<Utc>) -> Result<Option<LedgerRecord>, LedgerError> {
        self.ledger.keep(key, until).await
    }

    async fn release(&self, key: &LedgerKey, owner: &str) -> Result<(), LedgerError> {
        self.ledger.release(key, owner).await
    }
}
