use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::SubsecRound as _;

use super::evaluate::{apply, holds};
use crate::{
    Claim, ClaimOutcome, Commit, CommitOutcome, Completed, Envelope, Item, Key, Ledger, LedgerError, LedgerKey,
    LedgerRecord, Store, StoreError,
};

/// A ledger, its tables and its outbox in memory. Commits are serial.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rows: BTreeMap<(String, Key), Item>,
    records: HashMap<LedgerKey, LedgerRecord>,
    outbox: Vec<Envelope>,
}

impl MemoryLedger {
    /// Nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the events that commits have left to publish, in the commits' order.
    pub fn take_outbox(&self) -> Vec<Envelope> {
        std::mem::take(&mut self.state().outbox)
    }

    /// A panic while the lock is held cannot leave half a commit: every change is made after all checks.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryLedger {
    async fn load(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        Ok(self.state().rows.get(&(table.to_owned(), key.clone())).cloned())
    }

    async fn query(&self, table: &str, prefix: &Key, limit: usize) -> Result<Vec<Item>, StoreError> {
        let begins = |key: &Key| match (&key.sort, &prefix.sort) {
            (Some((_, sort)), Some((_, prefix))) => sort.starts_with(prefix.as_str()),
            (_, prefix) => prefix.is_none(),
        };
        let state = self.state();
        let rows = state.rows.iter().filter(|((of, key), _)| of == table && key.partition == prefix.partition);
        Ok(rows.filter(|((_, key), _)| begins(key)).take(limit).map(|(_, item)| item.clone()).collect())
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn find(&self, keys: &[LedgerKey]) -> Result<HashMap<LedgerKey, LedgerRecord>, LedgerError> {
        let state = self.state();
        Ok(keys.iter().filter_map(|key| Some((key.clone(), state.records.get(key)?.clone()))).collect())
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError> {
        let mut state = self.state();
        match (state.records.get(&commit.key), &commit.owner) {
            (Some(LedgerRecord::Completed(done)), _) if done.commit_id == commit.commit_id => {
                return Ok(CommitOutcome::Committed);
            }
            (None, None) => {}
            (Some(LedgerRecord::InProgress(lease)), Some(owner)) if lease.owner == *owner => {}
            (Some(record @ LedgerRecord::Completed(_)), _) | (Some(record), None) => {
                return Ok(CommitOutcome::Duplicate(record.clone()));
            }
            (_, Some(_)) => return Ok(CommitOutcome::LeaseLost),
        }
        let row_key = |action: &crate::Action| (action.table.to_owned(), action.key.clone());
        let failed = commit.actions.iter().filter(|action| !holds(&action.condition, state.rows.get(&row_key(action))));
        let rows: Vec<_> = failed.map(crate::Action::row).collect();
        if !rows.is_empty() {
            return Ok(CommitOutcome::ConditionFailed { rows });
        }
        let after = commit.actions.iter().map(|action| {
            let key = row_key(action);
            apply(action, state.rows.get(&key)).map(|item| (key, item))
        });
        let after: Vec<_> = after.collect::<Result<_, _>>().map_err(|error| LedgerError {
            operation: "commit",
            transient: false,
            source: Box::new(error),
        })?;
        for (key, item) in after {
            match item {
                Some(item) => state.rows.insert(key, item),
                None => state.rows.remove(&key),
            };
        }
        let completed = Completed {
            commit_id: commit.commit_id.clone(),
            fingerprint: commit.fingerprint.clone(),
            result: commit.answer.clone(),
            committed_at: commit.committed_at.trunc_subsecs(3),
        };
        state.records.insert(commit.key.clone(), LedgerRecord::Completed(completed));
        state.outbox.extend(commit.events.iter().cloned());
        Ok(CommitOutcome::Committed)
    }

    async fn claim(&self, claim: &Claim) -> Result<ClaimOutcome, LedgerError> {
        let mut state = self.state();
        match state.records.get(&claim.key) {
            Some(LedgerRecord::InProgress(lease)) if lease.expires_at <= claim.now => {}
            Some(LedgerRecord::InProgress(lease)) if lease.owner == claim.lease.owner => {}
            Some(record) => return Ok(ClaimOutcome::Held(record.clone())),
            None => {}
        }
        state.records.insert(claim.key.clone(), LedgerRecord::InProgress(claim.lease.clone()));
        Ok(ClaimOutcome::Claimed)
    }

    async fn release(&self, key: &LedgerKey, owner: &str) -> Result<(), LedgerError> {
        let mut state = self.state();
        if matches!(state.records.get(key), Some(LedgerRecord::InProgress(lease)) if lease.owner == owner) {
            state.records.remove(key);
        }
        Ok(())
    }
}
