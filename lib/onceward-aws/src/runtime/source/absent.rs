use chrono::{DateTime, SecondsFormat, Utc};
use onceward::{Delivery, Event as _, NoValue};
use serde::Serialize;

/// A record that came without a value, and what is known of it all the same.
#[derive(Debug)]
pub(in crate::runtime) struct Absent {
    /// What tells it from all others of its source, if the source says.
    pub(super) id: Option<String>,
    /// When it was written, if the source says.
    pub(super) time: Option<DateTime<Utc>>,
    pub(super) record: NoValue,
}

/// The event that is made of it.
#[derive(Serialize)]
struct Made<'a> {
    specversion: &'static str,
    id: String,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: String,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    data: &'a NoValue,
}

impl Absent {
    /// The record as an event in JSON.
    pub(in crate::runtime) fn event(
        &self,
        source: &str,
        delivery: &Delivery,
        request_id: &str,
        now: DateTime<Utc>,
    ) -> String {
        let event = Made {
            specversion: "1.0",
            // A place in a batch is no name beyond its invocation.
            id: self.id.clone().unwrap_or_else(|| format!("{}@{request_id}", delivery.message_id)),
            source: if delivery.source.is_empty() { source } else { &delivery.source },
            event_type: NoValue::wire_type(),
            time: self.time.unwrap_or(now).to_rfc3339_opts(SecondsFormat::Millis, true),
            subject: self.record.key.as_deref(),
            data: &self.record,
        };
        serde_json::to_string(&event).expect("texts have a form in JSON")
    }
}
