//! What only FIFO queues have: message groups, deduplication, sequence numbers.

use super::limits;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeSet, HashMap, VecDeque};

/// The first sequence number. AWS's have 20 digits, so that they sort as text, too.
const SEQUENCE_FIRST: u128 = 18_850_000_000_000_000_000;
/// AWS's sequence numbers leave gaps; so do ours, lest someone counts on none.
const SEQUENCE_STEP: u128 = 256;

/// One message group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    /// Its messages by arrival, those in flight included.
    pub(crate) members: BTreeSet<u64>,
    /// How many of them are in flight: while there is one, the group gives no more.
    pub(crate) in_flight: usize,
    /// The head under which the queue lists the group as ready.
    pub(crate) listed: Option<u64>,
}

/// What a duplicate is answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Original {
    pub(crate) message_id: String,
    pub(crate) arrival: u64,
}

/// The deduplication ids of the last 5 minutes.
#[derive(Debug, Default)]
pub(crate) struct Deduplication {
    originals: HashMap<Key, Original>,
    /// When each of them is forgotten, soonest first.
    endings: VecDeque<(u64, Key)>,
}

impl Serialize for Deduplication {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = self.endings.iter().filter_map(|(end_ms, key)| Some((end_ms, key, self.originals.get(key)?)));
        serializer.collect_seq(known)
    }
}

impl<'de> Deserialize<'de> for Deduplication {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut known = Self::default();
        for (end_ms, key, original) in Vec::deserialize(deserializer)? {
            known.restore(end_ms, key, original);
        }
        Ok(known)
    }
}

/// Group (if the queue's `DeduplicationScope` is `messageGroup`) and deduplication id.
pub(crate) type Key = (Option<String>, String);

impl Deduplication {
    /// Forgets what is 5 minutes old, and tells the arrivals of those messages.
    pub(crate) fn forget(&mut self, now_ms: u64) -> Vec<u64> {
        let mut forgotten = Vec::new();
        while self.endings.front().is_some_and(|(end_ms, _)| *end_ms <= now_ms) {
            let key = self.endings.pop_front().map(|(_, key)| key);
            forgotten.extend(key.and_then(|key| self.originals.remove(&key)).map(|original| original.arrival));
        }
        forgotten
    }

    /// The message first sent under `key`, if it is not forgotten.
    pub(crate) fn original(&self, key: &Key) -> Option<Original> {
        self.originals.get(key).cloned()
    }

    /// Remembers `key`, which must not be known, and tells until when.
    pub(crate) fn remember(&mut self, now_ms: u64, key: Key, original: Original) -> u64 {
        let end_ms = now_ms + limits::DEDUPLICATION_MS;
        self.restore(end_ms, key, original);
        end_ms
    }

    /// Remembers `key` until `end_ms`, which is no earlier than for those before.
    pub(crate) fn restore(&mut self, end_ms: u64, key: Key, original: Original) {
        self.endings.push_back((end_ms, key.clone()));
        self.originals.insert(key, original);
    }
}

/// The sequence number of the `arrival`-th message of a queue.
pub(crate) fn sequence_number(arrival: u64) -> String {
    (SEQUENCE_FIRST + u128::from(arrival) * SEQUENCE_STEP).to_string()
}
