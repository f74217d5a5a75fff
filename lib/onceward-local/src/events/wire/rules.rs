//! Actions on rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::events::pattern_json;
use super::tags::{Tag, as_map};
use super::{page, without_nulls};
use crate::events::bus::StoredRule;
use crate::events::{DEFAULT_BUS, EventBridge, EventsError, PatternError, Rule};

/// Length of an event pattern in characters.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html>
const PATTERN_MAX_CHARS: usize = 4096;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutRule {
    name: String,
    #[serde(default)]
    event_bus_name: String,
    #[serde(default)]
    event_pattern: Option<String>,
    #[serde(default)]
    schedule_expression: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    description: Option<String>,
    /// Rules here need no role: nothing checks permissions.
    #[serde(default, rename = "RoleArn")]
    _role_arn: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct NamedRule {
    name: String,
    #[serde(default)]
    event_bus_name: String,
    /// `DeleteRule` has it for rules that AWS services manage; there are none here.
    #[serde(default, rename = "Force")]
    _force: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListRules {
    #[serde(default)]
    event_bus_name: String,
    #[serde(default)]
    name_prefix: String,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

pub(super) fn put(events: &EventBridge, request: PutRule) -> Result<Value, EventsError> {
    if request.schedule_expression.is_some_and(|expression| !expression.is_empty()) {
        return Err(EventsError::validation(
            "The local cloud does not support ScheduleExpression: rules need an EventPattern.",
        ));
    }
    let Some(pattern_text) = request.event_pattern.filter(|pattern| !pattern.is_empty()) else {
        return Err(EventsError::validation("Parameter(s) EventPattern or ScheduleExpression must be specified."));
    };
    if pattern_text.chars().count() > PATTERN_MAX_CHARS {
        let reason = format!("it has more than {PATTERN_MAX_CHARS} characters");
        return Err(PatternError { reason }.into());
    }
    let enabled = match request.state.as_deref() {
        None | Some("ENABLED") => true,
        Some("DISABLED") => false,
        Some(state) => {
            return Err(EventsError::validation(format!(
                "The local cloud does not support the state {state}: a rule is ENABLED or DISABLED."
            )));
        }
    };
    let pattern = pattern_json(&pattern_text)?;
    let rule = Rule { name: request.name, bus: request.event_bus_name, pattern, enabled };
    let mut buses = events.buses();
    let bus = buses.bus_mut(&events.account, &rule.bus)?;
    let arn = bus.put_rule(&events.account, rule, pattern_text, request.description)?;
    // AWS ignores the tags of a request that updates a rule.
    buses.tags.entry(arn.clone()).or_insert_with(|| as_map(request.tags));
    Ok(json!({"RuleArn": arn}))
}

pub(super) fn describe(events: &EventBridge, request: &NamedRule) -> Result<Value, EventsError> {
    let buses = events.buses();
    let bus = buses.bus(&events.account, &request.event_bus_name)?;
    let mut described = description(&request.name, bus.rule(&request.name)?, &bus.arn);
    described["CreatedBy"] = json!(events.account.id);
    Ok(described)
}

pub(super) fn list(events: &EventBridge, request: &ListRules) -> Result<Value, EventsError> {
    let buses = events.buses();
    let bus = buses.bus(&events.account, &request.event_bus_name)?;
    let rules = bus.rules.iter().filter(|(name, _)| name.starts_with(&request.name_prefix));
    let rules = rules.map(|(name, rule)| description(name, rule, &bus.arn)).collect();
    let (found, next) = page(rules, request.next_token.as_deref(), request.limit)?;
    Ok(without_nulls(json!({"Rules": found, "NextToken": next})))
}

/// A rule that is not there is deleted already; one with targets stays.
pub(super) fn delete(events: &EventBridge, request: &NamedRule) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let bus = buses.bus_mut(&events.account, &request.event_bus_name)?;
    let Some(rule) = bus.rules.get(&request.name) else { return Ok(json!({})) };
    if !rule.targets.is_empty() {
        return Err(EventsError::validation("Rule can't be deleted since it has targets."));
    }
    let arn = rule.arn.clone();
    bus.rules.remove(&request.name);
    buses.tags.remove(&arn);
    Ok(json!({}))
}

pub(super) fn set_enabled(events: &EventBridge, request: &NamedRule, enabled: bool) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    buses.rule_mut(&events.account, &request.event_bus_name, &request.name)?.enabled = enabled;
    Ok(json!({}))
}

fn description(name: &str, rule: &StoredRule, bus_arn: &str) -> Value {
    without_nulls(json!({
        "Name": name,
        "Arn": rule.arn,
        "EventPattern": rule.pattern_text,
        "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
        "Description": rule.description,
        "EventBusName": bus_arn.rsplit('/').next().unwrap_or(DEFAULT_BUS),
    }))
}
