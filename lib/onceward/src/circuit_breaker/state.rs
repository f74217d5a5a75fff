//! The circuit as one environment sees it. Pure: time and new versions are parameters, the store is somebody else's.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{CircuitRecord, CircuitState, Settings};

/// How far the clocks of two environments may differ. A record from further in the future was written before a clock
/// was set back, or by one that is wrong: its times say nothing.
const CLOCK_SKEW_MAX: Duration = Duration::from_secs(5);

/// How calls are treated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// All are made.
    Closed,
    /// All are refused.
    Open { until: DateTime<Utc> },
    /// All but the probe, which is under way, are refused.
    HalfOpen { since: DateTime<Utc>, until: DateTime<Utc> },
    /// The next one is the probe.
    Due,
}

/// What an environment knows of the circuit.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    record: Option<CircuitRecord>,
    /// The version that the store holds, as far as is known.
    stored: Option<String>,
    /// The record was changed here, and the store was not told yet.
    unshared: bool,
    /// When the store was last asked.
    asked_at: Option<DateTime<Utc>>,
    /// Failed calls in a row, while closed.
    failures: u32,
    /// Counts the changes: a call that began before the last one says nothing about the circuit after it.
    generation: u64,
}

/// A change that the store is to be told: put `next` in place of `expected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) expected: Option<String>,
    pub(super) next: Option<CircuitRecord>,
}

impl Circuit {
    pub(super) fn phase(&self, now: DateTime<Utc>) -> Phase {
        let Some(record) = &self.record else { return Phase::Closed };
        match record.state {
            _ if record.changed_at > later(now, CLOCK_SKEW_MAX) => Phase::Due,
            CircuitState::Open { until } if until > now => Phase::Open { until },
            CircuitState::HalfOpen { until } if until > now => Phase::HalfOpen { since: record.changed_at, until },
            _ => Phase::Due,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the store was not asked for as long as `trust`, or at a time that has not come: the clock was set back.
    pub(super) fn is_stale(&self, now: DateTime<Utc>, trust: Duration) -> bool {
        let age = self.asked_at.and_then(|asked_at| (now - asked_at).to_std().ok());
        age.is_none_or(|age| age >= trust)
    }

    /// The store was asked, whether it answered or not.
    pub(super) fn asked(&mut self, now: DateTime<Utc>) {
        self.asked_at = Some(now);
    }

    /// A call succeeded that was not a probe.
    pub(super) fn succeeded(&mut self, generation: u64) {
        if generation == self.generation {
            self.failures = 0;
        }
    }

    /// A call failed that was not a probe. True if that opens the circuit.
    pub(super) fn failed(
        &mut self,
        generation: u64,
        settings: &Settings,
        now: DateTime<Utc>,
        version: impl FnOnce() -> String,
    ) -> bool {
        if generation != self.generation || self.record.is_some() {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let opens = self.failures >= settings.failures_max;
        if opens {
            self.change(Some(open(settings, 0, now, version())));
        }
        opens
    }

    /// The next call is the probe. A probe before it that had no outcome has failed.
    pub(super) fn begin_probe(&mut self, settings: &Settings, now: DateTime<Utc>, version: String) {
        let failed_probes = self.record.as_ref().map_or(0, |record| match record.state {
            CircuitState::Open { .. } => record.failed_probes,
            CircuitState::HalfOpen { .. } => record.failed_probes.saturating_add(1),
        });
        let state = CircuitState::HalfOpen { until: later(now, settings.probe_lease) };
        self.change(Some(CircuitRecord { version, changed_at: now, failed_probes, state }));
    }

    /// The probe succeeded.
    pub(super) fn close(&mut self) {
        self.change(None);
    }

    /// The probe failed. Answers until when the circuit is open.
    pub(super) fn reopen(&mut self, settings: &Settings, now: DateTime<Utc>, version: String) -> DateTime<Utc> {
        let failed_probes = self.record.as_ref().map_or(0, |record| record.failed_probes).saturating_add(1);
        let record = open(settings, failed_probes, now, version);
        let until = record.state.until();
        self.change(Some(record));
        until
    }

    /// The store is asked again before the next call: should nobody get to tell it the change now, it is told then.
    fn change(&mut self, record: Option<CircuitRecord>) {
        self.record = record;
        self.unshared = true;
        self.asked_at = None;
        self.failures = 0;
        self.generation += 1;
    }

    /// What the store is to be told, if anything.
    pub(super) fn unshared(&self) -> Option<Change> {
        self.unshared.then(|| Change { expected: self.stored.clone(), next: self.record.clone() })
    }

    /// The store took the change. There may be another since.
    pub(super) fn shared(&mut self, change: Change) {
        self.stored = change.next.map(|record| record.version);
        self.unshared = self.stored.as_ref() != self.version();
    }

    /// The store's record was read. It holds, unless it is the one that a change of this environment was made to:
    /// then the change is still to be told.
    pub(super) fn learn(&mut self, record: Option<CircuitRecord>) {
        let version = record.as_ref().map(|record| &record.version);
        if version == self.version() {
            self.stored = version.cloned();
            self.unshared = false;
        } else if !(self.unshared && version == self.stored.as_ref()) {
            self.adopt(record);
        }
    }

    /// The store refused a change: what it holds instead holds here too.
    pub(super) fn adopt(&mut self, record: Option<CircuitRecord>) {
        self.change(record);
        self.stored = self.version().cloned();
        self.unshared = false;
    }

    fn version(&self) -> Option<&String> {
        self.record.as_ref().map(|record| &record.version)
    }
}

fn open(settings: &Settings, failed_probes: u32, now: DateTime<Utc>, version: String) -> CircuitRecord {
    let until = later(now, settings.open_time.bound(failed_probes.saturating_add(1)));
    CircuitRecord { version, changed_at: now, failed_probes, state: CircuitState::Open { until } }
}

/// The end of time, if it is earlier.
pub(super) fn later(time: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    let delta = TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
    time.checked_add_signed(delta).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
