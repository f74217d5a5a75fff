//! What a target receives instead of the whole event: `Input`, `InputPath`, `InputTransformer`.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::EventsError;
use super::event::Event;

/// Variables one transformer may define.
const PATHS_MAX: usize = 100;

/// Length of a template in characters.
const TEMPLATE_MAX_CHARS: usize = 8192;

/// Variables that exist without a path.
const PREDEFINED: [&str; 5] = [
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
];

/// What a target receives instead of the whole event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// `Input`: this JSON text, whatever the event.
    Constant(String),
    /// `InputPath`: the part of the event at this path.
    Path(String),
    /// `InputTransformer`.
    Transformer {
        /// `InputPathsMap`: variable → path.
        paths: BTreeMap<String, String>,
        /// `InputTemplate`, with `<variable>`s.
        template: String,
    },
}

/// The rule an event came through, for the predefined variables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) rule_arn: &'a str,
    pub(super) rule_name: &'a str,
}

impl Input {
    pub(super) fn check(&self) -> Result<(), EventsError> {
        match self {
            Self::Constant(text) => serde_json::from_str::<Value>(text)
                .map(drop)
                .map_err(|error| EventsError::validation(format!("Input is not valid JSON: {error}"))),
            Self::Path(path) => check_path(path),
            Self::Transformer { paths, template } => {
                if paths.len() > PATHS_MAX {
                    return Err(EventsError::validation(format!("InputPathsMap has more than {PATHS_MAX} variables")));
                }
                if template.is_empty() || template.chars().count() > TEMPLATE_MAX_CHARS {
                    return Err(EventsError::validation(format!(
                        "InputTemplate must have 1 to {TEMPLATE_MAX_CHARS} characters"
                    )));
                }
                if let Some(name) = paths.keys().find(|name| name.to_ascii_lowercase().starts_with("aws")) {
                    return Err(EventsError::validation(format!(
                        "InputPathsMap may not define the reserved name {name}"
                    )));
                }
                paths.values().try_for_each(|path| check_path(path))?;
                let unknown = variables(template)
                    .into_iter()
                    .find(|name| !paths.contains_key(*name) && !PREDEFINED.contains(name));
                match unknown {
                    Some(name) => {
                        Err(EventsError::validation(format!("InputTemplate uses <{name}>, which is not defined")))
                    }
                    None => Ok(()),
                }
            }
        }
    }

    /// The text the target receives for `event`.
    pub(super) fn apply(&self, event: &Event, origin: Origin<'_>) -> String {
        match self {
            Self::Constant(text) => text.clone(),
            Self::Path(path) => at(&event.value, path).unwrap_or(Value::Null).to_string(),
            Self::Transformer { paths, template } => fill(template, |name| value_of(name, paths, event, origin)),
        }
    }
}

fn value_of(name: &str, paths: &BTreeMap<String, String>, event: &Event, origin: Origin<'_>) -> Option<Value> {
    Some(match name {
        "aws.events.rule-arn" => Value::from(origin.rule_arn),
        "aws.events.rule-name" => Value::from(origin.rule_name),
        "aws.events.event.ingestion-time" => {
            Value::from(event.ingested_at.to_rfc3339_opts(SecondsFormat::Millis, true))
        }
        "aws.events.event.json" => event.value.clone(),
        "aws.events.event" => {
            let mut without_detail = event.value.clone();
            without_detail.as_object_mut().map(|fields| fields.remove("detail"));
            without_detail
        }
        name => at(&event.value, paths.get(name)?)?,
    })
}

/// The variables of a template, in order. `<` without a `>` after a name is text.
fn variables(template: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        if let Some(name) = variable(rest) {
            found.push(name);
            rest = &rest[name.len() + 1..];
        }
    }
    found
}

/// The variable's name, if `rest` continues as `name>`.
fn variable(rest: &str) -> Option<&str> {
    let name = &rest[..rest.find('>')?];
    let named = |c: char| c.is_alphanumeric() || "._-".contains(c);
    (!name.is_empty() && name.chars().all(named)).then_some(name)
}

/// Fills the variables in. Inside a JSON string a value becomes text, escaped; elsewhere in a JSON template it becomes
/// JSON, quotes and all; a template that is plain text takes strings as they are. A missing value leaves nothing.
fn fill(template: &str, value_of: impl Fn(&str) -> Option<Value>) -> String {
    let plain = !template.trim_start().starts_with(['{', '[', '<', '"']);
    let mut filled = String::with_capacity(template.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut rest = template;
    while let Some(next) = rest.chars().next() {
        let after = &rest[next.len_utf8()..];
        if let Some(name) = (next == '<').then(|| variable(after)).flatten() {
            let value = value_of(name);
            match value {
                Some(Value::String(text)) if plain => filled.push_str(&text),
                Some(value) if quoted => filled.push_str(&inside_string(&value)),
                Some(value) => filled.push_str(&value.to_string()),
                None if quoted || plain => {}
                // Nothing at all would not be JSON.
                None => filled.push_str("\"\""),
            }
            rest = &after[name.len() + 1..];
            continue;
        }
        quoted ^= next == '"' && !escaped && !plain;
        escaped = next == '\\' && !escaped;
        filled.push(next);
        rest = after;
    }
    filled
}

fn inside_string(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let quoted = Value::String(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

enum Step<'a> {
    Name(&'a str),
    Index(usize),
    Every,
}

fn check_path(path: &str) -> Result<(), EventsError> {
    steps(path).map(drop).ok_or_else(|| {
        EventsError::validation(format!(
            "Invalid JSON path {path}: supported are $, .name, [0], [*] and .*, as EventBridge documents"
        ))
    })
}

fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    for segment in rest.split_terminator('.').enumerate().filter(|(at, segment)| *at > 0 || !segment.is_empty()) {
        let (at, segment) = segment;
        let (name, mut indices) = segment.split_at(segment.find('[').unwrap_or(segment.len()));
        match name {
            "*" => steps.push(Step::Every),
            "" if at == 0 => {}
            "" => return None,
            name if at == 0 || name.contains(['\'', '"', '?', '@', '(']) => return None,
            name => steps.push(Step::Name(name)),
        }
        while let Some(inner) = indices.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            steps.push(if index == "*" { Step::Every } else { Step::Index(index.parse().ok()?) });
            indices = after;
        }
        if !indices.is_empty() {
            return None;
        }
    }
    (!rest.ends_with('.')).then_some(steps)
}

/// The value at `path`; a wildcard gives an array of what it finds.
fn at(event: &Value, path: &str) -> Option<Value> {
    let steps = steps(path)?;
    let many = steps.iter().any(|step| matches!(step, Step::Every));
    let mut found = vec![event];
    for step in steps {
        found = found
            .into_iter()
            .flat_map(|value| match (&step, value) {
                (Step::Name(name), value) => value.get(name).into_iter().collect(),
                (Step::Index(index), value) => value.get(index).into_iter().collect(),
                (Step::Every, Value::Array(items)) => items.iter().collect(),
                (Step::Every, Value::Object(fields)) => fields.values().collect(),
                (Step::Every, _) => Vec::new(),
            })
            .collect();
    }
    if many { Some(Value::Array(found.into_iter().cloned().collect())) } else { found.pop().cloned() }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
