//! Adapters that are wrong in one way each: the contract of a ledger must notice every one.

use std::{
    collections::{BTreeSet, HashMap},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use onceward::{
    CircuitBreakerStore, CircuitRecord, CircuitState, Claim, ClaimOutcome, Commit, CommitOutcome, Envelope,
    GroupOutcome, Item, Key, Lease, Ledger, LedgerError, LedgerKey, LedgerRecord, Operation, Origin, Store, StoreError,
    all, memory::MemoryLedger,
};
use onceward_testing::contract::{self, LedgerProbe};

/// Names what is wrong, and lists it.
macro_rules! faults {
    ($($fault:ident,)*) => {
        /// What is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Fault {
            $($fault,)*
        }

        const FAULTS: &[Fault] = &[$(Fault::$fault,)*];
    };
}

faults![
    DropsEvents,
    DropsEventsOfCommitsWithRows,
    DropsEventsOfCommitsWithoutRows,
    DropsEventsOfClaims,
    DropsEventsOfGroups,
    DropsTheLastEvent,
    ReversesEvents,
    PublishesWhatIsRefused,
    PublishesAgain,
    DropsRows,
    DropsTheLastRow,
    WritesWithoutConditions,
    WritesOverAnotherRecord,
    TakesDuplicatesForCommitted,
    TellsItsOwnDuplicate,
    DropsTheAnswer,
    TellsNoRows,
    TellsTheFirstRowOnly,
    TakesMissingRowsForPresent,
    TakesPresentRowsForMissing,
    ForgetsTheFingerprint,
    ForgetsTheWriter,
    KeepsNothing,
    ForgetsTheEvent,
    WritesHalfOfAGroup,
    DropsRowsOfGroups,
    TakesCancelledGroupsForCommitted,
    ClaimsWhatIsHeld,
    ClaimsNoLeaseThatEnded,
    ForgetsClaims,
    CompletesWithoutTheLease,
    CompletesWithoutAClaim,
    ReleasesAnybodys,
    ReleasesNothing,
    FindsNothing,
    FindsTheFirstOnly,
    LoadsNothing,
    QueriesWithoutPrefix,
    QueriesWithoutLimit,
    SwapsWithoutComparing,
    SwapsNothing,
    LoadsNoCircuit,
    ChecksWrite,
    PublishesOfItsOwn,
    TakesItselfForADuplicate,
    FindsWhatIsNotThere,
    LoadsWhatIsNotThere,
    LoadsCircuitsThatAreNotThere,
    KeepsClosedCircuits,
    KeepsWhatIsNotThere,
];

use Fault::{
    ChecksWrite, ClaimsNoLeaseThatEnded, ClaimsWhatIsHeld, CompletesWithoutAClaim, CompletesWithoutTheLease,
    DropsEvents, DropsEventsOfClaims, DropsEventsOfCommitsWithRows, DropsEventsOfCommitsWithoutRows,
    DropsEventsOfGroups, DropsRows, DropsRowsOfGroups, DropsTheAnswer, DropsTheLastEvent, DropsTheLastRow,
    FindsNothing, FindsTheFirstOnly, FindsWhatIsNotThere, ForgetsClaims, ForgetsTheEvent, ForgetsTheFingerprint,
    ForgetsTheWriter, KeepsClosedCircuits, KeepsNothing, KeepsWhatIsNotThere, LoadsCircuitsThatAreNotThere,
    LoadsNoCircuit, LoadsNothing, LoadsWhatIsNotThere, PublishesAgain, PublishesOfItsOwn, PublishesWhatIsRefused,
    QueriesWithoutLimit, QueriesWithoutPrefix, ReleasesAnybodys, ReleasesNothing, ReversesEvents, SwapsNothing,
    SwapsWithoutComparing, TakesCancelledGroupsForCommitted, TakesDuplicatesForCommitted, TakesItselfForADuplicate,
    TakesMissingRowsForPresent, TakesPresentRowsForMissing, TellsItsOwnDuplicate, TellsNoRows, TellsTheFirstRowOnly,
    WritesHalfOfAGroup, WritesOverAnotherRecord, WritesWithoutConditions,
};

