//! Actions on buses.

use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::{Tag, as_map};
use super::{page, without_nulls};
use crate::events::bus::Bus;
use crate::events::{DEFAULT_BUS, EventBridge, EventsError};

const MILLIS_PER_SECOND: f64 = 1000.0;

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
    let arn = buses.create(&events.account, &request.name, request.description.clone(), Utc::now())?;
    buses.tags.insert(arn.clone(), as_map(request.tags));
    Ok(without_nulls(json!({"EventBusArn": arn, "Description": request.description})))
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
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
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
    // Milliseconds since 1970 are far below the 2^53 that an f64 holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let created_at = bus.created_at.timestamp_millis() as f64 / MILLIS_PER_SECOND;
    without_nulls(json!({
        "Name": bus.arn.rsplit('/').next(),
        "Arn": bus.arn,
        "Description": bus.description,
        "CreationTime": created_at,
        "LastModifiedTime": created_at,
    }))
}
