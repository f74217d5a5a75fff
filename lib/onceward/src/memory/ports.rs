use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{Clock, Envelope, PublishError, PublishFailure, Publisher, Randomness};

/// The data of a larger event no bus takes: an entry of EventBridge may have 1 MB.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
const DATA_BYTES_MAX: usize = 1024 * 1024;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A clock that stands still until it is told otherwise.
///
/// A sleep never ends by itself, so a handler is never cut off; sleeps up to a second, such as the pause between two
/// commits, end at once.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<DateTime<Utc>>,
    passed: Mutex<Duration>,
}

impl ManualClock {
    /// Sleeps up to this long move the clock instead of waiting.
    const PAUSE_MAX: Duration = Duration::from_secs(1);

    /// A clock that shows `now`.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self { now: Mutex::new(now), passed: Mutex::default() }
    }

    /// Time passes.
    pub fn advance(&self, duration: Duration) {
        *lock(&self.passed) += duration;
        self.jump(TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX));
    }

    /// The wall clock is set, without any time passing.
    pub fn jump(&self, by: TimeDelta) {
        *lock(&self.now) += by;
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *lock(&self.now)
    }

    fn monotonic(&self) -> Duration {
        *lock(&self.passed)
    }

    async fn sleep(&self, duration: Duration) {
        if duration > Self::PAUSE_MAX {
            std::future::pending::<()>().await;
        }
        self.advance(duration);
    }
}

/// Reproducible random numbers (SplitMix64: Steele, Lea and Flood, 2014). Not for secrets.
#[derive(Debug)]
pub struct SeededRandomness {
    state: Mutex<u64>,
}

impl SeededRandomness {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed) }
    }
}

impl Randomness for SeededRandomness {
    fn next_u64(&self) -> u64 {
        let mut state = lock(&self.state);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Keeps published events; refuses those whose id it is told, a number of times, and any that is too large for a bus.
#[derive(Debug, Default)]
pub struct MemoryPublisher {
    published: Mutex<Vec<Envelope>>,
    refusals: Mutex<Vec<(String, u32)>>,
    refused_for_good: Mutex<Vec<String>>,
}

impl MemoryPublisher {
    /// The events so far.
    pub fn published(&self) -> Vec<Envelope> {
        lock(&self.published).clone()
    }

    /// Refuses the event with this id the next `times` times.
    pub fn refuse(&self, id: impl Into<String>, times: u32) {
        lock(&self.refusals).push((id.into(), times));
    }

    /// Refuses the event with this id whenever it comes, and says so.
    pub fn refuse_for_good(&self, id: impl Into<String>) {
        lock(&self.refused_for_good).push(id.into());
    }
}

#[async_trait]
impl Publisher for MemoryPublisher {
    fn batch_max(&self) -> usize {
        10
    }

    fn batch_bytes_max(&self) -> usize {
        256 * 1024
    }

    async fn publish(&self, envelopes: &[&Envelope]) -> Result<Vec<PublishFailure>, PublishError> {
        let mut refusals = lock(&self.refusals);
        let mut failures = Vec::new();
        for (index, envelope) in envelopes.iter().enumerate() {
            let too_large = envelope.data.get().len() > DATA_BYTES_MAX;
            if too_large || lock(&self.refused_for_good).contains(&envelope.id) {
                let reason = if too_large { "too large" } else { "refused for good" };
                failures.push(PublishFailure { index, reason: reason.to_owned(), permanent: true });
                continue;
            }
            match refusals.iter_mut().find(|(id, times)| *id == envelope.id && *times > 0) {
                Some((_, times)) => {
                    *times -= 1;
                    failures.push(PublishFailure { index, reason: "refused".to_owned(), permanent: false });
                }
                None => lock(&self.published).push((*envelope).clone()),
            }
        }
        Ok(failures)
    }
}
