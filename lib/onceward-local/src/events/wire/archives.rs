//! Actions on archives.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Filtered, page, seconds, without_nulls};
use crate::events::archive::StoredArchive;
use crate::events::{Archive, EventBridge, EventsError};

/// An archive is there and works, or it is not there.
const STATE: &str = "ENABLED";

const STATES: [&str; 6] = [STATE, "DISABLED", "CREATING", "UPDATING", "CREATE_FAILED", "UPDATE_FAILED"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct CreateArchive {
    archive_name: String,
    event_source_arn: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    event_pattern: Option<String>,
    #[serde(default)]
    retention_days: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct UpdateArchive {
    archive_name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    event_pattern: Option<String>,
    #[serde(default)]
    retention_days: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct NamedArchive {
    archive_name: String,
}

pub(super) fn create(events: &EventBridge, request: CreateArchive) -> Result<Value, EventsError> {
    let name = request.archive_name.clone();
    events.create_archive(Archive {
        name: request.archive_name,
        bus_arn: request.event_source_arn,
        description: request.description,
        pattern: request.event_pattern.filter(|pattern| !pattern.is_empty()),
        retention_days: request.retention_days.unwrap_or(0),
    })?;
    Ok(state(events.buses().stored_archive(&name)?))
}

/// What the request does not name stays.
pub(super) fn update(events: &EventBridge, request: UpdateArchive) -> Result<Value, EventsError> {
    let UpdateArchive { archive_name, description, event_pattern, retention_days } = request;
    events.update_archive(&archive_name, |archive| {
        archive.description = description.or(archive.description.take());
        archive.pattern = event_pattern.or(archive.pattern.take()).filter(|pattern| !pattern.is_empty());
        archive.retention_days = retention_days.unwrap_or(archive.retention_days);
    })?;
    Ok(state(events.buses().stored_archive(&archive_name)?))
}

pub(super) fn describe(events: &EventBridge, request: &NamedArchive) -> Result<Value, EventsError> {
    let buses = events.buses();
    let stored = buses.stored_archive(&request.archive_name)?;
    let mut described = summary(events, stored);
    described["ArchiveArn"] = json!(stored.arn);
    described["Description"] = json!(stored.archive.description);
    described["EventPattern"] = json!(stored.archive.pattern);
    Ok(without_nulls(described))
}

pub(super) fn list(events: &EventBridge, request: &Filtered) -> Result<Value, EventsError> {
    request.check("ListArchives", &STATES)?;
    let buses = events.buses();
    if let Some(bus) = &request.event_source_arn {
        buses.bus(&events.account, bus)?;
    }
    let archives = buses.archives.values();
    let archives = archives.filter(|it| request.takes(&it.archive.name, &it.archive.bus_arn, STATE));
    let archives = archives.map(|stored| summary(events, stored)).collect();
    let (found, next) = page(archives, request.next_token.as_deref(), request.limit)?;
    Ok(without_nulls(json!({"Archives": found, "NextToken": next})))
}

pub(super) fn delete(events: &EventBridge, request: &NamedArchive) -> Result<Value, EventsError> {
    events.delete_archive(&request.archive_name)?;
    Ok(json!({}))
}

fn state(stored: &StoredArchive) -> Value {
    json!({"ArchiveArn": stored.arn, "State": STATE, "CreationTime": seconds(stored.created_at)})
}

fn summary(events: &EventBridge, stored: &StoredArchive) -> Value {
    let (count, size_bytes) = stored.holds(events.clock.now());
    json!({
        "ArchiveName": stored.archive.name,
        "EventSourceArn": stored.archive.bus_arn,
        "State": STATE,
        "RetentionDays": stored.archive.retention_days,
        "SizeBytes": size_bytes,
        "EventCount": count,
        "CreationTime": seconds(stored.created_at),
    })
}
