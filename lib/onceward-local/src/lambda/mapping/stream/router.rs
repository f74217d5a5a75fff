//! Reads a shard and hands its records to lanes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    Reading,
    source::{Record, Shard},
};
use crate::lambda::{
    mapping::{SOURCE_RETRY_DELAY, filter::Filter},
    tasks::stopped,
};

/// As often as Lambda looks at a shard: 4 times a second.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#dynamodb-polling-and-batching>
const POLL_INTERVAL: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Router {
    pub(super) reading: Arc<Reading>,
    pub(super) filter: Filter,
    pub(super) shard: Shard,
    /// Wakes it; without, it looks again after a while.
    pub(super) changes: Option<watch::Receiver<u64>>,
    pub(super) assignments: Assignments,
    pub(super) inboxes: Vec<mpsc::Sender<Record>>,
}

impl Router {
    /// Until the shard's end, or the shutdown.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !self.shard.is_ended() {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                () = self.round() => {}
            }
        }
    }

    /// Waits until there may be more.
    async fn changed(&mut self) {
        let Some(changes) = &mut self.changes else {
            sleep(POLL_INTERVAL).await;
            return;
        };
        if changes.changed().await.is_err() {
            // The database is gone; only the shutdown is left to wait for.
            std::future::pending::<()>().await;
        }
    }

    /// Reads the next page, or waits until there may be one.
    async fn round(&mut self) {
        // Marked as seen before the read: a write during it wakes the wait.
        if let Some(changes) = &mut self.changes {
            changes.borrow_and_update();
        }
        match self.shard.read(self.reading.mapping.batch_size).await {
            Ok(records) if records.is_empty() => {
                if !self.shard.is_ended() {
                    self.changed().await;
                }
            }
            Ok(records) => {
                for record in records {
                    if !self.filter.passes(&record.value) {
                        self.reading.position.done(&[record]);
                        continue;
                    }
                    self.reading.position.read(&record);
                    let lane = self.assignments.assign(&record);
                    // A lane ends at the shutdown only.
                    let _ = self.inboxes[lane].send(record).await;
                }
            }
            Err(reason) => {
                self.reading.report("ERROR", &format!("could not read the stream: {reason}"));
                sleep(SOURCE_RETRY_DELAY).await;
            }
        }
    }
}

/// Which lane has records of which item. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Assignments {
    lanes: usize,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// By item: its lane, and how many of its records are there.
    items: BTreeMap<String, (usize, usize)>,
    /// Records in each lane.
    loads: Vec<usize>,
}

impl Assignments {
    pub(super) fn new(lanes: usize) -> Self {
        let state = State { items: BTreeMap::new(), loads: vec![0; lanes] };
        Self { lanes, state: Arc::new(Mutex::new(state)) }
    }

    /// The lane that has the item's earlier records, else the one with the least to do.
    pub(super) fn assign(&self, record: &Record) -> usize {
        if self.lanes == 1 {
            return 0;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { items, loads } = &mut *state;
        let idlest = (0..loads.len()).min_by_key(|lane| loads[*lane]).unwrap_or_default();
        let (lane, count) = items.entry(record.key()).or_insert((idlest, 0));
        *count += 1;
        loads[*lane] += 1;
        *lane
    }

    /// `record` is done, one way or the other.
    pub(super) fn done(&self, record: &Record) {
        if self.lanes == 1 {
            return;
        }
        let key = record.key();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { items, loads } = &mut *state;
        let Some((lane, count)) = items.get_mut(&key) else { return };
        *count -= 1;
        loads[*lane] -= 1;
        if *count == 0 {
            items.remove(&key);
        }
    }
}
