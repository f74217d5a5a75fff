use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::lock::MutexGuard;

use super::{
    CircuitBreaker, CircuitBreakerError, CircuitOpen,
    state::{Phase, later},
};
use crate::{Context, Ports, error::chain};

/// How often a call tries to be the probe when other environments are faster.
const CLAIM_TRIES_MAX: u32 = 3;

/// How long after its begin another environment's probe is waited for: most have their outcome by then, and a message
/// that went back to its queue meanwhile would have spent a receive on nothing.
const PROBE_WAIT_MAX: Duration = Duration::from_secs(2);

/// How often the store is asked for its outcome meanwhile: eight times.
const PROBE_GLANCE: Duration = Duration::from_millis(250);

impl CircuitBreaker {
    /// Makes the call, or refuses it; every error counts as a failure of the dependency.
    ///
    /// While this environment has a probe under way, other calls wait for its outcome: their invocation lasts as long
    /// anyway. For another environment's they wait 2 s. A call that panics or is dropped, at the deadline for instance, has failed.
    pub async fn call<D, T, E, F>(
        &self,
        context: &Context<D>,
        operation: impl FnOnce() -> F,
    ) -> Result<T, CircuitBreakerError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.call_with(context, |_| true, operation).await
    }

    /// Like [`call`](Self::call), where `is_failure` says which errors are the dependency's failures. The others are
    /// answers: a dependency that refuses a request works.
    pub async fn call_with<D, T, E, F>(
        &self,
        context: &Context<D>,
        is_failure: impl Fn(&E) -> bool,
        operation: impl FnOnce() -> F,
    ) -> Result<T, CircuitBreakerError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let permit = self.admit(&context.call.ports).await.map_err(CircuitBreakerError::Open)?;
        let result = operation().await;
        permit.finish(result.as_ref().err().is_some_and(is_failure)).await;
        result.map_err(CircuitBreakerError::Failed)
    }

    async fn admit<'a>(&'a self, ports: &'a Ports) -> Result<Permit<'a>, CircuitOpen> {
        let permit = |probe: Option<MutexGuard<'a, ()>>, generation| Permit {
            breaker: self,
            ports,
            generation,
            probe,
            has_outcome: false,
        };
        let mut until = ports.clock.now();
        for _ in 0..CLAIM_TRIES_MAX {
            let (phase, generation, turn) = self.observe(ports).await;
            match (phase, turn) {
                (Phase::Closed, _) => return Ok(permit(None, generation)),
                (Phase::Open { until: end } | Phase::HalfOpen { until: end, .. }, _) => {
                    until = end;
                    break;
                }
                (Phase::Due, None) => {}
                (Phase::Due, turn @ Some(_)) => {
                    let (now, version) = (ports.clock.now(), ports.uuid().to_string());
                    self.circuit().begin_probe(&self.settings, now, version);
                    if self.share(ports).await {
                        return Ok(permit(turn, self.circuit().generation()));
                    }
                }
            }
        }
        Err(self.open(ports, until))
    }

    pub(super) fn open(&self, ports: &Ports, until: DateTime<Utc>) -> CircuitOpen {
        CircuitOpen { breaker: self.name, until, retry_after: ports.until(until) }
    }

    /// The circuit's phase and generation: at once where they are known, otherwise after the store was asked, or after
    /// the outcome of this environment's probe or the wait for another's, and then with the turn.
    pub(super) async fn observe<'a>(&'a self, ports: &Ports) -> (Phase, u64, Option<MutexGuard<'a, ()>>) {
        let known = |now| {
            let circuit = self.circuit();
            (circuit.phase(now), circuit.generation(), circuit.is_stale(now, self.settings.trust))
        };
        if let (phase @ (Phase::Closed | Phase::Open { .. }), generation, false) = known(ports.clock.now()) {
            return (phase, generation, None);
        }
        let turn = self.shared.turn.lock().await;
        if let (_, _, true) = known(ports.clock.now()) {
            self.refresh(ports).await;
        }
        for _ in 0..PROBE_WAIT_MAX.as_millis() / PROBE_GLANCE.as_millis() {
            let now = ports.clock.now();
            match known(now) {
                (Phase::HalfOpen { since, .. }, ..) if now < later(since, PROBE_WAIT_MAX) => {
                    ports.clock.sleep(PROBE_GLANCE).await;
                    self.refresh(ports).await;
                }
                _ => break,
            }
        }
        let (phase, generation, _) = known(ports.clock.now());
        (phase, generation, Some(turn))
    }

    /// Asks the store, and tells it what it missed. Only with the turn.
    async fn refresh(&self, ports: &Ports) {
        let loaded = ports.ledger.load_circuit(self.name).await;
        {
            let mut circuit = self.circuit();
            let answered = match loaded {
                Ok(record) => {
                    circuit.learn(record);
                    true
                }
                Err(error) => {
                    tracing::warn!(breaker = self.name, error = chain(&error), "{ALONE}");
                    false
                }
            };
            circuit.asked(ports.clock.now());
            if !answered {
                return;
            }
        }
        self.share(ports).await;
    }

    /// Tells the store what changed here. False if it knew better: then that holds. Only with the turn.
    async fn share(&self, ports: &Ports) -> bool {
        let Some(change) = self.circuit().unshared() else { return true };
        let (expected, next) = (change.expected.as_deref(), change.next.as_ref());
        let swapped = match ports.ledger.swap_circuit(self.name, expected, next).await {
            Ok(false) => ports.ledger.load_circuit(self.name).await.map(Some),
            swapped => swapped.map(|_| None),
        };
        let mut circuit = self.circuit();
        let stands = match swapped {
            Ok(None) => {
                circuit.shared(change);
                true
            }
            Ok(Some(record)) => {
                circuit.adopt(record);
                false
            }
            Err(error) => {
                tracing::warn!(breaker = self.name, error = chain(&error), "{ALONE}");
                true
            }
        };
        circuit.asked(ports.clock.now());
        stands
    }
}

