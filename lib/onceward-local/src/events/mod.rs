//! The `EventBridge` bus: patterns, rules, targets, archives, schedules and the `AWSEvents` protocol.
//!
//! An event goes to the targets of every enabled rule of its bus whose pattern it matches; the first attempt is over
//! before `PutEvents` answers. A target that fails for a while is tried again in the background; what cannot be delivered
//! goes to the target's dead-letter queue, or is kept in [`EventBridge::undelivered`].
//!
//! A data folder has everything but what was undelivered; a replay under way when the cloud goes down has failed.

mod archive;
mod bus;
mod delivery;
mod error;
mod event;
mod input;
mod notices;
mod pattern;
mod replay;
mod rule;
mod target;
mod timetable;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use uuid::Uuid;

pub use self::archive::{ARCHIVE_SIZE_MAX_BYTES, Archive};
pub use self::bus::{BUSES_MAX, DEFAULT_BUS, RULES_PER_BUS_MAX};
pub use self::delivery::{RETRIES_MAX, Undelivered};
pub use self::error::{EntryError, EventsError};
pub use self::event::{ENTRIES_SIZE_MAX_BYTES, Entry};
pub use self::input::Input;
pub use self::pattern::{ALTERNATIVES_MAX, Pattern, PatternError};
pub use self::replay::{REPLAYS_MAX, REPLAYS_RUNNING_MAX};
pub use self::rule::{Rule, TARGETS_PER_RULE_MAX};
pub use self::target::Target;

use self::bus::Buses;
use self::delivery::Waiting;
use self::event::Event;
use crate::account::Account;
use crate::background::Background;
use crate::clock::Clock;
use crate::destination::Destinations;
use crate::faults::Faults;
use crate::lambda::LogSink;
use crate::retry::Retries;
use crate::store::{Kept, KeptGuard, Store, StoreError};
use crate::timetable::Timetable;
use crate::wire::{AwsRequest, AwsResponse};

/// Lost events that are remembered; the oldest makes room.
pub const UNDELIVERED_MAX: usize = 1000;

/// The event buses of one account. Cloning gives another handle to the same buses.
#[derive(Debug, Clone)]
pub struct EventBridge {
    account: Account,
    destinations: Destinations,
    clock: Clock,
    state: Arc<State>,
    faults: Faults,
    log: LogSink,
}

#[derive(Debug)]
struct State {
    buses: Kept<Buses>,
    store: Store,
    undelivered: Mutex<VecDeque<Undelivered>>,
    retries: Retries<Waiting>,
    replays: Background,
    /// Not before what an earlier process left can reach its targets.
    timetable: Timetable,
    /// Types of events that somebody outside takes: no rule needs to.
    outside: RwLock<BTreeSet<String>>,
}

impl EventBridge {
    /// The buses of `store`, in which they are kept, else the bus `default` without rules; on the system's clock.
    pub fn open(account: Account, destinations: Destinations, store: &Store) -> Result<Self, StoreError> {
        Self::open_with_clock(account, destinations, store, Clock::default())
    }

    /// As [`EventBridge::open`], but `clock` tells the time.
    ///
    /// # Panics
    /// Never: the name `default` is valid, and the first bus is below every quota.
    pub fn open_with_clock(
        account: Account,
        destinations: Destinations,
        store: &Store,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        let buses = Kept::open(store, "events", || {
            let mut buses = Buses::default();
            buses.create(&account, DEFAULT_BUS, None, clock.now()).expect("the first bus, with a valid name");
            buses
        })?;
        {
            let mut buses = buses.lock();
            buses.restore_archived(store)?;
            buses.fail_interrupted(clock.now());
        }
        let state = State {
            buses,
            store: store.clone(),
            undelivered: Mutex::default(),
            retries: Retries::open(store, "events.retry", RETRIES_MAX)?,
            replays: Background::new(REPLAYS_RUNNING_MAX),
            timetable: Timetable::new(!store.is_durable()),
            outside: RwLock::default(),
        };
        let (faults, log) = (Faults::default(), LogSink::discard());
        Ok(Self { account, destinations, clock, state: Arc::new(state), faults, log })
    }

    /// Goes on with what an earlier process left: schedules, deliveries to try again. Its targets are there by now. What
    /// was due meanwhile comes once.
    pub(crate) fn resume(&self) {
        self.state.timetable.start();
        for (key, waiting) in self.state.retries.take_left() {
            self.wait(&key, &waiting);
        }
        self.reschedule();
    }

    /// With what goes wrong in its deliveries on purpose.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Says to `log` which events are lost.
    #[must_use]
    pub fn with_log(self, log: LogSink) -> Self {
        Self { log, ..self }
    }

    /// From now on, that no rule takes an event of these types is no loss: somebody outside takes it.
    pub(crate) fn expect_outside(&self, types: impl IntoIterator<Item = String>) {
        self.state.outside.write().unwrap_or_else(PoisonError::into_inner).extend(types);
    }

    /// Creates a bus and gives its ARN.
    pub fn create_bus(&self, name: &str) -> Result<String, EventsError> {
        self.buses().create(&self.account, name, None, self.clock.now())
    }

    /// Creates or replaces a rule and gives its ARN; a rule that is replaced keeps its targets.
    pub fn put_rule(&self, rule: Rule) -> Result<String, EventsError> {
        let arn = self.buses().put_rule(&self.account, rule, self.clock.now())?;
        self.reschedule();
        Ok(arn)
    }

