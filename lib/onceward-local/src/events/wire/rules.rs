//! Actions on rules.

use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::{Tag, as_map};
use super::{page, without_nulls};
use crate::events::rule::StoredRule;
use crate::events::{EventBridge, EventsError, PatternError, Rule};

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
    #[serde(default)]
    role_arn: Option<String>,
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
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let pattern = given(request.event_pattern);
    if pattern.as_ref().is_some_and(|pattern| pattern.chars().count() > PATTERN_MAX_CHARS) {
        let reason = format!("it has more than {PATTERN_MAX_CHARS} characters");
        return Err(PatternError { reason }.into());
    }
    let disabled = match request.state.as_deref() {
        None | Some("ENABLED") => false,
        Some("DISABLED") => true,
        Some(state) => {
            return Err(EventsError::validation(format!(
                "The local cloud does not support the state {state}: a rule is ENABLED or DISABLED."
            )));
        }
    };
    let arn = events.put_rule(Rule {
        name: request.name,
        bus: request.event_bus_name,
        pattern,
        schedule: given(request.schedule_expression),
        disabled,
        description: request.description,
        role_arn: request.role_arn,
    })?;
    // AWS ignores the tags of a request that updates a rule.
    events.buses().tags.entry(arn.clone()).or_insert_with(|| as_map(request.tags));
    Ok(json!({"RuleArn": arn}))
}

pub(super) fn describe(events: &EventBridge, request: &NamedRule) -> Result<Value, EventsError> {
    let buses = events.buses();
    let bus = buses.bus(&events.account, &request.event_bus_name)?;
    let mut described = description(bus.rule(&request.name)?, bus.name());
    described["CreatedBy"] = json!(events.account.id);
    Ok(described)
}

pub(super) fn list(events: &EventBridge, request: &ListRules) -> Result<Value, EventsError> {
    let buses = events.buses();
    let bus = buses.bus(&events.account, &request.event_bus_name)?;
    let rules = bus.rules.iter().filter(|(name, _)| name.starts_with(&request.name_prefix));
    let rules = rules.map(|(_, rule)| description(rule, bus.name())).collect();
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
    let now = events.clock.now();
    events.buses().rule_mut(&events.account, &request.event_bus_name, &request.name)?.set_enabled(enabled, now);
    events.reschedule();
    Ok(json!({}))
}

fn description(stored: &StoredRule, bus: &str) -> Value {
    let rule = &stored.rule;
    without_nulls(json!({
        "Name": rule.name,
        "Arn": stored.arn,
        "EventPattern": rule.pattern,
        "ScheduleExpression": rule.schedule,
        "State": if rule.disabled { "DISABLED" } else { "ENABLED" },
        "Description": rule.description,
        "RoleArn": rule.role_arn,
        "EventBusName": bus,
    }))
}
