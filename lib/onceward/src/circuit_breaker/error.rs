use std::{error::Error, time::Duration};

use chrono::{DateTime, Utc};

/// How deep an error's sources are searched for [`CircuitOpen`].
const SOURCES_MAX: usize = 16;

/// Why a call through a [`CircuitBreaker`](crate::CircuitBreaker) has no result.
///
/// By `?` in a handler it becomes [`HandlerError::Retryable`](crate::HandlerError); if the circuit is open, with the
/// time until the next try, also as the source of another error.
#[derive(Debug, thiserror::Error)]
pub enum CircuitBreakerError<E> {
    /// The call was not made.
    #[error("{0}")]
    Open(#[source] CircuitOpen),
    /// The call was made and failed.
    #[error(transparent)]
    Failed(E),
}

/// A call was refused: the dependency failed before and is given time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the circuit breaker `{breaker}` is open until {}", until.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))]
pub struct CircuitOpen {
    /// Name of the breaker.
    pub breaker: &'static str,
    /// When the next try is possible.
    pub until: DateTime<Utc>,
    /// From the refusal to `until`.
    pub retry_after: Duration,
}

impl CircuitOpen {
    /// The refusal that caused the error, if one did.
    pub(crate) fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let chain = std::iter::successors(Some(error), |error| (*error).source());
        chain.take(SOURCES_MAX).find_map(|error| error.downcast_ref())
    }
}