    /// Adds a target to a rule, or replaces the one with its id.
    pub fn put_target(&self, bus: &str, rule: &str, target: Target) -> Result<(), EventsError> {
        self.buses().rule_mut(&self.account, bus, rule)?.put_target(target)
    }

    /// Makes a rule and its targets as they are declared. One that is so already is not touched: its schedule goes on.
    pub(crate) fn deploy_rule(&self, rule: Rule, targets: Vec<Target>) -> Result<(), EventsError> {
        let (bus, name) = (rule.bus.clone(), rule.name.clone());
        let same = {
            let buses = self.buses();
            buses.bus(&self.account, &bus)?.rule(&name).is_ok_and(|stored| stored.rule == rule)
        };
        if !same {
            self.put_rule(rule)?;
        }
        let mut buses = self.buses();
        let stored = buses.rule_mut(&self.account, &bus, &name)?;
        stored.targets.clear();
        targets.into_iter().try_for_each(|target| stored.put_target(target))
    }

    /// Deletes a rule with its targets.
    pub(crate) fn delete_rule(&self, bus: &str, name: &str) -> Result<(), EventsError> {
        let mut buses = self.buses();
        if let Some(rule) = buses.bus_mut(&self.account, bus)?.rules.remove(name) {
            buses.tags.remove(&rule.arn);
        }
        Ok(())
    }

    /// Creates an archive and gives its ARN.
    pub fn create_archive(&self, archive: Archive) -> Result<String, EventsError> {
        self.buses().create_archive(&self.account, archive, self.clock.now())
    }

    /// Creates the archive, or makes the one of its name like it. One of another bus is made anew, as `CloudFormation`
    /// would.
    pub(crate) fn deploy_archive(&self, archive: Archive) -> Result<(), EventsError> {
        let bus = self.buses().stored_archive(&archive.name).ok().map(|stored| stored.archive.bus_arn.clone());
        match bus {
            Some(bus) if bus == archive.bus_arn => {
                let name = archive.name.clone();
                self.update_archive(&name, |stored| *stored = archive)?;
            }
            Some(_) => {
                self.delete_archive(&archive.name)?;
                self.create_archive(archive)?;
            }
            None => drop(self.create_archive(archive)?),
        }
        Ok(())
    }

    /// Changes what `change` changes of an archive.
    fn update_archive(&self, name: &str, change: impl FnOnce(&mut Archive)) -> Result<(), EventsError> {
        let mut buses = self.buses();
        let mut batch = self.state.store.batch();
        buses.update_archive(name, change, self.clock.now(), &mut batch)?;
        self.state.store.write(&batch);
        Ok(())
    }

    /// Deletes an archive with its events.
    pub(crate) fn delete_archive(&self, name: &str) -> Result<(), EventsError> {
        let mut buses = self.buses();
        let mut batch = self.state.store.batch();
        buses.delete_archive(name, &mut batch)?;
        self.state.store.write(&batch);
        Ok(())
    }

    /// Accepts one event, delivers it and gives its id. As on AWS, an event for a bus that does not exist is accepted and
    /// lost (<https://github.com/aws/aws-sdk/issues/186>); here [`EventBridge::undelivered`] tells of it.
    pub fn put_event(&self, entry: Entry) -> Result<String, EntryError> {
        let bus = entry.bus.clone();
        let event = Arc::new(Event::new(entry, Uuid::new_v4().to_string(), self.clock.now(), &self.account)?);
        let event_id = event.id.clone();
        if let Err(error) = self.accept(&bus, &event, &[]) {
            let reason = error.to_string();
            let (rule_arn, target_arn) = (String::new(), bus);
            self.lost(&event, Undelivered { event_id: event_id.clone(), rule_arn, target_arn, reason });
        }
        Ok(event_id)
    }

    /// The latest events that reached neither a target nor a dead-letter queue, oldest first; at most [`UNDELIVERED_MAX`].
    pub fn undelivered(&self) -> Vec<Undelivered> {
        self.state.undelivered.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Answers one request of the `AWSEvents` protocol.
    // Deliveries do not wait for anything; async is what the endpoint expects of every service.
    #[allow(clippy::unused_async)]
    pub async fn handle(&self, request: AwsRequest) -> AwsResponse {
        wire::handle(self, &request)
    }

    /// Ends retries, replays and schedules.
    pub(crate) fn stop(&self) {
        self.state.retries.stop();
        self.state.replays.stop();
        self.state.timetable.stop();
    }

    /// Takes `event` on `bus`: its archives keep it, its rules send it; only those in `rules`, if any are named.
    fn accept(&self, bus: &str, event: &Arc<Event>, rules: &[String]) -> Result<(), EventsError> {
        let deliveries = {
            let mut buses = self.buses();
            let deliveries = buses.route(&self.account, bus, event, rules)?;
            let mut batch = self.state.store.batch();
            buses.unsaved().archive(&self.account, bus, event, self.clock.now(), &mut batch);
            self.state.store.write(&batch);
            deliveries
        };
        // A replay that names rules is for those alone.
        if deliveries.is_empty() && rules.is_empty() {
            self.untaken(bus, event);
        }
        for delivery in &deliveries {
            let twice = self.faults.delivered_twice(bus, &delivery.target.arn);
            for _ in 0..=usize::from(twice) {
                self.send(event, delivery);
            }
        }
        Ok(())
    }

    fn buses(&self) -> KeptGuard<'_, Buses> {
        self.state.buses.lock()
    }

    fn remember(&self, undelivered: Undelivered) {
        let mut all = self.state.undelivered.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == UNDELIVERED_MAX {
            all.pop_front();
        }
        all.push_back(undelivered);
    }
}
