//! The table.

use std::fmt::Write as _;
use std::time::Duration;

use crate::workload::{Figures, IN_FLIGHT};

/// The middle value; of an even number, the upper of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value below which 99 of 100 are.
fn p99(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(f64::NAN)
}

fn millis(durations: &[Duration]) -> Vec<f64> {
    durations.iter().map(|duration| duration.as_secs_f64() * 1e3).collect()
}

/// What a row says, its unit, and how its value is found.
type Row = (String, &'static str, fn(&Figures) -> f64);

/// A table in Markdown; each further cloud in relation to the first.
pub(crate) fn table(figures: &[Figures]) -> String {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let in_flight = |what: &str| format!("{what}, {IN_FLIGHT} in flight");
    let rows: [Row; 7] = [
        ("SQS send, receive, delete".to_owned(), "requests/s", |it| median(it.sqs.clone())),
        (in_flight("SQS send, receive, delete"), "requests/s", |it| median(it.sqs_in_flight.clone())),
        ("event to queue".to_owned(), "events/s", |it| median(it.events.clone())),
        (in_flight("event to queue"), "events/s", |it| median(it.events_in_flight.clone())),
        ("event to queue: median time".to_owned(), "ms", |it| median(millis(&it.latencies))),
        ("event to queue: 99th percentile".to_owned(), "ms", |it| p99(millis(&it.latencies))),
        ("ready after the start".to_owned(), "ms", |it| median(millis(&it.ready))),
    ];
    let mut rows: Vec<_> = rows
        .into_iter()
        .map(|(what, unit, value)| (what, unit, figures.iter().map(value).collect::<Vec<_>>()))
        .collect();
    let memory = |value: fn(&Figures) -> u64| figures.iter().map(|it| megabytes(value(it))).collect::<Vec<_>>();
    rows.push(("memory, idle".to_owned(), "MB", memory(|it| it.idle_bytes)));
    rows.push(("memory, after the run".to_owned(), "MB", memory(|it| it.busy_bytes)));

    let names = figures.iter().map(|figures| figures.name).collect::<Vec<_>>().join(" | ");
    let mut table = format!("| | unit | {names} |\n| --- | --- |{}\n", " ---: |".repeat(figures.len()));
    for (what, unit, values) in rows {
        let _ = write!(table, "| {what} | {unit} |");
        for (index, value) in values.iter().enumerate() {
            let digits = usize::from(*value < 100.0);
            let ratio = if index == 0 { String::new() } else { format!(" (× {:.2})", value / values[0]) };
            let _ = write!(table, " {value:.digits$}{ratio} |");
        }
        table.push('\n');
    }
    table
}
