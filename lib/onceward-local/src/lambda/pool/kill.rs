//! Processes that are killed on purpose.

use std::{sync::Arc, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use super::Pool;
use crate::{
    faults::{Kill, Moment},
    lambda::environment::{Environment, INIT_MAX},
};

/// How often a process that is only just starting is looked for.
const GLANCE: Duration = Duration::from_millis(1);

impl Pool {
    /// Kills the process of `environment`, which is about to be given an invocation, if a fault wants it: at once, or some
    /// time later, in a task of its own.
    pub(super) fn kill_on_purpose(self: &Arc<Self>, environment: &Environment) {
        match self.faults.kill(&self.spec.name) {
            None => {}
            Some(Kill { at: Moment::Before, .. }) if environment.pid().is_some() => self.kill(environment),
            Some(Kill { after, .. }) => {
                let (pool, environment) = (Arc::clone(self), environment.clone());
                self.tasks.spawn(async move {
                    let deadline = Instant::now() + INIT_MAX;
                    while environment.pid().is_none() && Instant::now() < deadline {
                        sleep(GLANCE).await;
                    }
                    sleep(after).await;
                    pool.kill(&environment);
                });
            }
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
