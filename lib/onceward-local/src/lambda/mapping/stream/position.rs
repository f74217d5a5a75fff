//! How far a mapping has come in a shard, kept for the next start of a cloud with a data folder.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::source::Record;
use crate::store::{Batch, Store};

/// Where positions are stored.
const COLLECTION: &str = "lambda-stream-positions";

/// The position of one mapping in one shard. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Position {
    store: Store,
    key: String,
    /// Records that were read, by their numbers: whether they are done.
    records: Arc<Mutex<BTreeMap<u128, bool>>>,
}

impl Position {
    pub(super) fn new(store: Store, function: &str, stream_arn: &str, shard_id: &str) -> Self {
        Self { store, key: key(function, stream_arn, shard_id), records: Arc::default() }
    }

    /// `record` is read.
    pub(super) fn read(&self, record: &Record) {
        if let (true, Some(number)) = (self.store.is_durable(), number(record)) {
            self.records.lock().unwrap_or_else(PoisonError::into_inner).insert(number, false);
        }
    }

    /// `done` are handled, given up or not wanted. The position moves to where everything before it is.
    pub(super) fn done(&self, done: &[Record]) {
        if !self.store.is_durable() {
            return;
        }
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        for number in done.iter().filter_map(number) {
            records.insert(number, true);
        }
        let mut reached = None;
        while let Some(first) = records.first_entry().filter(|first| *first.get()) {
            reached = Some(first.remove_entry().0);
        }
        if let Some(reached) = reached {
            let mut batch = Batch::default();
            batch.put(COLLECTION, &self.key, &reached.to_string());
            // Written under the lock, so that positions do not overtake each other.
            self.store.write(&batch);
        }
    }
}

/// The number of the last record that `function` was done with.
pub(super) fn stored(store: &Store, function: &str, stream_arn: &str, shard_id: &str) -> Option<String> {
    let key = key(function, stream_arn, shard_id);
    // What cannot be read is read again from the starting position: at least once.
    let positions: Vec<(String, String)> = store.read(COLLECTION).unwrap_or_default();
    positions.into_iter().find(|(known, _)| *known == key).map(|(_, number)| number)
}

fn key(function: &str, stream_arn: &str, shard_id: &str) -> String {
    format!("{function}/{stream_arn}/{shard_id}")
}

fn number(record: &Record) -> Option<u128> {
    record.sequence_number().parse().ok()
}
