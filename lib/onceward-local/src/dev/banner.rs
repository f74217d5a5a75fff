//! What is printed once everything runs.

use std::fmt::Write;
use std::time::Duration;

use anstyle::{AnsiColor, Style};

use super::demo::Demo;
use super::hop::readable;
use super::other;
use crate::cloud::{Cloud, Warmed};
use crate::escape;
use crate::template::{Function, Rule, Stack, Trigger};

const HEADING: Style = Style::new().bold();
const ADDRESS: Style = AnsiColor::Cyan.on_default();
const FAILED: Style = AnsiColor::Red.on_default();

/// Columns of the table of functions: what every terminal has.
const WIDTH: usize = 80;

/// The progress line of one function.
pub(super) fn warmed(warmed: &Warmed) -> String {
    let function = escape::line(&warmed.function);
    match &warmed.outcome {
        Ok(()) => format!("  started {function} in {} ms", warmed.took.as_millis()),
        Err(_) => format!("  {FAILED}did not start{FAILED:#}: {function}"),
    }
}

/// Said last, so that nobody has to look for it: what keeps a function from starting.
pub(super) fn broken(warmed: &Warmed) -> Option<String> {
    let error = warmed.outcome.as_ref().err()?;
    Some(format!("{FAILED}{}{FAILED:#}\n", escape::lines(&readable(&error.to_string()))))
}

/// Addresses, functions and what to try.
pub(super) fn ready(cloud: &Cloud, demo: Option<&Demo>, took: Duration) -> String {
    let stack = cloud.stack();
    let mut text = format!("\n{HEADING}Ready{HEADING:#} {} ms after the build\n\n", took.as_millis());
    let mut addresses = match cloud.remote() {
        None => vec![("AWS endpoint", cloud.aws_url(), "any credentials, region us-east-1".to_owned())],
        Some(remote) => vec![
            ("AWS endpoint", remote.account().endpoint.as_str(), other::note(remote)),
            ("Lambda API", cloud.aws_url(), "the functions here, and nothing else".to_owned()),
        ],
    };
    addresses.push(("HTTP API", cloud.http_url(), String::new()));
    addresses.push(("Payment gateway", cloud.gateway_url(), "sandbox; charges: GET /v1/payments".to_owned()));
    for (name, url, note) in addresses {
        let line = format!("  {name:<16} {ADDRESS}{url}{ADDRESS:#}  {note}");
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let width = stack.functions.iter().map(|function| function.name.len()).max().unwrap_or_default().max(8);
    let _ = writeln!(text, "\n  {HEADING}{:<width$}  triggered by{HEADING:#}", "function");
    for function in &stack.functions {
        let triggers = wrapped(&escape::line(&triggers(stack, function)), WIDTH.saturating_sub(width + 4));
        let name = escape::line(&function.name);
        let _ = writeln!(text, "  {name:<width$}  {}", triggers.join(&format!("\n{:1$}", "", width + 4)));
    }
    if let Some(line) = demo.and_then(|demo| demo.try_line(cloud.http_url())) {
        let _ = write!(text, "\nTry:\n\n{}\n", escape::lines(&line));
    }
    text.push_str("\nCtrl-C stops everything. From here on, a line for each hop of an event:\n");
    text
}

/// `text` in lines of at most `width` characters, broken at spaces. A longer word has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn triggers(stack: &Stack, function: &Function) -> String {
    let arn = format!(":function:{}", function.name);
    let rules = stack.rules.iter().filter(|rule| rule.targets.iter().any(|target| target.arn.ends_with(&arn)));
    let schedules = stack.schedules.iter().filter(|schedule| schedule.target.arn.ends_with(&arn));
    let mut triggers: Vec<_> = function.triggers.iter().map(|trigger| describe(stack, function, trigger)).collect();
    triggers.extend(rules.flat_map(event_types));
    triggers.extend(schedules.map(|schedule| schedule.schedule_expression.clone()));
    if triggers.is_empty() { "Invoke only".to_owned() } else { triggers.join(", ") }
}

fn describe(stack: &Stack, function: &Function, trigger: &Trigger) -> String {
    match trigger {
        Trigger::Http { method, path } => format!("{method} {path}"),
        Trigger::Topic(subscription) => {
            let name = subscription.topic_arn.rsplit(':').next().unwrap_or_default();
            format!("topic {name}")
        }
        Trigger::Stream { table, .. } => format!("stream of table {table}"),
        Trigger::Sqs { queue_arn, .. } => {
            let queue = queue_arn.rsplit(':').next().unwrap_or(queue_arn);
            let rules = stack.rules.iter().filter(|rule| rule.targets.iter().any(|target| target.arn == *queue_arn));
            let events: Vec<_> = rules.flat_map(event_types).collect();
            match events.join(", ") {
                events if events.is_empty() => format!("queue {queue}"),
                // As is the custom: the queue has its reader's name.
                events if queue == function.name => events,
                events => format!("{events} (queue {queue})"),
            }
        }
    }
}

/// The event types a rule's pattern names; a pattern without any is shown as it is, and so is a schedule.
fn event_types(rule: &Rule) -> Vec<String> {
    let Rule { pattern, schedule, .. } = rule;
    if let Some(schedule) = schedule.as_ref().filter(|_| pattern.is_null()) {
        return vec![schedule.clone()];
    }
    let Some(types) = pattern["detail-type"].as_array() else {
        return vec![format!("events that match {pattern}")];
    };
    types.iter().map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn long_lists_are_wrapped_between_words() {
        assert_eq!(wrapped("a.v1, b.v1, c.v1", 11), ["a.v1, b.v1,", "c.v1"]);
        assert_eq!(wrapped("POST /a-path-that-is-long", 6), ["POST", "/a-path-that-is-long"]);
    }

    #[test]
    fn a_rule_is_told_by_its_event_types() {
        let mut rule = Rule {
            logical_id: String::new(),
            name: String::new(),
            bus: String::new(),
            pattern: json!({"detail-type": ["a.v1", {"prefix": "b."}]}),
            schedule: None,
            enabled: true,
            targets: Vec::new(),
        };
        assert_eq!(event_types(&rule), ["a.v1", r#"{"prefix":"b."}"#]);
        rule.pattern = json!({"source": ["shop"]});
        assert_eq!(event_types(&rule), [r#"events that match {"source":["shop"]}"#]);
        (rule.pattern, rule.schedule) = (Value::Null, Some("rate(1 day)".to_owned()));
        assert_eq!(event_types(&rule), ["rate(1 day)"]);
    }
}
