//! `EventBridge` Scheduler: schedules that invoke a queue, a function, a topic or a bus, once or again and again.
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html>
//!
//! Refused by name: universal targets, other services' targets, keys of one's own.

mod api;
mod error;
mod invocation;
mod schedule;
mod store;
mod target;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use self::error::SchedulerError;
pub use self::invocation::RETRIES_MAX;
pub use self::schedule::{ActionAfterCompletion, DEFAULT_GROUP, FlexibleTimeWindow, Schedule, State, WindowMode};
pub use self::store::{GROUPS_MAX, SCHEDULES_MAX};
pub use self::target::{DeadLetterConfig, EventBridgeParameters, RetryPolicy, SqsParameters, Target};

use self::invocation::Invocation;
use self::store::Store;
use crate::account::Account;
use crate::background::Background;
use crate::clock::Clock;
use crate::destination::Destinations;

/// The schedules of one account. Cloning gives another handle to the same ones.
#[derive(Debug, Clone)]
pub struct Scheduler {
    account: Account,
    destinations: Destinations,
    clock: Clock,
    state: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Mutex<Store>,
    retries: Background,
    /// One task: it waits for the next schedule that is due.
    timetable: Background,
    /// Schedules changed.
    rescheduled: Notify,
}

impl Scheduler {
    /// An account with the group `default` and no schedules, on the system's clock.
    pub fn new(account: Account, destinations: Destinations) -> Self {
        Self::with_clock(account, destinations, Clock::default())
    }

    /// As [`Scheduler::new`], but `clock` tells the time.
    pub fn with_clock(account: Account, destinations: Destinations, clock: Clock) -> Self {
        let store = Store::new(&account, clock.now());
        let state = Shared {
            store: Mutex::new(store),
            retries: Background::new(RETRIES_MAX),
            timetable: Background::new(1),
            rescheduled: Notify::new(),
        };
        Self { account, destinations, clock, state: Arc::new(state) }
    }

    /// Creates a group and gives its ARN.
    pub fn create_group(&self, name: &str, tags: BTreeMap<String, String>) -> Result<String, SchedulerError> {
        self.store().create_group(&self.account, name, tags, self.clock.now()).map(|group| group.arn.clone())
    }

    /// Creates a schedule and gives its ARN.
    pub fn create(&self, schedule: Schedule) -> Result<String, SchedulerError> {
        let arn = self.store().create(&self.account, schedule, self.clock.now())?.arn.clone();
        self.reschedule();
        Ok(arn)
    }

    /// Replaces a schedule and gives its ARN.
    pub fn update(&self, schedule: Schedule) -> Result<String, SchedulerError> {
        let arn = self.store().update(schedule, self.clock.now())?.arn.clone();
        self.reschedule();
        Ok(arn)
    }

    /// Ends retries and schedules.
    pub(crate) fn stop(&self) {
        self.state.retries.stop();
        self.state.timetable.stop();
    }

    /// Looks at the schedules again, after one of them changed.
    fn reschedule(&self) {
        // Refused if it runs already, or if the cloud is going down.
        let _ = self.state.timetable.spawn(self.clone().keep_time());
        self.state.rescheduled.notify_one();
    }

    async fn keep_time(self) {
        loop {
            let next_at = self.store().next_at();
            let due = async {
                match next_at {
                    Some(at) => self.clock.until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = self.state.rescheduled.notified() => {}
                () = due => {
                    let taken = self.store().take_due(self.clock.now());
                    for (due, stored) in taken {
                        self.invoke(&Invocation { due, stored });
                    }
                }
            }
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.state.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
