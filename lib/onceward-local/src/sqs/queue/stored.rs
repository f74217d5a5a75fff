//! What of a queue is stored, and how it comes back.

use super::super::fifo::{Key, Original};
use super::super::journal::Changes;
use super::super::message::Message;
use super::super::settings::Settings;
use super::{Queue, Record, State, Stored};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What changes of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) record: Record,
    pub(super) state: State,
    pub(super) receives: u32,
}

impl Queue {
    /// A queue that was stored, still without messages; the next is the `arrivals`-th.
    pub(crate) fn resumed(id: u128, settings: Settings, arrivals: u64) -> Self {
        Self { arrivals, ..Self::new(id, settings) }
    }

    pub(crate) fn id(&self) -> u128 {
        self.id
    }

    /// How many messages have arrived so far.
    pub(crate) fn arrivals(&self) -> u64 {
        self.arrivals
    }

    /// Puts a message that is stored in its place again.
    pub(crate) fn restore(&mut self, arrival: u64, message: Arc<Message>, snapshot: Snapshot) {
        self.arrivals = self.arrivals.max(arrival + 1);
        self.place(arrival, message, snapshot);
    }

    /// Remembers a deduplication id that is stored; those that end sooner must come first.
    pub(crate) fn restore_original(&mut self, end_ms: u64, key: Key, original: Original) {
        self.deduplication.restore(end_ms, key, original);
    }

    /// From now on it notes what changes.
    pub(crate) fn track_changes(&mut self) {
        self.changes.get_or_insert_default();
    }

    /// What changed since the last time, if it notes that and there is something.
    pub(crate) fn take_changes(&mut self) -> Option<Changes> {
        self.changes.as_mut().filter(|changes| !changes.is_empty()).map(std::mem::take)
    }

    /// A message and its state; none if it is gone.
    pub(crate) fn snapshot(&self, arrival: u64) -> Option<(&Arc<Message>, Snapshot)> {
        let Stored { message, record, state, receives } = self.messages.get(&arrival)?;
        Some((message, Snapshot { record: record.clone(), state: *state, receives: *receives }))
    }

    pub(super) fn change(&mut self, note: impl FnOnce(&mut Changes)) {
        if let Some(changes) = &mut self.changes {
            note(changes);
        }
    }
}
