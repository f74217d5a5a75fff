//! Actions on buses.

use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::{Tag, as_map};
use super::{page, seconds, without_nulls};
use crate::events::bus::Bus;
use crate::events::{DEFAULT_BUS, EventBridge, EventsError};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateEventBus {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdateEventBus {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct NamedBus {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ListEventBuses {
    #[serde(default)]
    name_prefix: String,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

pub(super) fn create(events: &EventBridge, request: CreateEventBus) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let arn = buses.create(&events.account, &request.name, request.description.clone(), events.clock.now())?;
    buses.tags.insert(arn.clone(), as_map(request.tags));
    Ok(without_nulls(json!({"EventBusArn": arn, "Description": request.description})))
}

pub(super) fn update(events: &EventBridge, request: UpdateEventBus) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let bus = buses.bus_mut(&events.account, &request.name)?;
    bus.description = request.description;
    bus.modified_at = events.clock.now();
    Ok(without_nulls(json!({"Arn": bus.arn, "Name": bus.name(), "Description": bus.description})))
}

pub(super) fn describe(events: &EventBridge, request: &NamedBus) -> Result<Value, EventsError> {
    Ok(description(events.buses().bus(&events.account, &request.name)?))
}

// Takes the request by value, as its siblings do.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn list(events: &EventBridge, request: ListEventBuses) -> Result<Value, EventsError> {
    let buses = events.buses();
    let all = buses.by_name.iter().filter(|(name, _)| name.starts_with(&request.name_prefix));
    let all = all.map(|(_, bus)| description(bus)).collect();
    let (found, next) = page(all, request.next_token.as_deref(), request.limit)?;
    Ok(without_nulls(json!({"EventBuses": found, "NextToken": next})))
}

/// A bus that is not there is deleted already; `default` and a bus with rules stay.
pub(super) fn delete(events: &EventBridge, request: &NamedBus) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let Ok(bus) = buses.bus(&events.account, &request.name) else { return Ok(json!({})) };
    let arn = bus.arn.clone();
    let name = bus.name().to_owned();
    if name == DEFAULT_BUS {
        return Err(EventsError::validation("Cannot delete event bus default."));
    }
    if !bus.rules.is_empty() {
        return Err(EventsError::validation("Event bus can't be deleted since it has rules."));
    }
    buses.by_name.remove(&name);
    buses.tags.remove(&arn);
    Ok(json!({}))
}

fn description(bus: &Bus) -> Value {
    without_nulls(json!({
        "Name": bus.name(),
        "Arn": bus.arn,
        "Description": bus.description,
        "Policy": bus.policy.as_ref().map(Value::to_string),
        "CreationTime": seconds(bus.created_at),
        "LastModifiedTime": seconds(bus.modified_at),
    }))
}
