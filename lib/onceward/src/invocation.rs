use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{Clock, TraceContext};

/// One call of a function by its host: how long it may take, and the trace it belongs to.
///
/// It is a value that is handed on, never something of the process: an environment may serve several at once.
#[derive(Debug, Clone, Copy)]
pub struct Invocation {
    deadline: DateTime<Utc>,
    /// The deadline on the clock that does not jump.
    ends: Duration,
    trace: Option<TraceContext>,
}

impl Invocation {
    /// An invocation that begins now and ends at `deadline`.
    ///
    /// What is left of it is measured on [`Clock::monotonic`], so that a wall clock that is set while it runs neither
    /// cuts it short nor extends it.
    pub fn until(deadline: DateTime<Utc>, clock: &dyn Clock) -> Self {
        let left = (deadline - clock.now()).to_std().unwrap_or_default();
        Self { deadline, ends: clock.monotonic() + left, trace: None }
    }

    /// The same, as part of a trace: events that bring none of their own continue it.
    #[must_use]
    pub fn traced(self, trace: Option<TraceContext>) -> Self {
        Self { trace, ..self }
    }

    /// When the host ends it, on the wall clock.
    pub fn deadline(&self) -> DateTime<Utc> {
        self.deadline
    }

    /// The trace that the host says it belongs to.
    pub fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Time left; zero when it is over.
    pub fn remaining(&self, clock: &dyn Clock) -> Duration {
        self.ends.saturating_sub(clock.monotonic())
    }
}
