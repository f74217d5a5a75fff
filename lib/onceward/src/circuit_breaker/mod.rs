//! Gives a dependency that fails time to recover, and the messages that need it too.
//!
//! A circuit is *closed* while calls are made, *open* while they are refused, and *half open* while one call, the
//! *probe*, finds out whether the dependency is back.

mod call;
mod error;
mod hooks;
mod record;
mod state;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::lock::Mutex as AsyncMutex;

pub(crate) use self::hooks::{not_while_open, refusal};
use self::state::Circuit;
pub use self::{
    error::{CircuitBreakerError, CircuitOpen},
    record::{CircuitBreakerStore, CircuitRecord, CircuitState},
};
use crate::Backoff;

/// How many calls in a row must fail.
const FAILURES_MAX: u32 = 5;

/// How long a circuit is open: 30 s at first, twice as long after each failed probe, at most 15 min.
const OPEN_TIME: Backoff = Backoff { base: Duration::from_secs(30), factor: 2, cap: Duration::from_mins(15) };

/// How long a probe may take.
const PROBE_LEASE: Duration = Duration::from_secs(30);

/// How long the shared state is believed after it was read.
const TRUST: Duration = Duration::from_secs(5);

/// A circuit breaker around the calls to one dependency, shared by all execution environments through the ledger.
///
/// Make one at the cold start and clone it: clones are the same breaker. Each environment counts failures by itself.
/// The first that sees enough of them in a row opens the circuit for all, and a successful probe closes it for all.
/// Every environment reads the shared state at most once in 5 s while calls are made, one DynamoDB read unit each; it
/// is written only when the circuit opens, is probed, opens again or closes.
///
/// If the ledger cannot be read or written, the breaker goes on with what its environment knows by itself.
///
/// ```
/// # use onceward::{CircuitBreaker, Context, HandlerResult, UnitOfWork};
/// # async fn authorize() -> std::io::Result<()> { Ok(()) }
/// async fn pay(breaker: CircuitBreaker, context: Context) -> HandlerResult {
///     breaker.call(&context, authorize).await?; // open: the message comes back at the breaker's next try
///     Ok(UnitOfWork::new())
/// }
/// ```
#[derive(Clone)]
pub struct CircuitBreaker {
    name: &'static str,
    settings: Settings,
    shared: Arc<Shared>,
}

#[derive(Debug, Clone, Copy)]
struct Settings {
    failures_max: u32,
    open_time: Backoff,
    probe_lease: Duration,
    trust: Duration,
}

/// What the clones of a breaker share.
#[derive(Default)]
struct Shared {
    circuit: Mutex<Circuit>,
    /// Whose turn it is to talk to the store; the probe keeps it until its outcome is known.
    turn: AsyncMutex<()>,
}

impl CircuitBreaker {
    /// A breaker for the dependency `name`: whatever has the same name and ledger table shares its state.
    ///
    /// The record's key is `breaker#{name}`: no function can be called `breaker`.
    pub fn new(name: &'static str) -> Self {
        let settings =
            Settings { failures_max: FAILURES_MAX, open_time: OPEN_TIME, probe_lease: PROBE_LEASE, trust: TRUST };
        Self { name, settings, shared: Arc::default() }
    }

    /// How many calls in a row must fail in one environment to open the circuit; 5 unless said, 1 at least.
    #[must_use]
    pub fn failures(mut self, in_a_row: u32) -> Self {
        self.settings.failures_max = in_a_row.max(1);
        self
    }

    /// How long the circuit is open: the bounds of a backoff, where each failed probe is a failed try. 30 s doubling,
    /// at most 15 min, unless said.
    #[must_use]
    pub fn open_time(mut self, open_time: Backoff) -> Self {
        self.settings.open_time = open_time;
        self
    }

    /// How long a probe may take before another call may be the probe, for instance because its process died; 30 s
    /// unless said. Longer than the function's timeout.
    #[must_use]
    pub fn probe_lease(mut self, lease: Duration) -> Self {
        self.settings.probe_lease = lease;
        self
    }

    /// How long the shared state is believed after it was read: the longest that an environment does not know what
    /// another found out; 5 s unless said.
    #[must_use]
    pub fn trust(mut self, duration: Duration) -> Self {
        self.settings.trust = duration;
        self
    }

    /// The dependency's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Never held while something is awaited. A panic cannot leave half a change.
    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.shared.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for CircuitBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
