//! The table, and the same as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    Samples, Subject,
    events::Workload,
    process::{Block, ColdStart},
};

/// A row: what was measured, its unit, and a value for each subject.
struct Row {
    what: String,
    unit: &'static str,
    values: Vec<f64>,
    /// The middle of the ratios to the first subject, each of two values measured one after the other.
    ratios: Vec<f64>,
}

fn rows(subjects: &[Subject<'_>], samples: &[Samples]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, workload) in Workload::ALL.into_iter().enumerate() {
        let blocks = |value: fn(&Block) -> f64| {
            samples.iter().map(|samples| samples.blocks[index].iter().map(value).collect()).collect::<Vec<Vec<_>>>()
        };
        rows.push(row(format!("CPU of an event: {}", workload.name()), "µs", &blocks(|block| block.cpu_micros)));
        #[expect(clippy::cast_precision_loss, reason = "some hundred bytes")]
        let bytes = blocks(|block| block.request_bytes as f64);
        rows.push(row(format!("request to DynamoDB: {}", workload.name()), "bytes", &bytes));
    }
    let cold = |value: fn(&ColdStart) -> std::time::Duration| {
        let millis = |cold: &ColdStart| value(cold).as_secs_f64() * 1e3;
        samples.iter().map(|samples| samples.cold.iter().map(millis).collect()).collect::<Vec<Vec<_>>>()
    };
    rows.push(row("cold start to the first GET next: CPU".to_owned(), "ms", &cold(|cold| cold.ready_cpu)));
    rows.push(row("cold start to the first GET next: time".to_owned(), "ms", &cold(|cold| cold.ready)));
    rows.push(row("cold start to the first answer: CPU".to_owned(), "ms", &cold(|cold| cold.answered_cpu)));
    rows.push(row("cold start to the first answer: time".to_owned(), "ms", &cold(|cold| cold.answered)));
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let sizes: Vec<_> = subjects.iter().map(|subject| vec![subject.program.bytes as f64 / 1e6]).collect();
    rows.push(row("binary, stripped".to_owned(), "MB", &sizes));
    rows
}

fn row(what: String, unit: &'static str, samples: &[Vec<f64>]) -> Row {
    let ratio =
        |values: &Vec<f64>| median(values.iter().zip(&samples[0]).map(|(value, floor)| value / floor).collect());
    let values = samples.iter().map(|values| median(values.clone())).collect();
    Row { what, unit, values, ratios: samples.iter().map(ratio).collect() }
}

/// The middle value; of an even number, the upper of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A table in Markdown.
pub(crate) fn table(subjects: &[Subject<'_>], samples: &[Samples]) -> String {
    let names = subjects.iter().map(|subject| subject.name).collect::<Vec<_>>().join(" | ");
    let mut table = format!("| | unit | {names} |\n| --- | --- |{}\n", " ---: |".repeat(subjects.len()));
    for row in rows(subjects, samples) {
        let cells = row.values.iter().zip(&row.ratios).enumerate().map(|(index, (value, ratio))| {
            let digits = match value {
                0.0..10.0 => 2,
                10.0..1_000.0 => 1,
                _ => 0,
            };
            let ratio = if index == 0 { String::new() } else { format!(" (× {ratio:.2})") };
            format!("{value:.digits$}{ratio}")
        });
        let cells = cells.collect::<Vec<_>>().join(" | ");
        writeln!(table, "| {} | {} | {cells} |", row.what, row.unit).expect("a String takes every write");
    }
    table
}

/// One object a row.
pub(crate) fn json(subjects: &[Subject<'_>], samples: &[Samples]) -> Value {
    let rows = rows(subjects, samples).into_iter().map(|row| {
        let values = subjects.iter().zip(row.values.iter().zip(&row.ratios));
        let values =
            values.map(|(subject, (value, ratio))| json!({ "subject": subject.name, "value": value, "ratio": ratio }));
        json!({ "what": row.what, "unit": row.unit, "values": values.collect::<Vec<_>>() })
    });
    rows.collect()
}
