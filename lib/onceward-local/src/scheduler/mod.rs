//! `EventBridge` Scheduler: schedules that invoke a queue, a function, a topic or a bus, once or again and again.
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html>
//!
//! A data folder has groups, schedules, when they are due next, client tokens, and invocations that wait to be tried again.
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
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

pub use self::error::SchedulerError;
pub use self::invocation::RETRIES_MAX;
pub use self::schedule::{ActionAfterCompletion, DEFAULT_GROUP, FlexibleTimeWindow, Schedule, State, WindowMode};
pub use self::store::{GROUPS_MAX, SCHEDULES_MAX};
pub use self::target::{DeadLetterConfig, EventBridgeParameters, RetryPolicy, SqsParameters, Target};

use self::invocation::{Invocation, Waiting};
use self::store::Store;
use crate::account::Account;
use crate::background::Background;
use crate::clock::Clock;
use crate::destination::Destinations;
use crate::store::{Kept, KeptGuard, Store as DataFolder, StoreError};

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
    store: Kept<Store>,
    folder: DataFolder,
    /// Invocations of an earlier process, until [`Scheduler::resume`].
    waiting: Mutex<Vec<(String, Waiting)>>,
    /// Schedules run: not before what an earlier process left can reach its targets.
    resumed: AtomicBool,
    retries: Background,
    /// One task: it waits for the next schedule that is due.
    timetable: Background,
    /// Schedules changed.
    rescheduled: Notify,
}

impl Scheduler {
    /// The schedules of `store`, in which they are kept, else the group `default` without any; on the system's clock.
    pub fn open(account: Account, destinations: Destinations, store: &DataFolder) -> Result<Self, StoreError> {
        Self::open_with_clock(account, destinations, store, Clock::default())
    }

    /// As [`Scheduler::open`], but `clock` tells the time.
    pub fn open_with_clock(
        account: Account,
        destinations: Destinations,
        store: &DataFolder,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let state = Shared {
            store: Kept::open(store, "scheduler", || Store::new(&account, clock.now()))?,
            folder: store.clone(),
            waiting: Mutex::new(invocation::stored(store)?),
            resumed: AtomicBool::new(!store.is_durable()),
            retries: Background::new(RETRIES_MAX),
            timetable: Background::new(1),
            rescheduled: Notify::new(),
        };
        Ok(Self { account, destinations, clock, state: Arc::new(state) })
    }

    /// Goes on with what an earlier process left: schedules, invocations to try again. Its targets are there by now. What
    /// was due meanwhile comes once.
    pub(crate) fn resume(&self) {
        self.state.resumed.store(true, Ordering::Relaxed);
        let waiting = std::mem::take(&mut *self.state.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        self.retry_stored(waiting);
        self.reschedule();
    }

    /// Creates the group if it is not there.
    pub(crate) fn deploy_group(&self, name: &str) -> Result<(), SchedulerError> {
        match self.create_group(name, BTreeMap::new()) {
            Ok(_) | Err(SchedulerError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes a schedule as it is declared. One that is so already is not touched: it goes on.
    pub(crate) fn deploy(&self, schedule: Schedule) -> Result<(), SchedulerError> {
        let stored = {
            let store = self.store();
            store.schedule(&schedule.group_name, &schedule.name).ok().map(|stored| stored.schedule.clone())
        };
        match stored {
            Some(stored) if stored == schedule => Ok(()),
            Some(_) => self.update(schedule).map(drop),
            None => self.create(schedule).map(drop),
        }
    }

    /// Deletes a schedule that is there.
    pub(crate) fn delete(&self, group: &str, name: &str) -> Result<(), SchedulerError> {
        self.store().delete(group, name)
    }

    /// Deletes a group that is there, with its schedules.
    pub(crate) fn delete_group(&self, name: &str) -> Result<(), SchedulerError> {
        self.store().delete_group(name)
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
        if self.state.resumed.load(Ordering::Relaxed) {
            // Refused if it runs already, or if the cloud is going down.
            let _ = self.state.timetable.spawn(self.clone().keep_time());
        }
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

    fn store(&self) -> KeptGuard<'_, Store> {
        self.state.store.lock()
    }
}
