mod answer;
mod deliver;
mod faults;
mod message;
mod rows;

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use onceward::{
    DeadLetter, Envelope, Event, Invocation, Ports, Postponement, Shutdown,
    memory::{ManualClock, MemoryLedger, MemorySourceQueue, SeededRandomness},
};

pub use answer::Answer;
pub use deliver::Delivered;
use faults::Faults;
pub use message::Message;

/// Names the seed to use instead of a random one.
const SEED_VARIABLE: &str = "ONCEWARD_SEED";

/// What the clock shows at first: 2026-01-01T00:00:00Z.
const START_SECONDS: i64 = 1_767_225_600;

/// The time that each invocation has.
const INVOCATION_SECONDS: i64 = 30;

/// Everything a function sees of the world, in memory: tables and ledger, queue, clock, randomness.
///
/// The clock stands still at 2026-01-01T00:00:00Z until [`advance`](Self::advance). Ids and jitter are random, from a
/// seed that is printed: a failed test shows it, and the environment variable `ONCEWARD_SEED` repeats it.
#[derive(Debug)]
pub struct Harness {
    ledger: Arc<MemoryLedger>,
    /// What the functions take for it.
    faults: Arc<Faults>,
    clock: Arc<ManualClock>,
    ports: Ports,
    queue: MemorySourceQueue,
    published: Mutex<Vec<Envelope>>,
    count: AtomicU64,
}

impl Harness {
    /// An empty world.
    ///
    /// # Panics
    /// If the environment variable `ONCEWARD_SEED` is set and not a number.
    pub fn new() -> Self {
        let seed = match std::env::var(SEED_VARIABLE) {
            Ok(seed) => seed.parse().expect("ONCEWARD_SEED is a number"),
            Err(_) => RandomState::new().hash_one(0),
        };
        println!("{SEED_VARIABLE}={seed} repeats this run");
        Self::with_seed(seed)
    }

    /// An empty world whose ids and jitter follow from the seed.
    ///
    /// # Panics
    /// Never: the start is a valid time.
    pub fn with_seed(seed: u64) -> Self {
        let start = DateTime::from_timestamp(START_SECONDS, 0).expect("a valid time");
        let (ledger, clock) = (Arc::new(MemoryLedger::new()), Arc::new(ManualClock::new(start)));
        let (faults, randomness) = (Arc::new(Faults::of(ledger.clone())), Arc::new(SeededRandomness::new(seed)));
        let (shutdown, deployment, strict) = (Shutdown::new(), Arc::default(), true);
        let ports = Ports { ledger: faults.clone(), clock: clock.clone(), randomness, shutdown, deployment, strict };
        let (published, count) = (Mutex::default(), AtomicU64::new(0));
        Self { ledger, faults, clock, ports, queue: MemorySourceQueue::default(), published, count }
    }

    /// The ports that the functions get, for what the harness has no word for.
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// What the clock shows.
    pub fn now(&self) -> DateTime<Utc> {
        self.ports.clock.now()
    }

    /// Moves the clock.
    pub fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// The events of type `E` that were published so far, in order.
    ///
    /// # Panics
    /// If one of them cannot be read as `E`.
    pub fn published<E: Event>(&self) -> Vec<E> {
        let envelopes = self.envelopes().into_iter().filter(|envelope| envelope.event_type == E::wire_type());
        envelopes.map(|envelope| serde_json::from_str(envelope.data.get()).expect("the event is an E")).collect()
    }

    /// All events that were published so far, in order, in their envelopes.
    pub fn envelopes(&self) -> Vec<Envelope> {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.extend(self.ledger.take_outbox());
        published.clone()
    }

    /// The messages that were given up so far, in order.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.queue.letters()
    }

    /// The messages that failed so far, and when each comes back.
    pub fn postponements(&self) -> Vec<Postponement> {
        self.queue.postponements()
    }

    fn invocation(&self) -> Invocation {
        Invocation::until(self.now() + TimeDelta::seconds(INVOCATION_SECONDS), self.clock.as_ref())
    }

    /// A number that no other part of this world has.
    fn next(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}
