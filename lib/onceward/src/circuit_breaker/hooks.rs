//! What a function does about its circuit breakers before and after a handler.

use super::{CircuitBreaker, CircuitOpen, state::Phase};
use crate::{
    Ports,
    execute::{Failure, Outcome},
    function::Settings,
};

/// The refusal that a handler's call would meet now, if it would; the longest, if several would.
pub(crate) async fn refusal(settings: &Settings, ports: &Ports) -> Option<CircuitOpen> {
    let mut longest: Option<CircuitOpen> = None;
    for breaker in &settings.circuit_breakers {
        let (phase, ..) = breaker.observe(ports).await;
        let open = breaker.refusal(phase, ports);
        longest = longest.into_iter().chain(open).max_by_key(|open| open.until);
    }
    longest
}

/// A handler that failed while a circuit is open, or opened it, would be refused if it came back before the next try.
pub(crate) fn not_while_open(settings: &Settings, ports: &Ports, outcome: Outcome) -> Outcome {
    let Outcome::Failed(Failure::Retry { error, after }) = outcome else { return outcome };
    let known = |breaker: &CircuitBreaker| {
        let phase = breaker.circuit().phase(ports.clock.now());
        Some(breaker.refusal(phase, ports)?.retry_after)
    };
    let after = settings.circuit_breakers.iter().filter_map(known).chain(after).max();
    Outcome::Failed(Failure::Retry { error, after })
}

impl CircuitBreaker {
    fn refusal(&self, phase: Phase, ports: &Ports) -> Option<CircuitOpen> {
        match phase {
            Phase::Closed | Phase::Due => None,
            Phase::Open { until } | Phase::HalfOpen { until, .. } => Some(self.open(ports, until)),
        }
    }
}
