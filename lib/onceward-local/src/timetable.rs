//! One task that waits for the next of what is due by the clock.

use std::future::{Future, pending};
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use crate::background::Background;
use crate::clock::Clock;

/// When one service has to do something.
#[derive(Debug)]
pub(crate) struct Timetable {
    started: AtomicBool,
    task: Background,
    changed: Notify,
}

impl Timetable {
    /// Unless `started`, nothing is due before [`start`](Self::start).
    pub(crate) fn new(started: bool) -> Self {
        Self { started: AtomicBool::new(started), task: Background::new(1), changed: Notify::new() }
    }

    pub(crate) fn start(&self) {
        self.started.store(true, Ordering::Relaxed);
    }

    /// Looks at the times again, of which the next is `next_at` now; `task` is to [`keep`](Self::keep) them.
    pub(crate) fn change(&self, next_at: Option<DateTime<Utc>>, task: impl Future<Output = ()> + Send + 'static) {
        if self.started.load(Ordering::Relaxed) && next_at.is_some() {
            // Refused if it runs already, or if the cloud is going down.
            let _ = self.task.spawn(task);
        }
        self.changed.notify_one();
    }

    /// Calls `act` whenever `next_at` has come.
    pub(crate) async fn keep(&self, clock: &Clock, next_at: impl Fn() -> Option<DateTime<Utc>>, act: impl Fn()) {
        loop {
            let next_at = next_at();
            let due = async {
                match next_at {
                    Some(at) => clock.until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = due => act(),
            }
        }
    }

    /// Ends the task, and lets no other start.
    pub(crate) fn stop(&self) {
        self.task.stop();
    }
}
