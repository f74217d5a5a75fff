//! `PutEvents` and `TestEventPattern`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::WireTime;
use super::constraints::check_member;
use crate::events::rule::pattern;
use crate::events::{ENTRIES_SIZE_MAX_BYTES, Entry, EventBridge, EventsError};

/// Entries of one request. <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>
const ENTRIES_MAX: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutEvents {
    entries: Vec<WireEntry>,
    /// A global endpoint's id: there are no other regions here.
    #[serde(default)]
    endpoint_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireEntry {
    #[serde(default)]
    event_bus_name: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    detail_type: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    resources: Option<Vec<String>>,
    #[serde(default)]
    time: Option<WireTime>,
    #[serde(default)]
    trace_header: Option<String>,
}

impl WireEntry {
    /// The entry, the `number`-th of its request.
    fn entry(self, number: usize) -> Result<Entry, EventsError> {
        for (member, name, value) in
            [("EventBusName", "eventBusName", &self.event_bus_name), ("TraceHeader", "traceHeader", &self.trace_header)]
        {
            if let Some(value) = value {
                check_member("PutEvents", member, value, &format!("entries.{number}.member.{name}"))?;
            }
        }
        Ok(Entry {
            bus: self.event_bus_name.unwrap_or_default(),
            source: self.source.unwrap_or_default(),
            detail_type: self.detail_type.unwrap_or_default(),
            detail: self.detail.unwrap_or_default(),
            resources: self.resources.unwrap_or_default(),
            time: self.time.map(|time| time.instant()).transpose()?,
            trace_header: self.trace_header,
        })
    }
}

pub(super) fn put(events: &EventBridge, request: PutEvents) -> Result<Value, EventsError> {
    if let Some(endpoint) = request.endpoint_id {
        return Err(EventsError::validation(format!(
            "The local cloud has no global endpoints: EndpointId {endpoint} is not supported."
        )));
    }
    let count = request.entries.len();
    if !(1..=ENTRIES_MAX).contains(&count) {
        let bound = if count == 0 { "greater than or equal to 1" } else { "less than or equal to 10" };
        return Err(EventsError::validation(format!(
            "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length {bound}"
        )));
    }
    let entries =
        (1..).zip(request.entries).map(|(number, entry)| entry.entry(number)).collect::<Result<Vec<_>, _>>()?;
    if entries.iter().map(Entry::size).sum::<usize>() > ENTRIES_SIZE_MAX_BYTES {
        return Err(EventsError::validation("Total size of the entries in the request is over the limit."));
    }
    let mut failed = 0;
    let results: Vec<_> = entries
        .into_iter()
        .map(|entry| match events.put_event(entry) {
            Ok(id) => json!({"EventId": id}),
            Err(error) => {
                failed += 1;
                json!({"ErrorCode": error.code(), "ErrorMessage": error.to_string()})
            }
        })
        .collect();
    Ok(json!({"FailedEntryCount": failed, "Entries": results}))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct TestEventPattern {
    event_pattern: String,
    event: String,
}

/// Members an event must have to be tested.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html>
const REQUIRED: [&str; 7] = ["id", "account", "source", "time", "region", "resources", "detail-type"];

// Takes the request by value, as its siblings do.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn test_pattern(request: TestEventPattern) -> Result<Value, EventsError> {
    let pattern = pattern(&request.event_pattern)?;
    let event: Value = serde_json::from_str(&request.event)
        .map_err(|error| EventsError::validation(format!("Parameter Event is not valid. Reason: {error}")))?;
    if let Some(missing) = REQUIRED.iter().find(|name| event.get(**name).is_none()) {
        return Err(EventsError::validation(format!("Parameter Event is not valid. Reason: {missing} is missing")));
    }
    Ok(json!({"Result": pattern.matches(&event)}))
}
