//! Buses, as they are kept.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::archive::StoredArchive;
use super::delivery::Delivery;
use super::error::EventsError;
use super::event::Event;
use super::replay::Replay;
use super::rule::{Rule, StoredRule};
use crate::account::Account;

/// The bus that is always there.
pub const DEFAULT_BUS: &str = "default";

/// Rules of one bus. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const RULES_PER_BUS_MAX: usize = 300;

/// Buses of an account. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const BUSES_MAX: usize = 100;

/// A bus.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bus {
    pub(super) arn: String,
    pub(super) description: Option<String>,
    /// Statements of `PutPermission`; kept and told, nothing here asks them.
    pub(super) policy: Option<Value>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) modified_at: DateTime<Utc>,
    pub(super) rules: BTreeMap<String, StoredRule>,
}

/// All buses, their archives and replays, and the tags of buses and rules by ARN.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Buses {
    pub(super) by_name: BTreeMap<String, Bus>,
    pub(super) archives: BTreeMap<String, StoredArchive>,
    pub(super) replays: BTreeMap<String, Replay>,
    pub(super) tags: BTreeMap<String, BTreeMap<String, String>>,
}

impl Buses {
    pub(super) fn create(
        &mut self,
        account: &Account,
        name: &str,
        description: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<String, EventsError> {
        check_name("Event bus name", name, 256, "._-")?;
        if self.by_name.contains_key(name) {
            return Err(EventsError::AlreadyExists { what: format!("Event bus {name}") });
        }
        if self.by_name.len() >= BUSES_MAX {
            return Err(EventsError::LimitExceeded { what: format!("{BUSES_MAX} event buses") });
        }
        let arn = account.arn("events", &format!("event-bus/{name}"));
        let bus = Bus {
            arn: arn.clone(),
            description,
            policy: None,
            created_at: now,
            modified_at: now,
            rules: BTreeMap::new(),
        };
        self.by_name.insert(name.to_owned(), bus);
        Ok(arn)
    }

    pub(super) fn bus(&self, account: &Account, bus: &str) -> Result<&Bus, EventsError> {
        bus_name(account, bus).and_then(|name| self.by_name.get(name)).ok_or_else(|| no_bus(account, bus))
    }

    pub(super) fn bus_mut(&mut self, account: &Account, bus: &str) -> Result<&mut Bus, EventsError> {
        bus_name(account, bus).and_then(|name| self.by_name.get_mut(name)).ok_or_else(|| no_bus(account, bus))
    }

    pub(super) fn rule_mut(
        &mut self,
        account: &Account,
        bus: &str,
        rule: &str,
    ) -> Result<&mut StoredRule, EventsError> {
        let bus = self.bus_mut(account, bus)?;
        bus.rules.get_mut(rule).ok_or_else(|| no_rule(rule))
    }

    /// Creates the rule, or replaces it and keeps its targets.
    pub(super) fn put_rule(
        &mut self,
        account: &Account,
        rule: Rule,
        now: DateTime<Utc>,
    ) -> Result<String, EventsError> {
        let bus = self.bus_mut(account, &rule.bus)?;
        let stored = bus.stored(account, rule, now)?;
        if !bus.rules.contains_key(&stored.rule.name) && bus.rules.len() >= RULES_PER_BUS_MAX {
            return Err(EventsError::LimitExceeded { what: format!("{RULES_PER_BUS_MAX} rules on a bus") });
        }
        let arn = stored.arn.clone();
        bus.rules.insert(stored.rule.name.clone(), stored);
        Ok(arn)
    }

    /// Where `event` goes on `bus`, in the order of the rules' names and the targets' ids. If `only` names rules (by
    /// their ARNs), no others take part.
    pub(super) fn route(
        &self,
        account: &Account,
        bus: &str,
        event: &Event,
        only: &[String],
    ) -> Result<Vec<Delivery>, EventsError> {
        let rules = self.bus(account, bus)?.rules.iter();
        let matching = rules.filter(|(_, rule)| {
            let asked = only.is_empty() || only.contains(&rule.arn);
            let matches = || rule.pattern.as_ref().is_some_and(|pattern| pattern.matches(&event.value));
            asked && !rule.rule.disabled && matches()
        });
        Ok(matching.flat_map(|(name, rule)| rule.deliveries(name)).collect())
    }
}

impl Bus {
    pub(super) fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or_default()
    }

    pub(super) fn rule(&self, rule: &str) -> Result<&StoredRule, EventsError> {
        self.rules.get(rule).ok_or_else(|| no_rule(rule))
    }
}

impl StoredRule {
    /// One delivery to each of its targets.
    pub(super) fn deliveries(&self, name: &str) -> Vec<Delivery> {
        let delivery = |target: &super::Target| Delivery {
            rule_arn: self.arn.clone(),
            rule_name: name.to_owned(),
            target: target.clone(),
        };
        self.targets.values().map(delivery).collect()
    }
}

fn no_bus(account: &Account, bus: &str) -> EventsError {
    EventsError::NotFound { what: format!("Event bus {}", bus_name(account, bus).unwrap_or(bus)) }
}

fn no_rule(rule: &str) -> EventsError {
    EventsError::NotFound { what: format!("Rule {rule}") }
}

/// The name of a bus given by name or by its ARN in this account and region.
pub(super) fn bus_name<'a>(account: &Account, bus: &'a str) -> Option<&'a str> {
    match bus {
        "" => Some(DEFAULT_BUS),
        arn if arn.starts_with("arn:") => arn.strip_prefix(&account.arn("events", "event-bus/")),
        name => Some(name),
    }
}

pub(super) fn check_name(what: &str, name: &str, length_max: usize, punctuation: &str) -> Result<(), EventsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
    if name.is_empty() || name.len() > length_max || !name.chars().all(allowed) {
        return Err(EventsError::validation(format!(
            "{what} '{name}' must be 1 to {length_max} letters, digits or any of {punctuation}"
        )));
    }
    Ok(())
}
