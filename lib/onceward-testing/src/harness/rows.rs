use chrono::TimeDelta;
use futures_util::FutureExt as _;
use onceward::{
    Action, Commit, CommitOutcome, Entity, Key, Ledger as _, LedgerKey, Operation, Origin, Store as _, all,
};

use super::Harness;

impl Harness {
    /// Puts a row, in place of the one under its key.
    ///
    /// # Panics
    /// If the entity cannot be serialized.
    #[must_use]
    pub fn given<T: Entity>(self, entity: &T) -> Self {
        let number = self.next();
        let item = serde_dynamo::to_item(entity).expect("the entity can be serialized");
        let commit = Commit {
            key: LedgerKey { function: "given".to_owned(), idempotency_key: number.to_string() },
            commit_id: format!("given-{number}"),
            origin: Origin::default(),
            owner: None,
            actions: vec![Action {
                table: T::TABLE,
                key: entity.key(),
                operation: Operation::Put(item),
                condition: all([]),
            }],
            events: Vec::new(),
            answer: None,
            committed_at: self.now(),
            expires_at: self.now() + TimeDelta::days(1),
        };
        let outcome = self.ledger.commit(&commit).now_or_never().expect("memory does not wait");
        assert_eq!(outcome.expect("memory does not fail"), CommitOutcome::Committed);
        self
    }

    /// The row under the key.
    ///
    /// # Panics
    /// If the row is not a `T`.
    pub fn load<T: Entity>(&self, key: &Key) -> Option<T> {
        let item = self.ledger.load(T::TABLE, key).now_or_never().expect("memory does not wait");
        let item = item.expect("memory does not fail");
        item.map(|item| serde_dynamo::from_item(item).expect("the row is a T"))
    }

    /// The rows of a partition whose sort key begins with the given one, in its order.
    ///
    /// # Panics
    /// If one of the rows is not a `T`.
    pub fn rows<T: Entity>(&self, prefix: &Key) -> Vec<T> {
        let items = self.ledger.query(T::TABLE, prefix, usize::MAX).now_or_never().expect("memory does not wait");
        let items = items.expect("memory does not fail").into_iter();
        items.map(|item| serde_dynamo::from_item(item).expect("the row is a T")).collect()
    }
}