fn event(id: &str) -> Envelope {
    let time = "2026-01-01T00:00:00Z";
    let event =
        serde_json::json!({"specversion": "1.0", "id": id, "source": "s", "type": "t.v1", "time": time, "data": 1});
    Envelope::parse(&event.to_string()).expect("an envelope")
}

fn circuit(breaker: &str) -> CircuitRecord {
    CircuitRecord {
        version: breaker.to_owned(),
        state: CircuitState::Open { until: DateTime::UNIX_EPOCH },
        failed_probes: 0,
        changed_at: DateTime::UNIX_EPOCH,
    }
}

/// The ledger in memory, with its one fault.
struct Faulty {
    inner: MemoryLedger,
    fault: Fault,
}

impl Faulty {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The commit as it is written.
    fn spoiled(&self, commit: &Commit, in_a_group: bool) -> Commit {
        let mut commit = commit.clone();
        let drops = match self.fault {
            DropsEvents => true,
            DropsEventsOfCommitsWithRows => !commit.actions.is_empty(),
            DropsEventsOfCommitsWithoutRows => commit.actions.is_empty(),
            DropsEventsOfClaims => commit.owner.is_some(),
            DropsEventsOfGroups => in_a_group,
            _ => false,
        };
        match self.fault {
            _ if drops => commit.events.clear(),
            DropsTheLastEvent => drop(commit.events.pop()),
            ReversesEvents => commit.events.reverse(),
            DropsRows => commit.actions.clear(),
            DropsRowsOfGroups if in_a_group => commit.actions.clear(),
            DropsTheLastRow => drop(commit.actions.pop()),
            WritesWithoutConditions => commit.actions.iter_mut().for_each(|action| action.condition = all([])),
            DropsTheAnswer => commit.answer = None,
            ChecksWrite => {
                for action in commit.actions.iter_mut().filter(|action| action.operation == Operation::Check) {
                    action.operation = Operation::Put(Item::new());
                }
            }
            PublishesOfItsOwn => commit.events.push(event(&commit.key.idempotency_key)),
            ForgetsTheFingerprint => commit.origin.fingerprint = Origin::default().fingerprint,
            ForgetsTheWriter => commit.origin.lambda = None,
            ForgetsTheEvent => commit.origin.event = None,
            _ => {}
        }
        commit
    }

    /// Gets another record out of the way.
    async fn make_way(&self, commit: &Commit) -> Result<(), LedgerError> {
        let found = self.inner.get(&commit.key).await?;
        match (self.fault, found) {
            (CompletesWithoutTheLease, Some(LedgerRecord::InProgress(lease))) if commit.owner.is_some() => {
                self.inner.release(&commit.key, &lease.owner).await?;
                self.claimed(commit).await
            }
            (WritesOverAnotherRecord, Some(LedgerRecord::InProgress(lease))) if commit.owner.is_none() => {
                self.inner.release(&commit.key, &lease.owner).await
            }
            (CompletesWithoutAClaim, None) if commit.owner.is_some() => self.claimed(commit).await,
            _ => Ok(()),
        }
    }

    async fn claimed(&self, commit: &Commit) -> Result<(), LedgerError> {
        let lease = Lease {
            owner: commit.owner.clone().unwrap_or_default(),
            origin: commit.origin.clone(),
            expires_at: commit.expires_at,
        };
        let (key, now) = (commit.key.clone(), commit.committed_at);
        self.inner.claim(&Claim { key, lease, now, expires_at: commit.expires_at }).await.map(drop)
    }

    /// Leaves these events, whatever became of their commit.
    async fn publish(&self, commit: &Commit, mark: &str) -> Result<(), LedgerError> {
        let key = LedgerKey { function: mark.to_owned(), idempotency_key: commit.commit_id.clone() };
        let alone = Commit { key, actions: Vec::new(), owner: None, ..commit.clone() };
        let again = Commit { commit_id: format!("{mark}{}", self.inner.outbox().len()), ..alone };
        let key = LedgerKey { idempotency_key: again.commit_id.clone(), ..again.key.clone() };
        self.inner.commit(&Commit { key, ..again }).await.map(drop)
    }
}

