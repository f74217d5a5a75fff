use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, SubsecRound as _, Utc};

use super::evaluate::{apply, holds};
use crate::{
    Action, CircuitBreakerStore, CircuitRecord, Claim, ClaimOutcome, Commit, CommitOutcome, Completed, Envelope,
    GroupOutcome, Item, Key, Ledger, LedgerError, LedgerKey, LedgerRecord, Store, StoreError,
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
    circuits: HashMap<String, CircuitRecord>,
}

/// Rows as they are after a commit; `None` for those that are no more.
type Rows = Vec<((String, Key), Option<Item>)>;

/// What a commit would do.
enum Admission {
    /// Nothing: an earlier try of it has done it.
    Written,
    /// Nothing: it is refused.
    Refused(CommitOutcome),
    /// It would write its record and these rows.
    Writes(Rows),
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

    /// As when its time is over.
    #[cfg(test)]
    pub(crate) fn forget(&self, key: &LedgerKey) {
        self.state().records.remove(key);
    }

    /// The events that commits have left to publish and nobody has taken, in the commits' order.
    pub fn outbox(&self) -> Vec<Envelope> {
        self.state().outbox.clone()
    }

    /// A panic while the lock is held cannot leave half a commit: every change is made after all checks.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn admit(&self, commit: &Commit) -> Result<Admission, LedgerError> {
        match (self.records.get(&commit.key), &commit.owner) {
            (Some(LedgerRecord::Completed(done)), _) if done.commit_id == commit.commit_id => {
                return Ok(Admission::Written);
            }
            (None, None) => {}
            (Some(LedgerRecord::InProgress(lease)), Some(owner)) if lease.owner == *owner => {}
            (Some(record @ LedgerRecord::Completed(_)), _) | (Some(record), None) => {
                return Ok(Admission::Refused(CommitOutcome::Duplicate(record.clone())));
            }
            (_, Some(_)) => return Ok(Admission::Refused(CommitOutcome::LeaseLost)),
        }
        let row_key = |action: &Action| (action.table.to_owned(), action.key.clone());
        let with_row = commit.actions.iter().map(|action| (action, self.rows.get(&row_key(action))));
        let failed = with_row.filter(|(action, row)| !holds(&action.condition, *row));
        let rows: Vec<_> = failed.map(|(action, row)| action.failed(row.is_some())).collect();
        if !rows.is_empty() {
            return Ok(Admission::Refused(CommitOutcome::ConditionFailed { rows }));
        }
        let after = commit.actions.iter().map(|action| {
            let key = row_key(action);
            apply(action, self.rows.get(&key)).map(|item| (key, item))
        });
        after.collect::<Result<_, _>>().map(Admission::Writes).map_err(|error| LedgerError {
            operation: "commit",
            transient: false,
            source: Box::new(error),
        })
    }

    fn write(&mut self, commit: &Commit, rows: Rows) {
        for (key, item) in rows {
            match item {
                Some(item) => self.rows.insert(key, item),
                None => self.rows.remove(&key),
            };
        }
        let completed = Completed {
            commit_id: commit.commit_id.clone(),
            committed_at: commit.committed_at.trunc_subsecs(3),
            origin: commit.origin.clone(),
            result: commit.answer.clone(),
        };
        self.records.insert(commit.key.clone(), LedgerRecord::Completed(completed));
        self.outbox.extend(commit.events.iter().cloned());
    }
}

/// An item of more than one commit, which DynamoDB refuses too.
fn touched_twice(commits: &[Commit]) -> Option<String> {
    let mut items = HashSet::new();
    let records = commits.iter().map(|commit| commit.key.to_string());
    let rows = commits.iter().flat_map(|commit| commit.actions.iter().map(Action::row));
    records.chain(rows).find(|item| !items.insert(item.clone()))
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
impl CircuitBreakerStore for MemoryLedger {
    async fn load_circuit(&self, breaker: &str) -> Result<Option<CircuitRecord>, LedgerError> {
        Ok(self.state().circuits.get(breaker).cloned())
    }

    async fn swap_circuit(
        &self,
        breaker: &str,
        expected: Option<&str>,
        next: Option<&CircuitRecord>,
    ) -> Result<bool, LedgerError> {
        let circuits = &mut self.state().circuits;
        let held = circuits.get(breaker).map(|record| record.version.as_str());
        if next.is_some_and(|next| held == Some(&next.version)) {
            return Ok(true);
        }
        if held != expected {
            return Ok(false);
        }
        match next {
            Some(next) => circuits.insert(breaker.to_owned(), next.clone()),
            None => circuits.remove(breaker),
        };
        Ok(true)
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
        let written = match state.admit(commit)? {
            Admission::Written => return Ok(CommitOutcome::Committed),
            Admission::Refused(outcome) => return Ok(outcome),
            Admission::Writes(rows) => rows,
        };
        state.write(commit, written);
        Ok(CommitOutcome::Committed)
    }

    async fn commit_group(&self, commits: &[Commit], _token: &str) -> Result<GroupOutcome, LedgerError> {
        if let Some(item) = touched_twice(commits) {
            let source = format!("{item} is touched twice").into();
            return Err(LedgerError { operation: "commit_group", transient: false, source });
        }
        let mut state = self.state();
        let admissions = commits.iter().map(|commit| state.admit(commit)).collect::<Result<Vec<_>, _>>()?;
        if admissions.iter().all(|admission| matches!(admission, Admission::Written)) {
            return Ok(GroupOutcome::Committed);
        }
        let rows = admissions.into_iter().map(|admission| match admission {
            Admission::Writes(rows) => Some(rows),
            Admission::Written | Admission::Refused(_) => None,
        });
        let Some(rows) = rows.collect::<Option<Vec<_>>>() else { return Ok(GroupOutcome::Cancelled) };
        for (commit, rows) in commits.iter().zip(rows) {
            state.write(commit, rows);
        }
        Ok(GroupOutcome::Committed)
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

    /// It forgets nothing.
    async fn keep(&self, key: &LedgerKey, _until: DateTime<Utc>) -> Result<Option<LedgerRecord>, LedgerError> {
        Ok(self.state().records.get(key).cloned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Condition, Operation, Origin};

    fn commit(name: &str, row: &str) -> Commit {
        let (key, operation) = (Key::new("pk", row), Operation::Delete);
        Commit {
            key: LedgerKey { function: "f".to_owned(), idempotency_key: name.to_owned() },
            commit_id: name.to_owned(),
            origin: Origin::default(),
            owner: None,
            actions: vec![Action { table: "t", key, operation, condition: Condition::All(Vec::new()) }],
            events: Vec::new(),
            answer: None,
            committed_at: DateTime::UNIX_EPOCH,
            expires_at: DateTime::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn a_group_that_touches_an_item_twice_is_refused_as_by_dynamodb() {
        let ledger = MemoryLedger::new();
        for (commits, item) in
            [([commit("a", "1"), commit("b", "1")], "t/1"), ([commit("a", "1"), commit("a", "2")], "f#a")]
        {
            let error = ledger.commit_group(&commits, "token").await.unwrap_err();
            assert_eq!((error.transient, error.source.to_string()), (false, format!("{item} is touched twice")));
        }
        assert_eq!(
            ledger.commit_group(&[commit("a", "1"), commit("b", "2")], "token").await.unwrap(),
            GroupOutcome::Committed
        );
    }
}
