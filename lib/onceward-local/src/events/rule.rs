//! Rules: as put, as kept.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bus::{Bus, DEFAULT_BUS, check_name};
use super::error::EventsError;
use super::pattern::{Pattern, PatternError};
use super::target::Target;
use crate::account::Account;
use crate::schedule::Expression;

/// Targets of one rule. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const TARGETS_PER_RULE_MAX: usize = 5;

/// A rule, as [`EventBridge::put_rule`](super::EventBridge::put_rule) takes it: with a pattern, a schedule, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique on its bus.
    pub name: String,
    /// Name or ARN of the bus; empty means `default`.
    pub bus: String,
    /// The event pattern, a JSON text.
    pub pattern: Option<String>,
    /// `rate(…)` or `cron(…)`, in UTC; only on the bus `default`.
    pub schedule: Option<String>,
    /// Whether it is off: then nothing is matched, and nothing due.
    pub disabled: bool,
    /// What it is for.
    pub description: Option<String>,
    /// `RoleArn`, kept and told: nothing here asks whether the role may.
    pub role_arn: Option<String>,
}

/// A rule that was accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "RuleRecord")]
pub(super) struct StoredRule {
    pub(super) arn: String,
    pub(super) rule: Rule,
    #[serde(skip_serializing)]
    pub(super) pattern: Option<Pattern>,
    pub(super) schedule: Option<RuleSchedule>,
    pub(super) targets: BTreeMap<String, Target>,
}

/// When a rule is due.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RuleSchedule {
    #[serde(skip_serializing)]
    expression: Expression,
    /// A rate counts from here: the rule was put, or enabled.
    anchor: DateTime<Utc>,
    pub(super) next_at: Option<DateTime<Utc>>,
}

/// A rule as it is stored; what its texts compile to is not.
#[derive(Deserialize)]
struct RuleRecord {
    arn: String,
    rule: Rule,
    schedule: Option<ScheduleRecord>,
    targets: BTreeMap<String, Target>,
}

#[derive(Deserialize)]
struct ScheduleRecord {
    anchor: DateTime<Utc>,
    next_at: Option<DateTime<Utc>>,
}

impl TryFrom<RuleRecord> for StoredRule {
    type Error = EventsError;

    fn try_from(record: RuleRecord) -> Result<Self, EventsError> {
        let RuleRecord { arn, rule, schedule, targets } = record;
        let pattern = rule.pattern.as_deref().map(pattern).transpose()?;
        let schedule = match (&rule.schedule, schedule) {
            (Some(text), Some(ScheduleRecord { anchor, next_at })) => {
                Some(RuleSchedule { expression: expression(text)?, anchor, next_at })
            }
            _ => None,
        };
        Ok(Self { arn, rule, pattern, schedule, targets })
    }
}

impl RuleSchedule {
    fn new(expression: Expression, now: DateTime<Utc>) -> Self {
        let next_at = expression.next(now, now, Tz::UTC);
        Self { expression, anchor: now, next_at }
    }

    /// The next time, after it was due by `now`.
    pub(super) fn advance(&mut self, now: DateTime<Utc>) {
        self.next_at = self.expression.next(now, self.anchor, Tz::UTC);
    }
}

impl Bus {
    /// The rule as it is kept, with the targets of the one it replaces.
    pub(super) fn stored(&self, account: &Account, rule: Rule, now: DateTime<Utc>) -> Result<StoredRule, EventsError> {
        check_name("Rule name", &rule.name, 64, "._-")?;
        if rule.pattern.is_none() && rule.schedule.is_none() {
            return Err(EventsError::validation("Parameter(s) EventPattern or ScheduleExpression must be specified."));
        }
        let bus = self.name();
        let schedule = match &rule.schedule {
            Some(_) if bus != DEFAULT_BUS => {
                return Err(EventsError::validation("ScheduleExpression is supported only on the default event bus."));
            }
            Some(text) => Some(RuleSchedule::new(expression(text)?, now)),
            None => None,
        };
        let pattern = rule.pattern.as_deref().map(pattern).transpose()?;
        let resource =
            if bus == DEFAULT_BUS { format!("rule/{}", rule.name) } else { format!("rule/{bus}/{}", rule.name) };
        let arn = account.arn("events", &resource);
        let targets = self.rules.get(&rule.name).map(|previous| previous.targets.clone()).unwrap_or_default();
        Ok(StoredRule { arn, rule, pattern, schedule, targets })
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

    /// Switches it on or off; a rate begins anew.
    pub(super) fn set_enabled(&mut self, enabled: bool, now: DateTime<Utc>) {
        if enabled && self.rule.disabled {
            let expression = self.schedule.take().map(|schedule| schedule.expression);
            self.schedule = expression.map(|expression| RuleSchedule::new(expression, now));
        }
        self.rule.disabled = !enabled;
    }

    /// When it is due next, if it is on.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        self.schedule.as_ref().filter(|_| !self.rule.disabled)?.next_at
    }
}

fn expression(text: &str) -> Result<Expression, EventsError> {
    Expression::of_rule(text).ok_or_else(|| EventsError::validation("Parameter ScheduleExpression is not valid."))
}

/// Compiles a pattern's text.
pub(super) fn pattern(text: &str) -> Result<Pattern, PatternError> {
    let json: Value =
        serde_json::from_str(text).map_err(|error| PatternError { reason: format!("not valid JSON: {error}") })?;
    Pattern::parse(&json)
}
