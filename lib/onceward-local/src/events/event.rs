//! An entry as it is put, and the event it becomes.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::EntryError;
use crate::account::Account;

/// Size of one request's entries, and so of one entry, in bytes: 1 MB since January 2026, counted as [`Entry::size`] does.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
pub const ENTRIES_SIZE_MAX_BYTES: usize = 1024 * 1024;

/// Characters of a `DetailType`.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>
const DETAIL_TYPE_MAX_CHARS: usize = 128;

/// The member that only a replayed event has.
const REPLAY_NAME: &str = "replay-name";

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
        if self.detail_type.chars().count() > DETAIL_TYPE_MAX_CHARS {
            let reason = format!("it has more than {DETAIL_TYPE_MAX_CHARS} characters");
            return Err(EntryError::InvalidArgument { parameter: "DetailType", reason });
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
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "EventRecord")]
pub(super) struct Event {
    pub(super) id: String,
    /// The envelope's text; the detail is as it was put, so that numbers and key order survive.
    pub(super) text: String,
    /// The same, parsed.
    #[serde(skip_serializing)]
    pub(super) value: Value,
    /// When it happened, to the second: as the envelope says.
    pub(super) time: DateTime<Utc>,
    pub(super) ingested_at: DateTime<Utc>,
    pub(super) trace_header: Option<String>,
    /// Whether another bus sent it here: then no rule sends it on to a third.
    pub(super) relayed: bool,
    /// Where `text` names the resources: what only a replayed event has stands before them.
    resources_at: usize,
}

/// An event as it is stored.
#[derive(Deserialize)]
struct EventRecord {
    id: String,
    text: String,
    time: DateTime<Utc>,
    ingested_at: DateTime<Utc>,
    trace_header: Option<String>,
    relayed: bool,
    resources_at: usize,
}

impl TryFrom<EventRecord> for Event {
    type Error = serde_json::Error;

    fn try_from(record: EventRecord) -> Result<Self, serde_json::Error> {
        let EventRecord { id, text, time, ingested_at, trace_header, relayed, resources_at } = record;
        let value = serde_json::from_str(&text)?;
        Ok(Self { id, text, value, time, ingested_at, trace_header, relayed, resources_at })
    }
}

impl Event {
    /// The envelope of `entry`. <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
    pub(super) fn new(entry: Entry, id: String, now: DateTime<Utc>, account: &Account) -> Result<Self, EntryError> {
        let detail = entry.check()?;
        Ok(Self::envelope(entry, &detail, id, now, account))
    }

    /// What a rule's targets receive when its schedule is due. <https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-schedule.html>
    pub(super) fn scheduled(rule_arn: &str, id: String, due: DateTime<Utc>, account: &Account) -> Self {
        let entry = Entry {
            source: "aws.events".to_owned(),
            detail_type: "Scheduled Event".to_owned(),
            detail: "{}".to_owned(),
            resources: vec![rule_arn.to_owned()],
            ..Entry::default()
        };
        Self::envelope(entry, &json!({}), id, due, account)
    }

    fn envelope(entry: Entry, detail: &Value, id: String, now: DateTime<Utc>, account: &Account) -> Self {
        let happened = entry.time.unwrap_or(now);
        let time = happened.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut text = format!(
            r#"{{"version":"0","id":{},"detail-type":{},"source":{},"account":{},"time":{},"region":{},"#,
            json!(id),
            json!(entry.detail_type),
            json!(entry.source),
            json!(account.id),
            json!(time),
            json!(account.region),
        );
        let resources_at = text.len();
        let resources = json!(entry.resources).to_string();
        text.extend([r#""resources":"#, resources.as_str(), r#","detail":"#, entry.detail.trim(), "}"]);
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
        Self {
            id,
            text,
            value,
            time: happened.trunc_subsecs(0),
            ingested_at: now,
            trace_header: entry.trace_header,
            relayed: false,
            resources_at,
        }
    }

    /// The same event, as the bus receives it that is a rule's target.
    pub(super) fn relayed(&self, now: DateTime<Utc>) -> Self {
        Self { relayed: true, ingested_at: now, ..self.clone() }
    }

    /// The same event, as `replay` sends it again: it says so.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html>
    pub(super) fn replayed(&self, replay: &str, now: DateTime<Utc>) -> Self {
        let mut event = Self { ingested_at: now, ..self.clone() };
        event.text.insert_str(self.resources_at, &format!(r#""{REPLAY_NAME}":{},"#, json!(replay)));
        event.value[REPLAY_NAME] = json!(replay);
        event
    }

    pub(super) fn is_replayed(&self) -> bool {
        self.value.get(REPLAY_NAME).is_some()
    }
}
