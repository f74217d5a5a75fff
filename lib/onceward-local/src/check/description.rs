//! What a function's binary says about itself, when it is asked: one line of JSON, form 1.

use serde::Deserialize;

/// The form that is read here. Members that it does not know are ignored: a later form adds, and takes nothing away.
pub(crate) const FORM: u32 = 1;

/// A function, as its binary describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Description {
    /// That it is one, and in which form.
    pub(crate) onceward: Form,
    /// What its ledger records begin with; empty if it cannot say.
    #[serde(default)]
    pub(crate) name: String,
    /// What it is.
    #[serde(default)]
    pub(crate) kind: Kind,
    /// How it commits, if it does.
    pub(crate) mode: Option<Mode>,
    /// The `source` of what it publishes.
    pub(crate) source: Option<String>,
    /// Types of the events that it handles.
    #[serde(default)]
    pub(crate) handles: Vec<EventType>,
    /// Types of the events that it publishes.
    #[serde(default)]
    pub(crate) publishes: Vec<EventType>,
    /// Tables besides the ledger's.
    #[serde(default)]
    pub(crate) tables: Vec<Table>,
    /// Variables that it reads.
    #[serde(default)]
    pub(crate) variables: Vec<Variable>,
    /// Whether it answers which messages or records failed.
    #[serde(default)]
    pub(crate) partial_failures: bool,
    /// How long its ledger records are kept.
    pub(crate) retention_seconds: Option<u64>,
    /// Names of the circuit breakers it uses.
    #[serde(default)]
    pub(crate) circuit_breakers: Vec<String>,
    /// How long it needs.
    #[serde(default)]
    pub(crate) timeouts: Timeouts,
    /// Why the description may lack something; none if it is whole.
    pub(crate) incomplete: Option<String>,
}

/// Which form of description it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Form {
    /// 1.
    pub(crate) description: u32,
}

/// What a function is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// It handles events.
    Function,
    /// It answers requests that change something.
    Command,
    /// It answers requests that read.
    Query,
    /// It publishes the outbox.
    Relay,
    /// One that this version does not know, or that the function cannot say.
    #[default]
    #[serde(other)]
    Other,
}

/// How a function commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Effects and record in one transaction.
    Transactional,
    /// The key is claimed before the handler runs.
    Guarded,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

/// A type of events.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct EventType {
    /// Such as `order.placed.v1`.
    #[serde(rename = "type")]
    pub(crate) name: String,
}

/// A table that a handler reads or writes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Table {
    /// Its logical name.
    pub(crate) name: String,
    /// The variable with its physical name.
    pub(crate) variable: String,
    /// What is done with it.
    pub(crate) access: Access,
}

/// What is done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    /// Rows are read.
    Read,
    /// Rows are put, updated or deleted.
    Write,
    /// One that this version does not know.
    #[serde(other)]
    Other,
}

/// A variable that the function reads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Whether the function does not start without it.
    #[serde(default = "yes")]
    pub(crate) required: bool,
}

fn yes() -> bool {
    true
}

/// How long a function needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Timeouts {
    /// The shortest timeout that it can work with, in seconds.
    pub(crate) seconds_min: Option<u64>,
}

impl Description {
    /// Reads what a binary has printed; the reason, if it is no description.
    pub(crate) fn parse(printed: &str) -> Result<Self, String> {
        let line = printed.lines().find(|line| !line.trim().is_empty()).ok_or("it printed nothing")?;
        let value: serde_json::Value = serde_json::from_str(line).map_err(|_| "what it printed is no JSON")?;
        match value["onceward"]["description"].as_u64() {
            None => return Err("what it printed does not describe an Onceward function".to_owned()),
            Some(form) if form < u64::from(FORM) => return Err(format!("its description has the unknown form {form}")),
            Some(_) => {}
        }
        let said: Self =
            serde_json::from_value(value).map_err(|error| format!("its description cannot be read: {error}"))?;
        // A function that could not be made to be asked has no more to say than why.
        if said.name.is_empty() && said.incomplete.is_none() {
            return Err("its description cannot be read: it has no name".to_owned());
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"{"onceward":{"description":1},"name":"f","kind":"function"}"#;

    #[test]
    fn a_later_form_is_read_as_far_as_it_is_known() {
        let line = r#"{"onceward":{"description":2,"version":"9.0.0"},"name":"f","kind":"workflow","mode":"other",
            "handles":[{"type":"a.b.v1","schema":{}}],"news":true}"#;
        let description = Description::parse(&line.replace('\n', "")).unwrap();
        assert_eq!((description.kind, description.mode), (Kind::Other, Some(Mode::Other)));
        assert_eq!(description.handles[0].name, "a.b.v1");
        assert_eq!(Description::parse(LEAST).unwrap().timeouts, Timeouts::default());
    }

    #[test]
    fn a_function_that_cannot_say_what_it_is_says_why() {
        let line = r#"{"onceward":{"description":1},"incomplete":"a variable","variables":[{"name":"SECONDS"}]}"#;
        let description = Description::parse(line).unwrap();
        assert_eq!((description.kind, description.incomplete.as_deref()), (Kind::Other, Some("a variable")));
        assert_eq!(description.variables.len(), 1);
    }

    #[test]
    fn what_is_no_description_is_told_with_its_reason() {
        let reasons =
            ["", "starting\n", "{}", r#"{"onceward":{"description":0}}"#, r#"{"onceward":{"description":1}}"#];
        let reasons = reasons.map(|printed| Description::parse(printed).unwrap_err());
        assert_eq!(
            reasons[..4],
            [
                "it printed nothing",
                "what it printed is no JSON",
                "what it printed does not describe an Onceward function",
                "its description has the unknown form 0",
            ]
        );
        assert_eq!(reasons[4], "its description cannot be read: it has no name");
        let wrong = Description::parse(r#"{"onceward":{"description":1},"name":1}"#).unwrap_err();
        assert!(wrong.starts_with("its description cannot be read: invalid type"), "{wrong}");
    }
}
