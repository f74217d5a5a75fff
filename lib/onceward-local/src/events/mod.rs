//! The `EventBridge` bus: patterns, rules, targets and the `AWSEvents` protocol.
//!
//! An event goes to the targets of every enabled rule of its bus whose pattern it matches, before `PutEvents` answers.
//! Targets are SQS queues; what cannot be delivered goes to the target's dead-letter queue, or is kept in
//! [`EventBridge::undelivered`].

mod bus;
mod error;
mod event;
mod input;
mod pattern;
mod target;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use uuid::Uuid;

pub use self::bus::{BUSES_MAX, DEFAULT_BUS, RULES_PER_BUS_MAX, Rule, TARGETS_PER_RULE_MAX};
pub use self::error::{EntryError, EventsError};
pub use self::event::{ENTRIES_SIZE_MAX_BYTES, Entry};
pub use self::input::Input;
pub use self::pattern::{ALTERNATIVES_MAX, Pattern, PatternError};
pub use self::target::{Target, Undelivered};

use self::bus::Buses;
use self::event::Event;
use crate::account::Account;
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
    state: Arc<State>,
    faults: Faults,
}

#[derive(Debug, Default)]
struct State {
    buses: Mutex<Buses>,
    undelivered: Mutex<VecDeque<Undelivered>>,
}

impl EventBridge {
    /// An account with the bus `default` and no rules.
    ///
    /// # Panics
    /// Never: the name `default` is valid, and the first bus is below every quota.
    pub fn new(account: Account, destinations: Destinations) -> Self {
        let mut buses = Buses::default();
        buses.create(&account, DEFAULT_BUS, None, Utc::now()).expect("the first bus, with a valid name");
        let state = Arc::new(State { buses: Mutex::new(buses), undelivered: Mutex::default() });
        Self { account, destinations, state, faults: Faults::default() }
    }

    /// With what goes wrong in its deliveries on purpose.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Creates a bus and gives its ARN.
    pub fn create_bus(&self, name: &str) -> Result<String, EventsError> {
        self.buses().create(&self.account, name, None, Utc::now())
    }

    /// Creates or replaces a rule and gives its ARN; a rule that is replaced keeps its targets.
    pub fn put_rule(&self, rule: Rule) -> Result<String, EventsError> {
        let pattern_text = rule.pattern.to_string();
        let mut buses = self.buses();
        buses.bus_mut(&self.account, &rule.bus)?.put_rule(&self.account, rule, pattern_text, None)
    }

    /// Adds a target to a rule, or replaces the one with its id.
    pub fn put_target(&self, bus: &str, rule: &str, target: Target) -> Result<(), EventsError> {
        self.buses().rule_mut(&self.account, bus, rule)?.put_target(target)
    }

    /// Accepts one event, delivers it and gives its id. An unknown bus is refused, where AWS would drop the event.
    pub fn put_event(&self, entry: Entry) -> Result<String, EntryError> {
        let bus = entry.bus.clone();
        let event = Event::new(entry, Uuid::new_v4().to_string(), Utc::now(), &self.account)?;
        let deliveries = self.buses().route(&self.account, &bus, &event);
        let deliveries = deliveries.map_err(|_| EntryError::InvalidArgument {
            parameter: "EventBusName",
            reason: format!("Event bus {bus} does not exist"),
        })?;
        for delivery in deliveries {
            let twice = self.faults.delivered_twice(&bus, &delivery.target.arn);
            for _ in 0..=usize::from(twice) {
                if let Err(undelivered) = delivery.run(&event, &self.destinations) {
                    self.remember(undelivered);
                }
            }
        }
        Ok(event.id)
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
