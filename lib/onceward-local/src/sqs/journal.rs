//! What of the queues outlives the process: each queue, message, message state and deduplication id as a record.
//!
//! Records are written when the lock on the queues is let go, all that changed under it together: a message that goes to
//! a dead-letter queue is in one of the two, and what a caller is told is already stored.

use super::fifo::{Key, Original};
use super::message::Message;
use super::queue::{Queue, Snapshot};
use super::service::Entry;
use super::settings::Settings;
use crate::store::{Batch, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};
use tokio::sync::Notify;

/// The queues, by name.
const QUEUES: &str = "sqs.queue";
/// What never changes of a message, by [`key`].
const MESSAGES: &str = "sqs.message";
/// What does, by the same keys.
const STATES: &str = "sqs.state";
/// Deduplication ids, by the arrival of their message.
const ORIGINALS: &str = "sqs.original";
/// Arrival numbers are stored ahead in steps of so many: numbers are never given twice, and seldom stored.
const ARRIVALS_STEP: u64 = 1_000;

/// The queues by name, and where they are stored.
#[derive(Debug, Default)]
pub(crate) struct Journaled {
    pub(crate) queues: BTreeMap<String, Entry>,
    store: Store,
    known: BTreeSet<String>,
}

/// The locked queues; what changed is stored when it goes.
#[derive(Debug)]
pub(crate) struct Locked<'a> {
    pub(crate) guard: MutexGuard<'a, Journaled>,
}

/// What changed in a queue since it was last stored.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) added: BTreeSet<u64>,
    /// Those whose state changed, or that are gone.
    pub(crate) turned: BTreeSet<u64>,
    /// What was remembered, and until when.
    pub(crate) remembered: Vec<(u64, Key, Original)>,
    /// Arrivals whose deduplication ids are forgotten.
    pub(crate) forgotten: Vec<u64>,
    /// Every message was deleted, before the other changes.
    pub(crate) emptied: bool,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { added, turned, remembered, forgotten, emptied } = self;
        added.is_empty() && turned.is_empty() && remembered.is_empty() && forgotten.is_empty() && !emptied
    }

    /// Those that are not about messages.
    pub(crate) fn identities(self) -> Self {
        Self { remembered: self.remembered, forgotten: self.forgotten, ..Self::default() }
    }
}

