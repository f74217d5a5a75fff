use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::state::later;
use crate::LedgerError;

/// How long a record outlives its state: a breaker that nobody asks any more is forgotten.
const RETENTION: std::time::Duration = std::time::Duration::from_hours(24);

/// What all execution environments know of a circuit that is not closed. A closed circuit has no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitRecord {
    /// Random and new with every change: whoever knows it may change the record.
    pub version: String,
    /// When it was changed, on the clock of whoever did, in milliseconds.
    pub changed_at: DateTime<Utc>,
    /// How many probes have failed since the circuit opened.
    pub failed_probes: u32,
    /// Open or half open.
    pub state: CircuitState,
}

/// How calls are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CircuitState {
    /// All are refused.
    Open {
        /// When a call may be the probe.
        until: DateTime<Utc>,
    },
    /// One is under way, the probe; the others are refused.
    HalfOpen {
        /// When the probe counts as failed, and another call may be the probe.
        until: DateTime<Utc>,
    },
}

impl CircuitState {
    /// The end of the open time, or of the probe's lease.
    pub fn until(&self) -> DateTime<Utc> {
        match self {
            Self::Open { until } | Self::HalfOpen { until } => *until,
        }
    }
}

impl CircuitRecord {
    /// When the store may forget it: a day after its state has ended.
    pub fn expires_at(&self) -> DateTime<Utc> {
        later(self.state.until(), RETENTION)
    }
}

/// Where execution environments share the state of circuit breakers.
///
/// Every [`Ledger`](crate::Ledger) is one; the contract suite of `onceward-testing` says what it must do.
#[async_trait]
pub trait CircuitBreakerStore: Send + Sync {
    /// The record of the breaker, read consistently.
    async fn load_circuit(&self, breaker: &str) -> Result<Option<CircuitRecord>, LedgerError>;

    /// Puts `next` in place of the version `expected`, where `None` is: no record. False if another version is there.
    ///
    /// Putting the same `next` again is safe when the first outcome is unknown.
    async fn swap_circuit(
        &self,
        breaker: &str,
        expected: Option<&str>,
        next: Option<&CircuitRecord>,
    ) -> Result<bool, LedgerError>;
}