#[async_trait]
impl Store for Faulty {
    async fn load(&self, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
        match self.fault {
            LoadsNothing => Ok(None),
            LoadsWhatIsNotThere => Ok(Some(self.inner.load(table, key).await?.unwrap_or_default())),
            _ => self.inner.load(table, key).await,
        }
    }

    async fn query(&self, table: &str, prefix: &Key, limit: usize) -> Result<Vec<Item>, StoreError> {
        let limit = if self.is(QueriesWithoutLimit) { usize::MAX } else { limit };
        let sort = prefix.sort.clone().filter(|_| !self.is(QueriesWithoutPrefix));
        self.inner.query(table, &Key { sort, ..prefix.clone() }, limit).await
    }
}

#[async_trait]
impl CircuitBreakerStore for Faulty {
    async fn load_circuit(&self, breaker: &str) -> Result<Option<CircuitRecord>, LedgerError> {
        let none = |_: &CircuitRecord| !self.is(LoadsNoCircuit);
        let found = self.inner.load_circuit(breaker).await?.filter(none);
        Ok(found.or_else(|| self.is(LoadsCircuitsThatAreNotThere).then(|| circuit(breaker))))
    }

    async fn swap_circuit(
        &self,
        breaker: &str,
        expected: Option<&str>,
        next: Option<&CircuitRecord>,
    ) -> Result<bool, LedgerError> {
        if self.is(SwapsNothing) || self.is(KeepsClosedCircuits) && next.is_none() {
            return Ok(true);
        }
        let held = self.inner.load_circuit(breaker).await?.map(|record| record.version);
        let expected = if self.is(SwapsWithoutComparing) { held.as_deref() } else { expected };
        self.inner.swap_circuit(breaker, expected, next).await
    }
}

