//! Tumbling windows: which one a record is in, and the state that a function hands from batch to batch.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-windows.html>

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Reading, source::Record};

/// A larger state ends its window early.
pub const STATE_BYTES_MAX: usize = 1_048_576;
/// How long after its end a window waits for records that were written in it. AWS waits up to two minutes; here the
/// stream has a record as soon as it is written.
pub const WINDOW_GRACE: Duration = Duration::from_secs(1);

/// The open window of a lane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    /// What the function answered last; `{}` at first.
    pub(super) state: Value,
}

/// Which invocation of a window it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// With records.
    Aggregate,
    /// The last, with the state alone.
    Final { early: bool },
}

impl Window {
    /// The window of `length` that `at` is in, counted from the epoch.
    pub(super) fn around(at: DateTime<Utc>, length: Duration) -> Self {
        let length_ms = i64::try_from(length.as_millis()).unwrap_or(i64::MAX).max(1);
        let start_ms = at.timestamp_millis().div_euclid(length_ms) * length_ms;
        let start = DateTime::from_timestamp_millis(start_ms).unwrap_or(at);
        let end = start.checked_add_signed(TimeDelta::milliseconds(length_ms)).unwrap_or(start);
        Self { start, end, state: json!({}) }
    }

    /// Whether `record` was written in it. Earlier ones count too: their own window is over.
    pub(super) fn holds(&self, record: &Record) -> bool {
        record.written < self.end
    }

    /// How long until nothing more can come for it.
    pub(super) fn closes_in(&self, now: DateTime<Utc>) -> Duration {
        let left = (self.end - now).to_std().unwrap_or_default();
        let late = (now - self.end).to_std().unwrap_or_default();
        (left + WINDOW_GRACE).saturating_sub(late)
    }

    /// The same bounds, and nothing known.
    pub(super) fn restart(&mut self) {
        self.state = json!({});
    }

    /// What an event has besides its records, as `"name":value,` texts.
    pub(super) fn fields(&self, reading: &Reading, turn: Turn) -> String {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (last, early) = match turn {
            Turn::Aggregate => (false, false),
            Turn::Final { early } => (true, early),
        };
        let fields = json!({
            "window": { "start": time(self.start), "end": time(self.end) },
            "state": self.state,
            "shardId": reading.shard_id,
            "eventSourceARN": reading.stream_arn,
            "isFinalInvokeForWindow": last,
            "isWindowTerminatedEarly": early,
        });
        fields.to_string()
    }
}

/// The state in a function's answer; without one the invocation has failed.
pub(super) fn state(payload: &[u8]) -> Result<Value, String> {
    let mut answer: Value =
        serde_json::from_slice(payload).map_err(|error| format!("the response is no JSON: {error}"))?;
    match answer.get_mut("state") {
        Some(state) => Ok(state.take()),
        None => Err("the response has no `state`, which a tumbling window needs".to_owned()),
    }
}

/// Whether a state is too large to be kept.
pub(super) fn is_too_large(state: &Value) -> bool {
    state.to_string().len() > STATE_BYTES_MAX
}
