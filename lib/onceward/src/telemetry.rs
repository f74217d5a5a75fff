//! The one line that each delivery leaves behind. It never contains a payload.

use std::time::Duration;

use crate::{
    EventMetadata, Reason,
    execute::{Failure, Outcome},
    function::Settings,
};

/// Something that was handled, and how long it took.
pub(crate) struct Hop<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) event: &'a EventMetadata,
    pub(crate) subject: &'a str,
    pub(crate) attempt: u32,
    pub(crate) duration: Duration,
}

impl Hop<'_> {
    /// Writes the line.
    pub(crate) fn report(&self, outcome: &'static str, reason: Option<&str>) {
        let duration_ms = milliseconds(self.duration);
        tracing::info!(
            target: "onceward::delivery",
            function = self.settings.name,
            event_type = self.event.event_type,
            event_id = self.event.id,
            subject = self.subject,
            outcome,
            attempt = self.attempt,
            duration_ms,
            correlation_id = self.event.correlation_id,
            trace = %self.event.trace,
            reason,
        );
    }
}

/// For people: to the microsecond.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no invocation lasts for centuries")]
    let micros = duration.as_micros() as f64;
    micros / 1_000.0
}

impl Outcome {
    /// Name and reason for the line; a terminal failure's name depends on where the event came from.
    pub(crate) fn label(&self, terminal: &'static str) -> (&'static str, Option<String>) {
        match self {
            Self::Committed(_) => ("committed", None),
            Self::Replayed(_) => ("replayed", None),
            Self::Failed(Failure::Retry { error, .. }) => ("retried", Some(error.clone())),
            Self::Failed(Failure::Terminal { reason, error, field }) => {
                let field = field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
                let error = match reason {
                    Reason::MalformedEvent | Reason::SchemaRefused => without_values(error),
                    _ => error.clone(),
                };
                (terminal, Some(format!("{}: {field}{error}", reason.as_str())))
            }
        }
    }
}

/// A parser's message without what it quotes of the input: texts in quotation marks, and numbers in backticks.
pub(crate) fn without_values(message: &str) -> String {
    let mut kept = String::with_capacity(message.len());
    let mut rest = message;
    while let Some(start) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(start);
        let mark = if quoted.starts_with('"') { '"' } else { '`' };
        let Some(end) = closing(&quoted[1..], mark) else { return format!("{kept}{before}…") };
        let (inside, after) = (&quoted[1..=end], &quoted[end + 2..]);
        let is_name = mark == '`' && !before.ends_with("integer ") && !before.ends_with("floating point ");
        kept.push_str(before);
        kept.push(mark);
        kept.push_str(if is_name { inside } else { "…" });
        kept.push(mark);
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Where the quotation ends; a mark behind a backslash belongs to it.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(index, character)| {
        let ends = character == mark && !escaped;
        escaped = character == '\\' && !escaped;
        ends.then_some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn the_log_has_names_and_places_but_no_values() {
        for (message, logged) in [
            (
                r#"invalid type: string "4111 \" 1", expected u32 at line 1"#,
                r#"invalid type: string "…", expected u32 at line 1"#,
            ),
            ("invalid value: integer `-41`, expected u32", "invalid value: integer `…`, expected u32"),
            ("missing field `id` at line 1 column 2", "missing field `id` at line 1 column 2"),
            ("EOF while parsing", "EOF while parsing"),
        ] {
            assert_eq!(without_values(message), logged);
        }
    }
}
