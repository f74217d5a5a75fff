//! What waits for its next attempt: stored, so that the next process goes on with it.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::background::{Background, Refused};
use crate::store::{Store, StoreError};

/// The retries of one service.
#[derive(Debug)]
pub(crate) struct Retries<T> {
    store: Store,
    collection: &'static str,
    tasks: Background,
    /// What an earlier process left, by the records' keys, until it is taken.
    left: Mutex<Vec<(String, T)>>,
}

impl<T: Serialize + DeserializeOwned> Retries<T> {
    /// Those that `store` has in `collection`. At most `limit` run at a time.
    pub(crate) fn open(store: &Store, collection: &'static str, limit: usize) -> Result<Self, StoreError> {
        let left = Mutex::new(store.read(collection)?);
        Ok(Self { store: store.clone(), collection, tasks: Background::new(limit), left })
    }

    /// What an earlier process left.
    pub(crate) fn take_left(&self) -> Vec<(String, T)> {
        std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stores how far `waiting` has come.
    pub(crate) fn note(&self, key: &str, waiting: &T) {
        let mut batch = self.store.batch();
        batch.put(self.collection, key, waiting);
        self.store.write(&batch);
    }

    /// It has come to an end.
    pub(crate) fn forget(&self, key: &str) {
        let mut batch = self.store.batch();
        batch.delete(self.collection, key);
        self.store.write(&batch);
    }

    /// Runs `task`, which tries again. Not refused is what the next process will go on with.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<(), Refused> {
        let spawned = self.tasks.spawn(task);
        let left_to_next = || self.store.is_durable() && self.tasks.is_stopped();
        spawned.or_else(|refused| if left_to_next() { Ok(()) } else { Err(refused) })
    }

    /// Ends every task where it waits, and lets no other start.
    pub(crate) fn stop(&self) {
        self.tasks.stop();
    }
}
