//! Buses and their rules, as kept in memory.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::error::EventsError;
use super::event::Event;
use super::pattern::Pattern;
use super::target::{Delivery, Target};
use crate::account::Account;

/// The bus that is always there.
pub const DEFAULT_BUS: &str = "default";

/// Targets of one rule. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const TARGETS_PER_RULE_MAX: usize = 5;

/// Rules of one bus. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const RULES_PER_BUS_MAX: usize = 300;

/// Buses of an account. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const BUSES_MAX: usize = 100;

/// A rule, as [`EventBridge::put_rule`](super::EventBridge::put_rule) takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Unique on its bus.
    pub name: String,
    /// Name or ARN of the bus; empty means `default`.
    pub bus: String,
    /// The event pattern.
    pub pattern: serde_json::Value,
    /// Whether events are matched at all.
    pub enabled: bool,
}

/// A rule that was accepted.
#[derive(Debug, Clone)]
pub(super) struct StoredRule {
    pub(super) arn: String,
    pub(super) description: Option<String>,
    /// As it was put, spaces and all: `DescribeRule` gives it back.
    pub(super) pattern_text: String,
    pub(super) pattern: Pattern,
    pub(super) enabled: bool,
    pub(super) targets: BTreeMap<String, Target>,
}

/// A bus.
#[derive(Debug)]
pub(super) struct Bus {
    pub(super) arn: String,
    pub(super) description: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) rules: BTreeMap<String, StoredRule>,
}

/// All buses, and the tags of buses and rules by ARN.
#[derive(Debug, Default)]
pub(super) struct Buses {
    pub(super) by_name: BTreeMap<String, Bus>,
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
        let bus = Bus { arn: arn.clone(), description, created_at: now, rules: BTreeMap::new() };
        self.by_name.insert(name.to_owned(), bus);
        Ok(arn)
    }

    pub(super) fn bus(&self, account: &Account, bus: &str) -> Result<&Bus, EventsError> {
        bus_name(account, bus)
            .and_then(|name| self.by_name.get(name))
            .ok_or_else(|| EventsError::NotFound { what: format!("Event bus {bus}") })
    }

    pub(super) fn bus_mut(&mut self, account: &Account, bus: &str) -> Result<&mut Bus, EventsError> {
        bus_name(account, bus)
            .and_then(|name| self.by_name.get_mut(name))
            .ok_or_else(|| EventsError::NotFound { what: format!("Event bus {bus}") })
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

    /// Where `event` goes on `bus`, in the order of the rules' names and the targets' ids.
    pub(super) fn route(&self, account: &Account, bus: &str, event: &Event) -> Result<Vec<Delivery>, EventsError> {
        let rules = self.bus(account, bus)?.rules.iter();
        let matching = rules.filter(|(_, rule)| rule.enabled && rule.pattern.matches(&event.value));
        Ok(matching
            .flat_map(|(name, rule)| {
                rule.targets.values().map(|target| Delivery {
                    rule_arn: rule.arn.clone(),
                    rule_name: name.clone(),
                    target: target.clone(),
                })
            })
            .collect())
    }
}

impl Bus {
    pub(super) fn rule(&self, rule: &str) -> Result<&StoredRule, EventsError> {
        self.rules.get(rule).ok_or_else(|| no_rule(rule))
    }

    /// Creates the rule, or replaces it and keeps its targets.
    pub(super) fn put_rule(
        &mut self,
        account: &Account,
        rule: Rule,
        pattern_text: String,
        description: Option<String>,
    ) -> Result<String, EventsError> {
        check_name("Rule name", &rule.name, 64, "._-")?;
        let pattern = Pattern::parse(&rule.pattern)?;
        if !self.rules.contains_key(&rule.name) && self.rules.len() >= RULES_PER_BUS_MAX {
            return Err(EventsError::LimitExceeded { what: format!("{RULES_PER_BUS_MAX} rules on a bus") });
        }
        let bus = self.arn.rsplit('/').next().unwrap_or_default();
        let resource =
            if bus == DEFAULT_BUS { format!("rule/{}", rule.name) } else { format!("rule/{bus}/{}", rule.name) };
        let arn = account.arn("events", &resource);
        let targets = self.rules.remove(&rule.name).map(|previous| previous.targets).unwrap_or_default();
        let stored =
            StoredRule { arn: arn.clone(), description, pattern_text, pattern, enabled: rule.enabled, targets };
        self.rules.insert(rule.name, stored);
        Ok(arn)
    }
}

impl StoredRule {
    /// Adds the target, or replaces the one with its id.
    pub(super) fn put_target(&mut self, target: Target) -> Result<(), EventsError> {
        target.check()?;
        if !self.targets.contains_key(&target.id) && self.targets.len() >= TARGETS_PER_RULE_MAX {
            return Err(EventsError::LimitExceeded { what: format!("{TARGETS_PER_RULE_MAX} targets of a rule") });
        }
        self.targets.insert(target.id.clone(), target);
        Ok(())
    }
}

fn no_rule(rule: &str) -> EventsError {
    EventsError::NotFound { what: format!("Rule {rule}") }
}

/// The name of a bus given by name or by its ARN in this account and region.
fn bus_name<'a>(account: &Account, bus: &'a str) -> Option<&'a str> {
    match bus {
        "" => Some(DEFAULT_BUS),
        arn if arn.starts_with("arn:") => arn.strip_prefix(&account.arn("events", "event-bus/")),
        name => Some(name),
    }
}

fn check_name(what: &str, name: &str, length_max: usize, punctuation: &str) -> Result<(), EventsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || punctuation.contains(c);
    if name.is_empty() || name.len() > length_max || !name.chars().all(allowed) {
        return Err(EventsError::validation(format!(
            "{what} '{name}' must be 1 to {length_max} letters, digits or any of {punctuation}"
        )));
    }
    Ok(())
}