#[async_trait]
impl Ledger for Faulty {
    async fn find(&self, keys: &[LedgerKey]) -> Result<HashMap<LedgerKey, LedgerRecord>, LedgerError> {
        let count = match self.fault {
            FindsNothing => 0,
            FindsTheFirstOnly => 1,
            _ => keys.len(),
        };
        let mut found = self.inner.find(&keys[..count.min(keys.len())]).await?;
        if self.is(FindsWhatIsNotThere) {
            let key = LedgerKey { function: "nobody".to_owned(), idempotency_key: "nothing".to_owned() };
            let lease = Lease { owner: String::new(), origin: Origin::default(), expires_at: DateTime::UNIX_EPOCH };
            found.insert(key, LedgerRecord::InProgress(lease));
        }
        Ok(found)
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError> {
        self.make_way(commit).await?;
        let before = self.inner.get(&commit.key).await?;
        let outcome = self.inner.commit(&self.spoiled(commit, false)).await?;
        let again = matches!(&before, Some(LedgerRecord::Completed(done)) if done.commit_id == commit.commit_id);
        if self.is(PublishesAgain) && again || self.is(PublishesWhatIsRefused) && outcome != CommitOutcome::Committed {
            self.publish(commit, "again").await?;
        }
        if let (true, true, Some(record)) = (self.is(TakesItselfForADuplicate), again, before) {
            return Ok(CommitOutcome::Duplicate(record));
        }
        Ok(match outcome {
            CommitOutcome::Duplicate(_) if self.is(TakesDuplicatesForCommitted) => CommitOutcome::Committed,
            CommitOutcome::Duplicate(LedgerRecord::Completed(mut record)) if self.is(TellsItsOwnDuplicate) => {
                record.commit_id.clone_from(&commit.commit_id);
                CommitOutcome::Duplicate(LedgerRecord::Completed(record))
            }
            CommitOutcome::ConditionFailed { .. } if self.is(TellsNoRows) => {
                CommitOutcome::ConditionFailed { rows: Vec::new() }
            }
            CommitOutcome::ConditionFailed { mut rows } if self.is(TellsTheFirstRowOnly) => {
                rows.truncate(1);
                CommitOutcome::ConditionFailed { rows }
            }
            CommitOutcome::ConditionFailed { mut rows } => {
                for row in &mut rows {
                    row.exists |= self.is(TakesMissingRowsForPresent);
                    row.exists &= !self.is(TakesPresentRowsForMissing);
                }
                CommitOutcome::ConditionFailed { rows }
            }
            outcome => outcome,
        })
    }

    async fn commit_group(&self, commits: &[Commit], token: &str) -> Result<GroupOutcome, LedgerError> {
        let spoiled: Vec<_> = commits.iter().map(|commit| self.spoiled(commit, true)).collect();
        let outcome = self.inner.commit_group(&spoiled, token).await?;
        if outcome == GroupOutcome::Committed {
            return Ok(outcome);
        }
        if self.is(WritesHalfOfAGroup) {
            self.inner.commit(&commits[0]).await?;
        }
        if self.is(PublishesWhatIsRefused) {
            self.publish(&commits[0], "group").await?;
        }
        Ok(if self.is(TakesCancelledGroupsForCommitted) { GroupOutcome::Committed } else { outcome })
    }

    async fn claim(&self, claim: &Claim) -> Result<ClaimOutcome, LedgerError> {
        match self.fault {
            ForgetsClaims => return Ok(ClaimOutcome::Claimed),
            ClaimsWhatIsHeld => drop(self.inner.claim(claim).await?),
            ClaimsNoLeaseThatEnded => {
                if let Some(record) = self.inner.get(&claim.key).await? {
                    return Ok(ClaimOutcome::Held(record));
                }
                return self.inner.claim(claim).await;
            }
            _ => return self.inner.claim(claim).await,
        }
        Ok(ClaimOutcome::Claimed)
    }

    async fn keep(&self, key: &LedgerKey, until: DateTime<Utc>) -> Result<Option<LedgerRecord>, LedgerError> {
        match self.fault {
            KeepsNothing => Ok(None),
            KeepsWhatIsNotThere => {
                let lease = Lease { owner: String::new(), origin: Origin::default(), expires_at: until };
                let claim = Claim { key: key.clone(), now: lease.expires_at, lease, expires_at: until };
                self.inner.claim(&claim).await?;
                self.inner.keep(key, until).await
            }
            _ => self.inner.keep(key, until).await,
        }
    }

    async fn release(&self, key: &LedgerKey, owner: &str) -> Result<(), LedgerError> {
        match (self.fault, self.inner.get(key).await?) {
            (ReleasesNothing, _) => Ok(()),
            (ReleasesAnybodys, Some(LedgerRecord::InProgress(lease))) => self.inner.release(key, &lease.owner).await,
            _ => self.inner.release(key, owner).await,
        }
    }
}

#[async_trait]
impl LedgerProbe for Faulty {
    fn ledger(&self) -> &dyn Ledger {
        self
    }

    async fn outbox(&self, key: &LedgerKey) -> Vec<String> {
        LedgerProbe::outbox(&self.inner, key).await
    }
}

/// The cases that an adapter with this fault fails.
async fn noticed(fault: Fault) -> Vec<&'static str> {
    let ledger = Arc::new(Faulty { inner: MemoryLedger::new(), fault });
    let mut broken = Vec::new();
    for (name, case) in contract::ledger_cases() {
        if AssertUnwindSafe(case(ledger.clone())).catch_unwind().await.is_err() {
            broken.push(name);
        }
    }
    broken
}

/// And each case is there for something: some adapter fails it.
#[tokio::test]
async fn every_faulty_adapter_fails_the_contract_and_every_case_notices_one() {
    let (mut unnoticed, mut idle) = (Vec::new(), BTreeSet::new());
    idle.extend(contract::ledger_cases().into_iter().map(|(name, _)| name));
    for fault in FAULTS.iter().copied() {
        let cases = noticed(fault).await;
        println!("{fault:?}: {cases:?}");
        if cases.is_empty() {
            unnoticed.push(fault);
        }
        idle.retain(|case| !cases.contains(case));
    }
    assert!(unnoticed.is_empty(), "no case notices {unnoticed:?}");
    assert!(idle.is_empty(), "no faulty adapter fails {idle:#?}");
}
