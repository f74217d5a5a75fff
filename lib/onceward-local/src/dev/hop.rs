//! What a function's log line says.

use serde_json::Value;

use crate::escape;

/// Marks the lines that tell of a delivery.
const DELIVERY: &str = "onceward::delivery";

/// A line of a function's log.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    /// One hop of an event.
    Hop(Box<Hop>),
    /// Something else, with its level if it has one.
    Other { level: Option<Level>, message: String },
}

/// How a line of a log matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Quiet,
    Warn,
    Error,
}

/// One hop: an event delivered to a function, and what came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Hop {
    pub(super) timestamp: String,
    pub(super) function: String,
    pub(super) event_type: String,
    pub(super) subject: String,
    /// `committed`, `replayed`, `retried`, `dead_lettered`, `answered`, `refused`, `published`.
    pub(super) outcome: String,
    pub(super) attempt: Option<u64>,
    pub(super) duration_ms: Option<f64>,
    pub(super) reason: Option<String>,
}

impl Hop {
    /// Each part as one line: an event's subject and type are its sender's, an error quotes its input.
    pub(super) fn escaped(&self) -> Self {
        let line = |text: &str| escape::line(text).into_owned();
        Self {
            timestamp: line(&self.timestamp),
            function: line(&self.function),
            event_type: line(&self.event_type),
            subject: line(&self.subject),
            outcome: line(&self.outcome),
            attempt: self.attempt,
            duration_ms: self.duration_ms,
            reason: self.reason.as_deref().map(line),
        }
    }
}

impl Line {
    /// Reads what `function` printed. Fields may be at the top or, as tracing's own JSON has them, under `fields`.
    pub(super) fn read(function: &str, text: &str) -> Self {
        let record: Value = serde_json::from_str(text).unwrap_or_default();
        if !record.is_object() {
            return Self::Other { level: None, message: text.to_owned() };
        }
        let field = |name: &str| record.get(name).or_else(|| record["fields"].get(name));
        let word = |name: &str| match field(name) {
            Some(Value::String(text)) => Some(text.clone()),
            None | Some(Value::Null) => None,
            Some(other) => Some(other.to_string()),
        };
        if record["target"] == DELIVERY {
            return Self::Hop(Box::new(Hop {
                timestamp: word("timestamp").unwrap_or_default(),
                function: word("function").unwrap_or_else(|| function.to_owned()),
                event_type: word("event_type").unwrap_or_default(),
                subject: word("subject").unwrap_or_default(),
                outcome: word("outcome").unwrap_or_default(),
                attempt: field("attempt").and_then(Value::as_u64),
                duration_ms: field("duration_ms").and_then(Value::as_f64),
                reason: word("reason"),
            }));
        }
        let level = match record["level"].as_str() {
            Some("ERROR") => Some(Level::Error),
            Some("WARN") => Some(Level::Warn),
            Some(_) => Some(Level::Quiet),
            None => None,
        };
        Self::Other {
            level,
            message: word("message")
                .map_or_else(|| text.to_owned(), |message| with_details(readable(&message), &record)),
        }
    }
}

/// A message with records among its lines, each replaced by what it says.
pub(super) fn readable(message: &str) -> String {
    let line = |text: &str| match Line::read("", text.trim_start()) {
        Line::Other { level: Some(_), message } => format!("  {message}"),
        Line::Other { level: None, .. } | Line::Hop(_) => text.to_owned(),
    };
    message.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The message, and the error that goes with it.
fn with_details(message: String, record: &Value) -> String {
    let error = record.get("error").or_else(|| record["fields"].get("error"));
    match error {
        Some(Value::String(error)) if !message.contains(error.as_str()) => format!("{message}: {error}"),
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_a_hop_flat_or_nested() {
        let flat = r#"{"timestamp":"2026-11-20T10:00:00.123Z","level":"INFO","target":"onceward::delivery",
            "function":"reserve-stock","event_type":"order.placed.v1","subject":"ord_1","outcome":"committed",
            "attempt":1,"duration_ms":3.2}"#;
        let nested = r#"{"timestamp":"2026-11-20T10:00:00.123Z","level":"INFO","target":"onceward::delivery","fields":{
            "function":"reserve-stock","event_type":"order.placed.v1","subject":"ord_1","outcome":"committed",
            "attempt":1,"duration_ms":3.2}}"#;
        let Line::Hop(hop) = Line::read("onceward-reserve-stock", flat) else { panic!("not a hop") };
        assert_eq!((hop.attempt, hop.duration_ms, hop.reason.as_deref()), (Some(1), Some(3.2), None));
        assert_eq!(Line::Hop(hop), Line::read("onceward-reserve-stock", nested));
    }

    #[test]
    fn other_lines_keep_their_level_and_message() {
        let other = |text| match Line::read("f", text) {
            Line::Other { level, message } => (level, message),
            Line::Hop(hop) => panic!("{hop:?}"),
        };
        assert_eq!(other("thread panicked"), (None, "thread panicked".to_owned()));
        assert_eq!(
            other(r#"{"level":"WARN","message":"slow","error":"late"}"#),
            (Some(Level::Warn), "slow: late".to_owned())
        );
        assert_eq!(other(r#"{"level":"INFO","fields":{"message":"hello"}}"#), (Some(Level::Quiet), "hello".to_owned()));
        assert_eq!(
            readable(
                "it printed last:\n  {\"level\":\"ERROR\",\"message\":\"stopped\",\"error\":\"X is not set\"}\n  bye"
            ),
            "it printed last:\n  stopped: X is not set\n  bye"
        );
        assert_eq!(other("42"), (None, "42".to_owned()));
    }
}
