//! The table for people, for documents and for machines.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::behaviour::Behaviour;
use super::{Column, Verdict};

const HEADING: Style = Style::new().bold();
const DIFFERS: Style = AnsiColor::Red.on_default();
const REFUSED: Style = AnsiColor::Yellow.on_default();

/// What the signs mean.
const LEGEND: &str = "✓ as AWS documents, ✗ differs, – refused by name";

impl Verdict {
    fn sign(&self) -> &'static str {
        match self {
            Self::Kept => "✓",
            Self::Differs(_) => "✗",
            Self::Refused(_) => "–",
        }
    }

    fn seen(&self) -> Option<&str> {
        match self {
            Self::Kept => None,
            Self::Differs(seen) | Self::Refused(seen) => Some(seen),
        }
    }
}

/// The services in their order, each with the indices of its behaviours.
fn services(behaviours: &[Behaviour]) -> Vec<(&'static str, Vec<usize>)> {
    let mut services: Vec<(&'static str, Vec<usize>)> = Vec::new();
    for (index, behaviour) in behaviours.iter().enumerate() {
        match services.last_mut() {
            Some((service, indices)) if *service == behaviour.service => indices.push(index),
            _ => services.push((behaviour.service, vec![index])),
        }
    }
    services
}

/// Kept, differing and refused behaviours of one cloud.
fn counts(column: &Column, indices: &[usize]) -> [usize; 3] {
    let count = |sign: &str| indices.iter().filter(|index| column.verdicts[**index].sign() == sign).count();
    ["✓", "✗", "–"].map(count)
}

/// A table for a terminal, then the differences.
pub(super) fn text(behaviours: &[Behaviour], columns: &[Column]) -> String {
    let mut text = String::new();
    let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
    let width = behaviours.iter().map(|behaviour| behaviour.id.len()).max().unwrap_or_default();
    for (service, indices) in services(behaviours) {
        let _ = writeln!(text, "\n{HEADING}{service:<width$}{HEADING:#}    {}", names.join("  "));
        for index in indices {
            let behaviour = &behaviours[index];
            let _ = write!(text, "  {:<width$}", behaviour.id);
            for column in columns {
                let verdict = &column.verdicts[index];
                let style = match verdict {
                    Verdict::Kept => Style::new(),
                    Verdict::Differs(_) => DIFFERS,
                    Verdict::Refused(_) => REFUSED,
                };
                let _ = write!(text, "  {style}{:<1$}{style:#}", verdict.sign(), column.name.len());
            }
            let _ = writeln!(text, "  {}", behaviour.statement);
        }
    }
    let _ = writeln!(text, "\n{LEGEND}");
    for column in columns {
        let all: Vec<_> = (0..behaviours.len()).collect();
        let [kept, differs, refused] = counts(column, &all);
        let _ = writeln!(text, "{}: {kept} kept, {differs} differ, {refused} refused by name", column.name);
        for (behaviour, verdict) in behaviours.iter().zip(&column.verdicts) {
            if let Some(seen) = verdict.seen() {
                let (name, sign) = (behaviour.name(), verdict.sign());
                let _ = writeln!(text, "  {sign} {name}: {}", behaviour.statement);
                let _ = writeln!(text, "      {seen}\n      {}", behaviour.page);
            }
        }
    }
    text
}

/// A document: a summary by service, the whole table, and the differences.
pub(super) fn markdown(behaviours: &[Behaviour], columns: &[Column]) -> String {
    let mut text = String::new();
    let head = |first: &str| {
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        format!("| {first} | {} |\n| --- |{}\n", names.join(" | "), " --- |".repeat(columns.len()))
    };
    let _ = write!(text, "{LEGEND}.\n\n{}", head("service"));
    let all = ("all", (0..behaviours.len()).collect::<Vec<_>>());
    for (service, indices) in services(behaviours).into_iter().chain([all]) {
        let _ = write!(text, "| {service} |");
        for column in columns {
            let [kept, differs, refused] = counts(column, &indices);
            let _ = write!(text, " {kept} ✓");
            for (count, sign) in [(differs, "✗"), (refused, "–")] {
                if count > 0 {
                    let _ = write!(text, ", {count} {sign}");
                }
            }
            text.push_str(" |");
        }
        text.push('\n');
    }
    for (service, indices) in services(behaviours) {
        let _ = write!(text, "\n## {service}\n\n{}", head("behaviour"));
        for index in indices {
            let behaviour = &behaviours[index];
            let signs: Vec<_> = columns.iter().map(|it| it.verdicts[index].sign()).collect();
            let signs = signs.join(" | ");
            let _ = writeln!(text, "| [`{}`]({}): {} | {signs} |", behaviour.id, behaviour.page, behaviour.statement);
        }
    }
    for column in columns {
        let _ = writeln!(text, "\n## Differences of {}\n", column.name);
        let differing = behaviours.iter().zip(&column.verdicts).filter_map(|(it, verdict)| Some((it, verdict.seen()?)));
        let mut lines = differing
            .map(|(it, seen)| format!("- [`{}`]({}): {}\n", it.name(), it.page, seen.replace(['<', '>', '|'], " ")))
            .peekable();
        if lines.peek().is_none() {
            text.push_str("None.\n");
        }
        text.extend(lines);
    }
    text
}

/// A line for each behaviour.
pub(super) fn json(behaviours: &[Behaviour], columns: &[Column]) -> String {
    let line = |(index, behaviour): (usize, &Behaviour)| {
        let clouds: serde_json::Map<_, Value> = columns
            .iter()
            .map(|column| {
                let verdict = &column.verdicts[index];
                let name = match verdict {
                    Verdict::Kept => "kept",
                    Verdict::Differs(_) => "differs",
                    Verdict::Refused(_) => "refused",
                };
                (column.name.clone(), json!({"verdict": name, "seen": verdict.seen()}))
            })
            .collect();
        let Behaviour { service, id, statement, page, .. } = behaviour;
        format!("{}\n", json!({"service": service, "id": id, "statement": statement, "page": page, "clouds": clouds}))
    };
    behaviours.iter().enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::behaviour::{List, Outcome};
    use crate::conformance::session::Session;

    async fn unasked(_: Session) -> Outcome {
        Ok(())
    }

    /// Two behaviours and two clouds, which differ in the second.
    fn surveyed() -> (Vec<Behaviour>, Vec<Column>) {
        let list = List::new("SQS", "https://docs.aws.amazon.com/sqs/").add("one", "It does one", "a.html", unasked);
        let behaviours = list.add("two", "It does two", "b.html", unasked).done();
        let column = |name: &str, second| Column { name: name.to_owned(), verdicts: vec![Verdict::Kept, second] };
        let differs = Verdict::Differs("it did three".to_owned());
        let refused = Verdict::Refused("not here".to_owned());
        (behaviours, vec![column("embedded", differs), column("other", refused)])
    }

    #[test]
    fn people_see_each_difference_with_what_was_seen_and_the_page() {
        let (behaviours, columns) = surveyed();
        let text = text(&behaviours, &columns);
        assert!(text.contains("embedded: 1 kept, 1 differ, 0 refused by name"), "{text}");
        assert!(
            text.contains("✗ SQS/two: It does two\n      it did three\n      https://docs.aws.amazon.com/sqs/b.html")
        );
        assert!(text.contains("– SQS/two"), "{text}");
    }

    #[test]
    fn documents_have_a_row_for_each_behaviour_and_a_summary() {
        let (behaviours, columns) = surveyed();
        let text = markdown(&behaviours, &columns);
        assert!(text.contains("| SQS | 1 ✓, 1 ✗ | 1 ✓, 1 – |"), "{text}");
        assert!(text.contains("| [`two`](https://docs.aws.amazon.com/sqs/b.html): It does two | ✗ | – |"), "{text}");
    }

    #[test]
    fn machines_get_an_object_for_each_behaviour() {
        let (behaviours, columns) = surveyed();
        let lines = json(&behaviours, &columns);
        let second: Value = serde_json::from_str(lines.lines().nth(1).unwrap()).unwrap();
        assert_eq!(second["clouds"]["embedded"], json!({"verdict": "differs", "seen": "it did three"}));
        assert_eq!(second["clouds"]["other"]["verdict"], "refused");
    }
}
