//! Hops as aligned, coloured lines.

use anstyle::{AnsiColor, Style};

use super::hop::{Hop, Level};

const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const AGAIN: Style = AnsiColor::Cyan.on_default();
const LATER: Style = AnsiColor::Yellow.on_default();
const LOST: Style = AnsiColor::Red.on_default().bold();

/// A longer word is shown in full and widens its column up to here, so that one word does not push all lines apart.
const WIDTH_MAX: usize = 40;
/// `10:00:00.123`
const TIME_WIDTH: usize = 12;
/// `dead_lettered`, the longest outcome.
const OUTCOME_WIDTH: usize = 13;

/// The widths of the columns so far. They grow with what they have to hold.
#[derive(Debug)]
pub(super) struct Columns {
    function: usize,
    event_type: usize,
    subject: usize,
}

impl Default for Columns {
    fn default() -> Self {
        Self { function: 18, event_type: 22, subject: 14 }
    }
}

impl Columns {
    /// Time, function, event type, subject, outcome, attempt, milliseconds, and what else there is to say.
    pub(super) fn line(&mut self, hop: &Hop) -> String {
        let (function, event_type, subject) = (
            widened(&mut self.function, &hop.function),
            widened(&mut self.event_type, &hop.event_type),
            widened(&mut self.subject, &hop.subject),
        );
        let time = time_of_day(&hop.timestamp);
        let style = style_of(&hop.outcome);
        let attempt = hop.attempt.map_or_else(String::new, |attempt| attempt.to_string());
        let duration = hop.duration_ms.map_or_else(String::new, |duration| format!("{duration:.1} ms"));
        let count =
            hop.count.map_or_else(String::new, |count| format!("{count} event{}", if count == 1 { "" } else { "s" }));
        let rest = [count, hop.reason.clone().unwrap_or_default()];
        let rest: Vec<_> = rest.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
        let line = format!(
            "{DIM}{time:<TIME_WIDTH$}{DIM:#}  {function}  {event_type}  {subject}  {style}{:<OUTCOME_WIDTH$}{style:#} \
             {attempt:>2} {duration:>10}  {}",
            hop.outcome,
            rest.join("  ")
        );
        line.trim_end().to_owned()
    }

    /// A line that is no hop, with its function's name in front.
    pub(super) fn other(&mut self, function: &str, level: Option<Level>, message: &str) -> String {
        let style = match level {
            Some(Level::Error) => LOST,
            Some(Level::Warn) => LATER,
            Some(Level::Quiet) | None => DIM,
        };
        let function = widened(&mut self.function, function);
        // Further lines of a message begin where the first one did.
        let message = message.replace('\n', &format!("\n{:1$}", "", TIME_WIDTH + function.chars().count() + 4));
        format!("{:<TIME_WIDTH$}  {function}  {style}{message}{style:#}", "")
    }
}

fn widened(width: &mut usize, text: &str) -> String {
    *width = (*width).max(text.chars().count()).min(WIDTH_MAX);
    format!("{text:<width$}", width = *width)
}

fn style_of(outcome: &str) -> Style {
    match outcome {
        "committed" | "answered" | "published" => GOOD,
        "replayed" => AGAIN,
        "dead_lettered" => LOST,
        _ => LATER,
    }
}

/// `10:00:00.123` of an RFC 3339 time, in its own offset.
fn time_of_day(timestamp: &str) -> String {
    match chrono::DateTime::parse_from_rfc3339(timestamp) {
        Ok(time) => time.format("%H:%M:%S%.3f").to_string(),
        Err(_) => timestamp.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(subject: &str) -> Hop {
        Hop {
            timestamp: "2026-11-20T10:00:00.123456Z".to_owned(),
            function: "reserve-stock".to_owned(),
            event_type: "order.placed.v1".to_owned(),
            subject: subject.to_owned(),
            outcome: "retried".to_owned(),
            attempt: Some(2),
            duration_ms: Some(3.25),
            count: None,
            reason: Some("stock moved".to_owned()),
        }
    }

    fn plain(line: &str) -> String {
        anstream::adapter::strip_str(line).to_string()
    }

    #[test]
    fn a_hop_is_a_row() {
        let row = plain(&Columns::default().line(&hop("ord_1")));
        let expected = "10:00:00.123  reserve-stock       order.placed.v1         ord_1           retried        2     3.2 ms  stock moved";
        assert_eq!(row, expected);
    }

    #[test]
    fn a_message_of_several_lines_stays_in_its_column() {
        let text = plain(&Columns::default().other("reserve-stock", Some(Level::Error), "one\ntwo"));
        let (first, second) = text.split_once('\n').unwrap();
        assert_eq!(first.find("one"), second.find("two"));
    }

    #[test]
    fn columns_widen_and_stay_aligned() {
        let mut columns = Columns::default();
        let long = plain(&columns.line(&hop("ord_01HZX3V9Q1E2R3T4Y5U6")));
        let short = plain(&columns.line(&hop("ord_1")));
        assert_eq!(long.find("retried"), short.find("retried"));
    }
}
