//! Hops as aligned, coloured lines.

use anstyle::{AnsiColor, Style};

use super::hop::{Hop, Level};
use crate::escape;

const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const AGAIN: Style = AnsiColor::Cyan.on_default();
const LATER: Style = AnsiColor::Yellow.on_default();
const LOST: Style = AnsiColor::Red.on_default().bold();

/// `10:00:00.123`
const TIME_WIDTH: usize = 12;
/// A longer word is shown in full and widens its column up to here, so that one word does not push all lines apart.
const WIDTH_MAX: usize = 40;
/// A terminal with fewer columns gets narrow rows.
const NARROW_BELOW: usize = 116;
/// A subject is never cut shorter: `ord_1…89ab`.
const SUBJECT_WIDTH_MIN: usize = 10;

/// The widths of the columns so far. They grow with what they have to hold.
#[derive(Debug)]
pub(super) struct Columns {
    function: usize,
    event_type: usize,
    subject: usize,
    outcome: usize,
}

impl Default for Columns {
    fn default() -> Self {
        Self { function: 17, event_type: 21, subject: 14, outcome: 9 }
    }
}

impl Columns {
    /// Time, function, event type, subject, outcome, attempt, milliseconds, and what else there is to say. A `terminal`
    /// of so many columns that the row does not fit gets a shorter subject; a small one, tighter columns as well.
    pub(super) fn line(&mut self, hop: &Hop, terminal: Option<usize>) -> String {
        let hop = &hop.escaped();
        let narrow = terminal.is_some_and(|width| width < NARROW_BELOW);
        let (gap, time_format, decimals) = if narrow { (" ", "%H:%M:%S", 0) } else { ("  ", "%H:%M:%S%.3f", 1) };
        let attempt = hop.attempt.map_or_else(String::new, |attempt| attempt.to_string());
        let duration = hop.duration_ms.map_or_else(String::new, |duration| format!("{duration:.decimals$} ms"));
        let duration_width = if narrow { 6 } else { 9 };
        let before = [
            format!("{DIM}{}{DIM:#}", time_of_day(&hop.timestamp, time_format)),
            widened(&mut self.function, &hop.function),
            widened(&mut self.event_type, &hop.event_type),
        ];
        let style = style_of(&hop.outcome);
        let after = [
            format!("{style}{}{style:#}", widened(&mut self.outcome, &hop.outcome)),
            format!("{attempt:>2}"),
            format!("{duration:>duration_width$}"),
        ];
        let taken: usize = before.iter().chain(&after).map(|column| width_of(column) + gap.len()).sum();
        let room = terminal.map_or(WIDTH_MAX, |width| width.saturating_sub(taken).max(SUBJECT_WIDTH_MIN));
        self.subject = self.subject.max(hop.subject.chars().count()).min(WIDTH_MAX);
        let width = self.subject.min(room);
        let subject = format!("{:<width$}", shortened(&hop.subject, width));
        let columns = before.into_iter().chain([subject]).chain(after);
        let columns: Vec<_> = columns.chain(hop.reason.clone()).collect();
        columns.join(gap).trim_end().to_owned()
    }

    /// A line that is no hop, with its function's name in front.
    pub(super) fn other(&mut self, function: &str, level: Option<Level>, message: &str) -> String {
        let (function, message) = (&escape::line(function), &escape::lines(message));
        let style = match level {
            Some(Level::Error) => LOST,
            Some(Level::Warn) => LATER,
            Some(Level::Quiet) | None => DIM,
        };
        let function = widened(&mut self.function, function);
        // Further lines of a message begin where the first one did.
        let message = message.replace('\n', &format!("\n{:1$}", "", TIME_WIDTH + function.chars().count() + 4));
        format!("{:TIME_WIDTH$}  {function}  {style}{message}{style:#}", "")
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

/// Columns that `text` takes, colours aside.
fn width_of(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(|part| part.chars().count()).sum()
}

/// `text`, or its beginning and its end if it is longer than `width`: ids differ at their ends.
fn shortened(text: &str, width: usize) -> String {
    let characters: Vec<_> = text.chars().collect();
    if characters.len() <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let (head, tail) = (kept - kept / 2, kept / 2);
    characters[..head].iter().chain(&['…']).chain(&characters[characters.len() - tail..]).collect()
}

/// `10:00:00.123` of an RFC 3339 time, in its own offset.
fn time_of_day(timestamp: &str, format: &str) -> String {
    match chrono::DateTime::parse_from_rfc3339(timestamp) {
        Ok(time) => time.format(format).to_string(),
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
            reason: Some("stock moved".to_owned()),
        }
    }

    fn plain(line: &str) -> String {
        anstream::adapter::strip_str(line).to_string()
    }

    #[test]
    fn a_hop_is_a_row() {
        let row = plain(&Columns::default().line(&hop("ord_1"), None));
        let expected = "10:00:00.123  reserve-stock      order.placed.v1        ord_1           retried     2     3.2 ms  stock moved";
        assert_eq!(row, expected);
    }

    #[test]
    fn a_row_fits_the_terminal() {
        let id = "ord_d1dcbedb7bae4b3d87b2bf9c7c0f955e";
        let row = |terminal| {
            let hop = Hop { reason: None, outcome: "committed".to_owned(), ..hop(id) };
            plain(&Columns::default().line(&hop, terminal))
        };
        assert!(row(Some(120)).contains(id) && row(Some(120)).chars().count() <= 120, "{}", row(Some(120)));
        for width in [80, 100] {
            assert!(row(Some(width)).chars().count() <= width, "{}", row(Some(width)));
        }
        let expected = "10:00:00 reserve-stock     order.placed.v1       ord_d…f955e committed  2   3 ms";
        assert_eq!(row(Some(80)), expected);
        assert!(row(Some(0)).contains("ord_d…955e"), "a terminal that does not know its size");
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
        let long = plain(&columns.line(&hop("ord_01HZX3V9Q1E2R3T4Y5U6"), None));
        let short = plain(&columns.line(&hop("ord_1"), None));
        assert_eq!(long.find("retried"), short.find("retried"));
    }
}
