//! The `EventBridge` bus: patterns, rules, targets, archives, schedules and the `AWSEvents` protocol.
//!
//! An event goes to the targets of every enabled rule of its bus whose pattern it matches; the first attempt is over
//! before `PutEvents` answers. A target that fails for a while is tried again in the background; what cannot be delivered
//! goes to the target's dead-letter queue, or is kept in [`EventBridge::undelivered`].

mod archive;
mod bus;
mod delivery;
mod error;
mod event;
mod input;
mod pattern;
mod replay;
mod rule;
mod target;
mod timetable;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
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
use self::event::Event;
use crate::account::Account;
use crate::background::Background;
use crate::clock::Clock;
use crate::destination::Destinations;
use crate::faults::Faults;
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
}

#[derive(Debug)]
struct State {
    buses: Mutex<Buses>,
    undelivered: Mutex<VecDeque<Undelivered>>,
    retries: Background,
    replays: Background,
    /// One task: it waits for the next rule that is due.
    timetable: Background,
    /// Rules with a schedule changed.
    rescheduled: Notify,
}

impl EventBridge {
    /// An account with the bus `default` and no rules, on the system's clock.
    pub fn new(account: Account, destinations: Destinations) -> Self {
        Self::with_clock(account, destinations, Clock::default())
    }

    /// As [`EventBridge::new`], but `clock` tells the time.
    ///
    /// # Panics
    /// Never: the name `default` is valid, and the first bus is below every quota.
    pub fn with_clock(account: Account, destinations: Destinations, clock: Clock) -> Self {
        let mut buses = Buses::default();
        buses.create(&account, DEFAULT_BUS, None, clock.now()).expect("the first bus, with a valid name");
        let state = State {
            buses: Mutex::new(buses),
            undelivered: Mutex::default(),
            retries: Background::new(RETRIES_MAX),
            replays: Background::new(REPLAYS_RUNNING_MAX),
            timetable: Background::new(1),
            rescheduled: Notify::new(),
        };
        Self { account, destinations, clock, state: Arc::new(state), faults: Faults::default() }
    }

    /// With what goes wrong in its deliveries on purpose.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
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

    /// Creates an archive and gives its ARN.
    pub fn create_archive(&self, archive: Archive) -> Result<String, EventsError> {
        self.buses().create_archive(&self.account, archive, self.clock.now())
    }

    /// Accepts one event, delivers it and gives its id. As on AWS, an event for a bus that does not exist is accepted and
    /// lost (<https://github.com/aws/aws-sdk/issues/186>); here [`EventBridge::undelivered`] tells of it.
    pub fn put_event(&self, entry: Entry) -> Result<String, EntryError> {
        let bus = entry.bus.clone();
        let event = Arc::new(Event::new(entry, Uuid::new_v4().to_string(), self.clock.now(), &self.account)?);
        let event_id = event.id.clone();
        if let Err(error) = self.accept(&bus, &event, &[]) {
            let reason = error.to_string();
            self.remember(Undelivered { event_id: event_id.clone(), rule_arn: String::new(), target_arn: bus, reason });
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
        let State { retries, replays, timetable, .. } = &*self.state;
        for background in [retries, replays, timetable] {
            background.stop();
        }
    }

    /// Takes `event` on `bus`: its archives keep it, its rules send it; only those in `rules`, if any are named.
    fn accept(&self, bus: &str, event: &Arc<Event>, rules: &[String]) -> Result<(), EventsError> {
        let deliveries = {
            let mut buses = self.buses();
            let deliveries = buses.route(&self.account, bus, event, rules)?;
            buses.archive(&self.account, bus, event, self.clock.now());
            deliveries
        };
        for delivery in &deliveries {
            let twice = self.faults.delivered_twice(bus, &delivery.target.arn);
            for _ in 0..=usize::from(twice) {
                self.send(event, delivery);
            }
        }
        Ok(())
    }

    fn buses(&self) -> MutexGuard<'_, Buses> {
        self.state.buses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, undelivered: Undelivered) {
        let mut all = self.state.undelivered.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == UNDELIVERED_MAX {
            all.pop_front();
        }
        all.push_back(undelivered);
    }
}
