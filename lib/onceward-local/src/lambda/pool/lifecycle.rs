//! What environments tell their pool, and what it does about it.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::Pool;
use crate::lambda::{
    environment::{End, Environment, Phase},
    failure::InitFailure,
    tasks::stopped,
};

/// First delay before a function that did not start for an invocation is tried again; doubles up to
/// [`RESTART_DELAY_MAX`].
pub const RESTART_DELAY_MIN: Duration = Duration::from_millis(500);
/// Longest delay before a function that did not start for an invocation is tried again.
pub const RESTART_DELAY_MAX: Duration = Duration::from_secs(30);

impl Pool {
    /// `index` asked for its first event.
    pub(in crate::lambda) fn initialised(&self, index: u32) {
        let mut state = self.lock();
        state.failing = None;
        if let Some(alive) = state.alive.get_mut(&index) {
            alive.initialised = true;
        }
        self.changes.send_replace(());
    }

    /// `environment` has answered and is free. False: it is no longer needed.
    pub(in crate::lambda) fn served(&self, environment: &Environment) -> bool {
        let mut state = self.lock();
        state.failures = 0;
        let known = state.alive.get(&environment.index).is_some_and(|alive| !alive.retiring);
        if known {
            state.idle.push(environment.clone());
        }
        known
    }

    /// Whether `index`, which has had nothing to do for long, may end. It gets no more jobs then.
    pub(in crate::lambda) fn retire(&self, index: u32) -> bool {
        let mut state = self.lock();
        let idle = state.idle.iter().any(|environment| environment.index == index);
        if !idle || state.staying() < 2 {
            return false;
        }
        state.idle.retain(|environment| environment.index != index);
        if let Some(alive) = state.alive.get_mut(&index) {
            alive.retiring = true;
        }
        true
    }

    /// `index` is gone.
    pub(in crate::lambda) fn ended(self: &Arc<Self>, index: u32, end: &End) {
        let mut state = self.lock();
        state.idle.retain(|environment| environment.index != index);
        let retired = state.alive.remove(&index).is_some_and(|alive| alive.retiring);
        let known = state.failing.as_ref().map(|(_, retry_at)| retry_at.saturating_duration_since(Instant::now()));
        let delay = match (end, known) {
            // How a process ends that was on its way out says nothing about those that come after it.
            _ if retired => Duration::ZERO,
            // Others that were started at the same time have failed, too.
            (End::InitFailed(..), Some(left)) if !left.is_zero() => left,
            // The first invocation is another try, at once.
            (End::Stopped | End::DiedAtWork | End::InitFailed(Phase::Init, _), _) => Duration::ZERO,
            (End::InitFailed(Phase::Invoke, _) | End::DiedIdle(_), _) => {
                state.failures += 1;
                restart_delay(state.failures)
            }
        };
        let replace = state.wanted && state.staying() == 0 && !*self.stop.borrow();
        if let (End::InitFailed(_, failure), false) = (end, retired) {
            state.failing = Some((Arc::clone(failure), Instant::now() + delay));
            state.failed += 1;
            state.last_failure = Some(Arc::clone(failure));
        }
        drop(state);
        self.changes.send_replace(());
        if !retired {
            self.report(index, end, delay);
        }
        if replace {
            self.replace_after(delay);
        }
    }

    fn replace_after(self: &Arc<Self>, delay: Duration) {
        let pool = Arc::clone(self);
        let mut stop = self.stop.clone();
        self.tasks.spawn(async move {
            if !delay.is_zero() {
                tokio::select! {
                    () = stopped(&mut stop) => return,
                    () = sleep(delay) => {}
                }
            }
            pool.warm();
        });
    }

    fn report(&self, index: u32, end: &End, delay: Duration) {
        let delay_ms = delay.as_millis();
        let message = match end {
            End::Stopped | End::DiedAtWork => return,
            End::InitFailed(Phase::Init, failure) => {
                format!("{}\nits next invocation starts it again", self.not_started(Some(failure)))
            }
            End::InitFailed(Phase::Invoke, failure) => {
                let error = self.not_started(Some(failure));
                format!("{error}\nits invocations fail for {delay_ms} ms; the next one then starts it again")
            }
            End::DiedIdle(status) => {
                let status = status.map_or("unknown".to_owned(), |status| status.to_string());
                let name = &self.spec.name;
                format!(
                    "environment {index} of {name} ended while it waited for an event: {status}\nnext try in {delay_ms} ms"
                )
            }
        };
        self.sink.report(&self.spec.name, index, "ERROR", &message);
    }

    /// The process of `index` did not start, and an invocation waits for it.
    pub(in crate::lambda) fn report_second_start(&self, index: u32, failure: &InitFailure) {
        let (name, reason, seconds) = (&self.spec.name, &failure.reason, self.spec.timeout.as_secs_f64());
        let message = format!(
            "function {name} did not start: {reason}; it is started again within the invocation's timeout of {seconds} s"
        );
        self.sink.report(name, index, "WARN", &message);
    }
}

fn restart_delay(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    RESTART_DELAY_MIN.saturating_mul(doubled).min(RESTART_DELAY_MAX)
}
