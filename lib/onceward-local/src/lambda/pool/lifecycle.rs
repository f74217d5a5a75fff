//! What environments tell their pool, and what it does about it.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use super::Pool;
use crate::lambda::{
    environment::{End, Environment},
    tasks::stopped,
};

/// First delay before a function that does not start is tried again; doubles up to [`RESTART_DELAY_MAX`].
pub const RESTART_DELAY_MIN: Duration = Duration::from_millis(500);
/// Longest delay before a function that does not start is tried again.
pub const RESTART_DELAY_MAX: Duration = Duration::from_secs(30);

impl Pool {
    /// `index` asked for its first event.
    pub(in crate::lambda) fn initialised(&self, index: u32) {
        let mut state = self.lock();
        state.failing = None;
        if let Some(alive) = state.alive.get_mut(&index) {
            alive.initialised = true;
        }
        self.health.send_modify(|health| health.up += 1);
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
        let (was_up, retired) =
            state.alive.remove(&index).map_or((false, false), |alive| (alive.initialised, alive.retiring));
        let delay = match end {
            // How a process ends that was on its way out says nothing about those that come after it.
            _ if retired => Duration::ZERO,
            End::Stopped | End::DiedAtWork => Duration::ZERO,
            End::InitFailed(_) | End::DiedIdle(_) => {
                state.failures += 1;
                restart_delay(state.failures)
            }
        };
        if let (End::InitFailed(failure), false) = (end, retired) {
            state.failing = Some((failure.clone(), Instant::now() + delay));
        }
        let replace = state.wanted && state.staying() == 0 && !*self.stop.borrow();
        drop(state);
        self.health.send_modify(|health| {
            health.up -= usize::from(was_up);
            if let (End::InitFailed(failure), false) = (end, retired) {
                health.failed += 1;
                health.last_failure = Some(failure.clone());
            }
        });
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
        let message = match end {
            End::Stopped | End::DiedAtWork => return,
            End::InitFailed(failure) => self.not_started(Some(failure.clone())).to_string(),
            End::DiedIdle(status) => {
                let status = status.map_or("unknown".to_owned(), |status| status.to_string());
                format!("environment {index} of {} ended while it waited for an event: {status}", self.spec.name)
            }
        };
        let message = format!("{message}\nnext try in {} ms", delay.as_millis());
        self.sink.report(&self.spec.name, index, "ERROR", &message);
    }
}

fn restart_delay(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    RESTART_DELAY_MIN.saturating_mul(doubled).min(RESTART_DELAY_MAX)
}
