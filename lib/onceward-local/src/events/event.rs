//! An entry as it is put, and the event it becomes.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::error::EntryError;
use crate::account::Account;

/// Size of one request's entries, and so of one entry, in bytes: 1 MB since January 2026, counted as [`Entry::size`] does.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
pub const ENTRIES_SIZE_MAX_BYTES: usize = 1024 * 1024;

/// What AWS counts for a `Time`, whatever its value.
const TIME_SIZE_BYTES: usize = 14;

/// One entry of `PutEvents`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entry {
    /// Name or ARN of the bus; empty means `default`.
    pub bus: String,
    /// Who sends it; must not begin with `aws.`.
    pub source: String,
    /// The event's type.
    pub detail_type: String,
    /// A JSON object, as text.
    pub detail: String,
    /// ARNs the event concerns.
    pub resources: Vec<String>,
    /// When it happened; the time of the request if absent.
    pub time: Option<DateTime<Utc>>,
    /// An X-Ray trace header, handed to the targets as `AWSTraceHeader`.
    pub trace_header: Option<String>,
}

impl Entry {
    /// Size in bytes, by AWS's rule.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size>
    pub fn size(&self) -> usize {
        let resources: usize = self.resources.iter().map(String::len).sum();
        let time = if self.time.is_some() { TIME_SIZE_BYTES } else { 0 };
        time + self.source.len() + self.detail_type.len() + self.detail.len() + resources
    }

    fn check(&self) -> Result<Value, EntryError> {
        let required = [("Source", &self.source), ("DetailType", &self.detail_type), ("Detail", &self.detail)];
        for (parameter, value) in required {
            if value.is_empty() {
                let reason = format!("{parameter} is a required argument");
                return Err(EntryError::InvalidArgument { parameter, reason });
            }
        }
        if self.source.starts_with("aws.") {
            return Err(EntryError::NotAuthorizedForSource);
        }
        if self.size() > ENTRIES_SIZE_MAX_BYTES {
            let reason = format!("the entry has {} bytes, more than {ENTRIES_SIZE_MAX_BYTES}", self.size());
            return Err(EntryError::InvalidArgument { parameter: "Entry", reason });
        }
        let detail: Value = serde_json::from_str(&self.detail).map_err(|_| EntryError::MalformedDetail)?;
        if detail.is_object() { Ok(detail) } else { Err(EntryError::MalformedDetail) }
    }
}

/// An accepted event, as targets see it.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) id: String,
    /// The envelope's text; the detail is as it was put, so that numbers and key order survive.
    pub(super) text: String,
    /// The same, parsed.
    pub(super) value: Value,
    pub(super) ingested_at: DateTime<Utc>,
    pub(super) trace_header: Option<String>,
}

impl Event {
    /// The envelope of `entry`. <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
    pub(super) fn new(entry: Entry, id: String, now: DateTime<Utc>, account: &Account) -> Result<Self, EntryError> {
        let detail = entry.check()?;
        let time = entry.time.unwrap_or(now).to_rfc3339_opts(SecondsFormat::Secs, true);
        let text = format!(
            r#"{{"version":"0","id":{},"detail-type":{},"source":{},"account":{},"time":{},"region":{},"resources":{},"detail":{}}}"#,
            json!(id),
            json!(entry.detail_type),
            json!(entry.source),
            json!(account.id),
            json!(time),
            json!(account.region),
            json!(entry.resources),
            entry.detail.trim(),
        );
        let value = json!({
            "version": "0",
            "id": id,
            "detail-type": entry.detail_type,
            "source": entry.source,
            "account": account.id,
            "time": time,
            "region": account.region,
            "resources": entry.resources,
            "detail": detail,
        });
        Ok(Self { id, text, value, ingested_at: now, trace_header: entry.trace_header })
    }
}