/// What the log says when the store fails.
const ALONE: &str = "the circuit breaker's shared state cannot be reached; this environment goes on by itself";

/// A call under way. Dropped without [`finish`](Permit::finish), it has failed.
struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    ports: &'a Ports,
    generation: u64,
    /// The probe keeps the turn.
    probe: Option<MutexGuard<'a, ()>>,
    has_outcome: bool,
}

impl Permit<'_> {
    async fn finish(mut self, failed: bool) {
        if self.conclude(failed) {
            let turn = if self.probe.is_none() { Some(self.breaker.shared.turn.lock().await) } else { None };
            self.breaker.share(self.ports).await;
            drop(turn);
        }
    }

    /// Changes the circuit as far as this environment sees it. True if the store is to be told.
    fn conclude(&mut self, failed: bool) -> bool {
        self.has_outcome = true;
        let (breaker, now) = (self.breaker, self.ports.clock.now());
        let version = || self.ports.uuid().to_string();
        let mut circuit = breaker.circuit();
        match (failed, self.probe.is_some()) {
            (false, false) => {
                circuit.succeeded(self.generation);
                false
            }
            (true, false) => {
                let opens = circuit.failed(self.generation, &breaker.settings, now, version);
                if opens {
                    tracing::warn!(breaker = breaker.name, "the circuit opened");
                }
                opens
            }
            (false, true) => {
                circuit.close();
                tracing::info!(breaker = breaker.name, "the probe succeeded, the circuit closed");
                true
            }
            (true, true) => {
                let until = circuit.reopen(&breaker.settings, now, version());
                tracing::warn!(breaker = breaker.name, %until, "the probe failed, the circuit is open again");
                true
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if !self.has_outcome {
            // The store is told before the next call: here nothing can be awaited.
            self.conclude(true);
        }
    }
}