/// What is stored of an entry besides its messages.
#[derive(Debug)]
pub(crate) struct Saved {
    settings: Arc<Settings>,
    tags: BTreeMap<String, String>,
    arrivals: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct QueueRecord {
    id: u128,
    attributes: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    created_ms: u64,
    modified_ms: u64,
    arrivals: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct OriginalRecord {
    end_ms: u64,
    key: Key,
    original: Original,
}

impl Journaled {
    /// The queues of `store` as they were.
    pub(crate) fn open(store: Store, now_ms: u64) -> Result<Self, StoreError> {
        let mut queues = BTreeMap::new();
        for (name, record) in store.read(QUEUES)? {
            if let Some(entry) = entry(record) {
                queues.insert(name, entry);
            }
        }
        let mut messages: BTreeMap<String, Message> = store.read(MESSAGES)?.into_iter().collect();
        for (key, snapshot) in store.read::<Snapshot>(STATES)? {
            if let (Some((name, arrival)), Some(message)) = (parts(&key), messages.remove(&key))
                && let Some(entry) = queues.get_mut(name)
            {
                entry.queue.restore(arrival, Arc::new(message), snapshot);
            }
        }
        let mut originals = store.read::<OriginalRecord>(ORIGINALS)?;
        let mut ended = Batch::default();
        originals.retain(|(key, record)| {
            let lasts = record.end_ms > now_ms;
            if !lasts {
                ended.delete(ORIGINALS, key);
            }
            lasts
        });
        store.write(&ended);
        originals.sort_by_key(|(_, record)| record.end_ms);
        for (key, OriginalRecord { end_ms, key: id, original }) in originals {
            if let Some(entry) = parts(&key).and_then(|(name, _)| queues.get_mut(name)) {
                entry.queue.restore_original(end_ms, id, original);
            }
        }
        let known = queues.keys().cloned().collect();
        if store.is_durable() {
            for entry in queues.values_mut() {
                entry.queue.track_changes();
            }
        }
        Ok(Self { queues, store, known })
    }

    fn save(&mut self) {
        if !self.store.is_durable() {
            return;
        }
        let mut batch = Batch::default();
        for gone in self.known.iter().filter(|name| !self.queues.contains_key(*name)) {
            forget(&mut batch, gone);
        }
        self.known.retain(|name| self.queues.contains_key(name));
        for (name, entry) in &mut self.queues {
            if entry.saved.is_none() {
                // Of an earlier queue of that name.
                forget(&mut batch, name);
                self.known.insert(name.clone());
                entry.queue.track_changes();
            }
            save(&mut batch, name, entry);
        }
        self.store.write(&batch);
    }
}

/// Stores what changed. A queue that begins to be tracked has no messages yet: it was made under this lock.
fn save(batch: &mut Batch, name: &str, entry: &mut Entry) {
    let described = entry.saved.as_ref().is_some_and(|saved| {
        Arc::ptr_eq(&saved.settings, entry.queue.settings())
            && saved.tags == entry.tags
            && saved.arrivals > entry.queue.arrivals()
    });
    if !described {
        let arrivals = entry.queue.arrivals() + ARRIVALS_STEP;
        let (settings, tags) = (Arc::clone(entry.queue.settings()), entry.tags.clone());
        let record = QueueRecord {
            id: entry.queue.id(),
            attributes: settings.values().clone(),
            tags: tags.clone(),
            created_ms: entry.created_ms,
            modified_ms: entry.modified_ms,
            arrivals,
        };
        batch.put(QUEUES, name, &record);
        entry.saved = Some(Saved { settings, tags, arrivals });
    }
    let Some(changes) = entry.queue.take_changes() else { return };
    if changes.emptied {
        batch.delete_all(MESSAGES, format!("{name}/"));
        batch.delete_all(STATES, format!("{name}/"));
    }
    for arrival in changes.added {
        if let Some((message, _)) = entry.queue.snapshot(arrival) {
            batch.put(MESSAGES, key(name, arrival), &**message);
        }
    }
    for arrival in changes.turned {
        if let Some((_, snapshot)) = entry.queue.snapshot(arrival) {
            batch.put(STATES, key(name, arrival), &snapshot);
        } else {
            batch.delete(MESSAGES, key(name, arrival));
            batch.delete(STATES, key(name, arrival));
        }
    }
    for (end_ms, id, original) in changes.remembered {
        let key = key(name, original.arrival);
        batch.put(ORIGINALS, key, &OriginalRecord { end_ms, key: id, original });
    }
    for arrival in changes.forgotten {
        batch.delete(ORIGINALS, key(name, arrival));
    }
}

fn forget(batch: &mut Batch, name: &str) {
    batch.delete(QUEUES, name);
    for collection in [MESSAGES, STATES, ORIGINALS] {
        batch.delete_all(collection, format!("{name}/"));
    }
}

/// The entry as it was; none if its attributes are no longer valid, which only a change of this code could bring about.
fn entry(record: QueueRecord) -> Option<Entry> {
    let QueueRecord { id, attributes, tags, created_ms, modified_ms, arrivals } = record;
    let queue = Queue::resumed(id, Settings::stored(attributes).ok()?, arrivals);
    let saved = Saved { settings: Arc::clone(queue.settings()), tags: tags.clone(), arrivals };
    let arrived = Arc::new(Notify::new());
    let (purged_ms, moves) = (None, VecDeque::new());
    Some(Entry { queue, tags, created_ms, modified_ms, purged_ms, moves, arrived, saved: Some(saved) })
}

/// Queue names hold no slash.
fn key(name: &str, arrival: u64) -> String {
    format!("{name}/{arrival:020}")
}

fn parts(key: &str) -> Option<(&str, u64)> {
    let (name, arrival) = key.split_once('/')?;
    Some((name, arrival.parse().ok()?))
}

impl Deref for Locked<'_> {
    type Target = BTreeMap<String, Entry>;

    fn deref(&self) -> &Self::Target {
        &self.guard.queues
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.guard.queues
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.guard.save();
    }
}
