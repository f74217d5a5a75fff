//! Processes that are killed on purpose.

use std::{sync::Arc, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::Pool;
use crate::{
    faults::{Kill, Moment},
    lambda::environment::{Environment, INIT_MAX},
};

/// How often a process that starts or ends is looked at.
const GLANCE: Duration = Duration::from_millis(1);
/// The longest that the end of a killed process is waited for.
const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

impl Pool {
    /// Kills the process of `environment`, which is about to be given an invocation, if a fault wants it: at once, or some
    /// time later, in a task of its own. Never while it starts: that would be a function that does not start.
    pub(super) async fn kill_on_purpose(self: &Arc<Self>, environment: &Environment) {
        let Some(Kill { at, after }) = self.faults.kill(&self.spec.name).filter(|_| !self.is_attached()) else {
            return;
        };
        match at {
            Moment::Before => {
                if self.has_started(environment).await {
                    self.kill(environment);
                    self.has_ended(environment).await;
                }
            }
            Moment::During => {
                let (pool, environment) = (Arc::clone(self), environment.clone());
                self.tasks.spawn(async move {
                    if pool.has_started(&environment).await {
                        sleep(after).await;
                        pool.kill(&environment);
                    }
                });
            }
        }
    }

    /// Waits until the process is ready for its first invocation; answers that it does not come to that.
    async fn has_started(&self, environment: &Environment) -> bool {
        let deadline = Instant::now() + INIT_MAX;
        while Instant::now() < deadline {
            match self.lock().alive.get(&environment.index).map(|alive| alive.initialised) {
                Some(true) => return true,
                Some(false) => {}
                None => return false,
            }
            sleep(GLANCE).await;
        }
        false
    }

    /// Waits until its end is known: whoever was given an invocation before that would seem to have died of it.
    async fn has_ended(&self, environment: &Environment) {
        let deadline = Instant::now() + SHUTDOWN_MAX;
        while self.lock().alive.contains_key(&environment.index) && Instant::now() < deadline {
            sleep(GLANCE).await;
        }
    }

    fn kill(&self, environment: &Environment) {
        // Held while it is killed: as long as the environment is alive, its process is not another's.
        let state = self.lock();
        let pid = environment.pid().filter(|_| state.alive.contains_key(&environment.index));
        if let Some(pid) = pid.and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}
