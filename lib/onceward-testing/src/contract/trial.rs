use std::{collections::hash_map::RandomState, hash::BuildHasher as _, sync::Arc, time::Duration};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use onceward::{
    Action, AttributeValue, Claim, Commit, CommitOutcome, Completed, Condition, Envelope, Fingerprint, GroupOutcome,
    Item, Key, Lease, Ledger, LedgerError, LedgerKey, LedgerRecord, Operation, Origin,
};

use super::{LedgerProbe, SIMPLE_TABLE, TABLE};

/// How often a call is repeated that met another transaction.
const TRIES_MAX: u32 = 100;

/// How long a lease of a case lasts.
pub(super) const LEASE: Duration = Duration::from_mins(1);

/// One run of one case: a ledger, and names that no other run uses.
pub(super) struct Trial {
    pub(super) probe: Arc<dyn LedgerProbe>,
    /// In milliseconds: no ledger keeps more.
    pub(super) now: DateTime<Utc>,
    scope: String,
}

impl Trial {
    pub(super) fn new(probe: Arc<dyn LedgerProbe>, case: &str) -> Self {
        Self { probe, now: Utc::now().trunc_subsecs(3), scope: format!("{case}-{:016x}", random()) }
    }

    /// The adapter under test.
    pub(super) fn ledger(&self) -> &dyn Ledger {
        self.probe.ledger()
    }

    /// Events with ids that no other trial uses.
    pub(super) fn events(&self, names: &[&str]) -> Vec<Envelope> {
        let event = |name: &&str| {
            let id = serde_json::Value::from(format!("{}-{name}", self.scope));
            let data = r#"{"n":12345678901234567890.10,"s":"é\u0000\n<&>"}"#;
            Envelope::parse(&format!(
                r#"{{"specversion":"1.0","id":{id},"source":"s","type":"t.v1","time":"2026-01-01T00:00:00Z","data":{data}}}"#
            ))
        };
        names.iter().map(event).collect::<Result<_, _>>().unwrap()
    }

    /// Asserts that what the commit under this key has left to publish of this trial's events is `expected`, in order.
    #[track_caller]
    pub(super) fn assert_outbox(&self, name: &str, expected: &[Envelope]) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let json = |envelope: &Envelope| serde_json::to_string(envelope).unwrap();
            let mut found = self.probe.outbox(&self.key(name)).await;
            found.retain(|envelope| envelope.contains(&self.scope));
            assert_eq!(found, expected.iter().map(json).collect::<Vec<_>>(), "at {caller}");
        }
    }

    pub(super) fn key(&self, name: &str) -> LedgerKey {
        LedgerKey { function: "contract".to_owned(), idempotency_key: format!("{}-{name}", self.scope) }
    }

    /// The name of a circuit breaker.
    pub(super) fn breaker(&self, name: &str) -> String {
        format!("{}-{name}", self.scope)
    }

    /// The key of a row of [`TABLE`]; all rows of a trial are in one partition.
    pub(super) fn row(&self, sort: &str) -> Key {
        Key::new("pk", &self.scope).sort("sk", sort)
    }

    /// The key of a row of [`SIMPLE_TABLE`].
    pub(super) fn simple_row(&self, name: &str) -> Key {
        Key::new("pk", format!("{}-{name}", self.scope))
    }

    /// A commit with an id of its own and an answer that names it.
    pub(super) fn commit(&self, name: &str, actions: impl Into<Vec<Action>>) -> Commit {
        let commit_id = format!("{:016x}{:016x}", random(), random());
        Commit {
            key: self.key(name),
            origin: origin(),
            owner: None,
            actions: actions.into(),
            events: Vec::new(),
            answer: Some(format!("\"{commit_id}\"")),
            committed_at: self.now,
            expires_at: self.now + TimeDelta::days(1),
            commit_id,
        }
    }

    /// Commits, again as long as other transactions are in the way.
    pub(super) async fn send(&self, commit: &Commit) -> Result<CommitOutcome, LedgerError> {
        for _ in 1..TRIES_MAX {
            match self.ledger().commit(commit).await {
                Err(error) if error.transient => {}
                outcome => return outcome,
            }
        }
        self.ledger().commit(commit).await
    }

    /// Commits a group, again with the same token if it is not known to be written: other transactions may be in the way.
    pub(super) async fn send_group(&self, commits: &[Commit]) -> Result<GroupOutcome, LedgerError> {
        let token = format!("{:016x}", random());
        for _ in 1..TRIES_MAX {
            match self.ledger().commit_group(commits, &token).await {
                Err(error) if error.transient => {}
                outcome => return outcome,
            }
        }
        self.ledger().commit_group(commits, &token).await
    }

    /// Commits under a key of its own.
    pub(super) async fn write(&self, actions: impl Into<Vec<Action>>) -> CommitOutcome {
        let commit = self.commit(&format!("{:016x}", random()), actions);
        self.send(&commit).await.expect("the commit has an outcome")
    }

    /// Puts a row.
    pub(super) async fn given(&self, key: &Key, item: Item) {
        let outcome = self.write([act(key, Operation::Put(item), Condition::All(Vec::new()))]).await;
        assert_eq!(outcome, CommitOutcome::Committed);
    }

    pub(super) fn claim(&self, name: &str, owner: &str, now: DateTime<Utc>) -> Claim {
        let lease = Lease { owner: owner.to_owned(), origin: origin(), expires_at: now + LEASE };
        Claim { key: self.key(name), lease, now, expires_at: now + TimeDelta::days(1) }
    }

    /// The record under a key.
    pub(super) async fn record(&self, name: &str) -> Option<LedgerRecord> {
        let key = self.key(name);
        let mut found = self.ledger().find(std::slice::from_ref(&key)).await.expect("the ledger can be read");
        found.remove(&key)
    }

    /// Asserts that the row is there with these attributes and its key's, and no others.
    #[track_caller]
    pub(super) fn assert_row(&self, key: &Key, expected: Item) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let keys = key.attributes().map(|(name, value)| (name.to_owned(), text(value)));
            let expected: Item = expected.into_iter().chain(keys).collect();
            assert_eq!(self.load(key).await, Some(expected), "at {caller}");
        }
    }

    pub(super) async fn load(&self, key: &Key) -> Option<Item> {
        self.ledger().load(table(key), key).await.expect("the row can be read")
    }
}

/// The record that a commit leaves behind.
pub(super) fn completed(commit: &Commit) -> LedgerRecord {
    LedgerRecord::Completed(Completed {
        commit_id: commit.commit_id.clone(),
        origin: commit.origin.clone(),
        result: commit.answer.clone(),
        committed_at: commit.committed_at,
    })
}

/// What every record of a trial says, unless its case is about it.
fn origin() -> Origin {
    Fingerprint { text: "fingerprint".to_owned(), jcs: Some([0x5a; 32]) }.into()
}

pub(super) fn act(key: &Key, operation: Operation, condition: Condition) -> Action {
    Action { table: table(key), key: key.clone(), operation, condition }
}

fn table(key: &Key) -> &'static str {
    if key.sort.is_some() { TABLE } else { SIMPLE_TABLE }
}

pub(super) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// Also for the table of a real cloud, where the rows of earlier runs stay: a seed would not do.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
