//! What was found, for people and for programs.

use std::fmt::Write;
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::finding::{Finding, Severity};

const HEADING: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default();

/// How many there are of each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) errors: usize,
    pub(super) warnings: usize,
    pub(super) notes: usize,
}

impl Counts {
    pub(super) fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note) }
    }

    /// Whether the check fails: notes are for knowing.
    pub(super) fn fail(self) -> bool {
        self.errors + self.warnings > 0
    }
}

/// For people: by resource, in the template's order, with the count at the end.
pub(super) fn text(template: &Path, functions: usize, findings: &[Finding]) -> String {
    let mut text = String::new();
    let mut resources: Vec<&str> = Vec::new();
    for finding in findings {
        if !resources.contains(&finding.resource.as_str()) {
            resources.push(&finding.resource);
        }
    }
    for resource in resources {
        let _ = writeln!(text, "{HEADING}{}{HEADING:#}", printable(resource));
        for finding in findings.iter().filter(|finding| finding.resource == resource) {
            text.push_str(&one(template, finding));
        }
        text.push('\n');
    }
    text.push_str(&summary(template, functions, Counts::of(findings)));
    text
}

/// One line for each finding.
pub(super) fn lines(template: &Path, findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let Finding { rule, severity, file, line, resource, message, .. } = finding;
        let (style, word) = word(*severity);
        let file = file.as_deref().unwrap_or(template).display();
        let (resource, message) = (printable(resource), printable(message));
        format!("{style}{word}{style:#} {file}:{line} {resource}: {message} {DIM}{rule}{DIM:#}")
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn word(severity: Severity) -> (Style, &'static str) {
    match severity {
        Severity::Error => (ERROR, "error"),
        Severity::Warning => (WARNING, "warning"),
        Severity::Note => (DIM, "note"),
    }
}

/// One finding: where and what, and below it what to write.
fn one(template: &Path, finding: &Finding) -> String {
    let Finding { rule, severity, file, line, message, help, .. } = finding;
    let (style, word) = word(*severity);
    let file = file.as_deref().unwrap_or(template).display();
    let (message, help) = (printable(message), printable(help));
    let mut text = format!("  {style}{word}{style:#} {file}:{line} {DIM}{rule}{DIM:#}\n      {message}\n");
    if !help.is_empty() {
        let _ = writeln!(text, "      {DIM}→{DIM:#} {help}");
    }
    text
}

fn summary(template: &Path, functions: usize, counts: Counts) -> String {
    let Counts { errors, warnings, notes } = counts;
    let number = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let told: Vec<_> =
        [number(errors, "error"), number(warnings, "warning"), number(notes, "note")].into_iter().flatten().collect();
    let what =
        format!("{} and {}", template.display(), number(functions, "function").unwrap_or("no function".to_owned()));
    let style = if errors > 0 {
        ERROR
    } else if warnings > 0 {
        WARNING
    } else {
        GOOD
    };
    let told = if told.is_empty() { "nothing found".to_owned() } else { told.join(", ") };
    format!("{style}{told}{style:#}: {what} held to each other")
}

/// How the line begins that says why nothing was checked.
pub(super) fn not_checked() -> String {
    format!("{ERROR}error{ERROR:#}")
}

/// For programs, if nothing was checked: why, and what is wrong with the template if that is why.
pub(super) fn failure(template: &Path, error: &str, findings: &[Finding]) -> Value {
    let mut document = json(template, 0, findings);
    document["error"] = json!(error);
    document
}

/// For programs: one document.
pub(super) fn json(template: &Path, functions: usize, findings: &[Finding]) -> Value {
    let Counts { errors, warnings, notes } = Counts::of(findings);
    let with_file = |finding: &Finding| {
        let mut entry = json!(finding);
        entry["file"] = json!(finding.file.as_deref().unwrap_or(template));
        entry
    };
    json!({
        "template": template,
        "functions": functions,
        "findings": findings.iter().map(with_file).collect::<Vec<_>>(),
        "errors": errors,
        "warnings": warnings,
        "notes": notes,
    })
}

/// Names come from templates and binaries: what a terminal would obey is shown, not sent.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(resource: &str, line: usize, severity: Severity) -> Finding {
        let at = (resource, line);
        let found = Finding::new(severity, at, "the queue\u{1b}[2J is lost".to_owned(), "write `A: b`".to_owned());
        Finding { rule: "a-rule", ..found }
    }

    #[test]
    fn findings_are_grouped_by_resource_and_counted_at_the_end() {
        let findings = [
            finding("A", 3, Severity::Error),
            finding("B", 4, Severity::Note),
            Finding { file: Some("Cargo.toml".into()), ..finding("A", 5, Severity::Warning) },
        ];
        let text = anstream::adapter::strip_str(&text(Path::new("t.yaml"), 2, &findings)).to_string();
        let message = "      the queue\\u{1b}[2J is lost\n      → write `A: b`\n";
        let expected = format!(
            "A\n  error t.yaml:3 a-rule\n{message}  warning Cargo.toml:5 a-rule\n{message}\nB\n  note t.yaml:4 \
             a-rule\n{message}\n1 error, 1 warning, 1 note: t.yaml and 2 functions held to each other"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn the_document_has_every_finding_with_its_file() {
        let document = json(Path::new("t.yaml"), 1, &[finding("A", 3, Severity::Error)]);
        let expected = json!({
            "template": "t.yaml",
            "functions": 1,
            "findings": [{
                "rule": "a-rule", "severity": "error", "file": "t.yaml", "line": 3, "resource": "A",
                "message": "the queue\u{1b}[2J is lost", "help": "write `A: b`",
            }],
            "errors": 1,
            "warnings": 0,
            "notes": 0,
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn notes_alone_do_not_make_it_fail() {
        assert!(!Counts::of(&[finding("A", 1, Severity::Note)]).fail());
        assert!(Counts::of(&[finding("A", 1, Severity::Warning)]).fail());
        assert!(!Counts::of(&[]).fail());
    }
}
