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
use std::sync::Arc;

pub use self::error::SchedulerError;
pub use self::invocation::RETRIES_MAX;
pub use self::schedule::{ActionAfterCompletion, DEFAULT_GROUP, FlexibleTimeWindow, Schedule, State, WindowMode};
pub use self::store::{GROUPS_MAX, SCHEDULES_MAX};
pub use self::target::{DeadLetterConfig, EventBridgeParameters, RetryPolicy, SqsParameters, Target};

use self::invocation::{Invocation, Waiting};
use self::store::Store;
use crate::account::Account;
use crate::clock::Clock;
use crate::destination::Destinations;
use crate::retry::Retries;
use crate::store::{Kept, KeptGuard, Store as DataFolder, StoreError};
use crate::timetable::Timetable;

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
    retries: Retries<Waiting>,
    /// Not before what an earlier process left can reach its targets.
    timetable: Timetable,
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
            retries: Retries::open(store, "scheduler.retry", RETRIES_MAX)?,
            timetable: Timetable::new(!store.is_durable()),
        };
        Ok(Self { account, destinations, clock, state: Arc::new(state) })
    }

    /// Goes on with what an earlier process left: schedules, invocations to try again. Its targets are there by now. What
    /// was due meanwhile comes once.
    pub(crate) fn resume(&self) {
        self.state.timetable.start();
        for (key, waiting) in self.state.retries.take_left() {
            self.wait(&key, &waiting);
        }
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
        let next_at = self.store().next_at();
        self.state.timetable.change(next_at, self.clone().keep_time());
    }

    async fn keep_time(self) {
        self.state.timetable.keep(&self.clock, || self.store().next_at(), || self.invoke_due()).await;
    }

    fn invoke_due(&self) {
        let taken = self.store().take_due(self.clock.now());
        for (due, stored) in taken {
            self.invoke(&Invocation { due, stored });
        }
    }

    fn store(&self) -> KeptGuard<'_, Store> {
        self.state.store.lock()
    }
}
