//! State that is kept as one record.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Batch, Store, StoreError};

/// Where such records are, under the names of their services.
const COLLECTION: &str = "state";

/// A mutex over state that is stored whole whenever somebody has changed it: for state that is small and seldom changes.
#[derive(Debug)]
pub(crate) struct Kept<T: Serialize> {
    value: Mutex<T>,
    store: Store,
    name: &'static str,
}

/// The locked state. What was borrowed mutably is stored when the guard goes.
#[derive(Debug)]
pub(crate) struct KeptGuard<'a, T: Serialize> {
    value: MutexGuard<'a, T>,
    kept: &'a Kept<T>,
    changed: bool,
}

impl<T: Serialize + DeserializeOwned> Kept<T> {
    /// What is stored under `name`, else `new`.
    pub(crate) fn open(store: &Store, name: &'static str, new: impl FnOnce() -> T) -> Result<Self, StoreError> {
        let stored = store.read(COLLECTION)?.into_iter().find(|(key, _): &(String, serde_json::Value)| key == name);
        let value = match stored {
            None => new(),
            Some((key, value)) => serde_json::from_value(value).map_err(|source| StoreError::Record {
                folder: store.inner.as_ref().map(|inner| inner.folder.clone()).unwrap_or_default(),
                collection: COLLECTION,
                key,
                reason: source.to_string(),
            })?,
        };
        Ok(Self { value: Mutex::new(value), store: store.clone(), name })
    }
}

impl<T: Serialize> Kept<T> {
    pub(crate) fn lock(&self) -> KeptGuard<'_, T> {
        KeptGuard { value: self.value.lock().unwrap_or_else(PoisonError::into_inner), kept: self, changed: false }
    }
}

impl<T: Serialize> KeptGuard<'_, T> {
    /// The state, to change what is not stored with it, or is worth no write.
    pub(crate) fn unsaved(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: Serialize> Deref for KeptGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Serialize> DerefMut for KeptGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

impl<T: Serialize> Drop for KeptGuard<'_, T> {
    fn drop(&mut self) {
        if self.changed && self.kept.store.is_durable() {
            let mut batch = Batch::default();
            batch.put(COLLECTION, self.kept.name, &*self.value);
            self.kept.store.write(&batch);
        }
    }
}
