//! What a function process is told by its environment, checked as far as it can be without a call.

mod rules;

use std::collections::HashMap;

use rules::{ANYTHING, BUS, QUEUE_URL as QUEUE_URL_RULE, REGION, Rule, TABLE, TOPIC_ARN};

use crate::RunError;

/// Name of the ledger's table.
pub(crate) const LEDGER_TABLE: &str = "LEDGER_TABLE";
/// URL of the queue that feeds the function.
pub(crate) const QUEUE_URL: &str = "QUEUE_URL";
/// URL of that queue's dead-letter queue; [`NO_QUEUE`] if it has none on purpose.
pub(crate) const DEAD_LETTER_QUEUE_URL: &str = "DEAD_LETTER_QUEUE_URL";
/// The bus that the relay publishes to.
pub(crate) const EVENT_BUS_NAME: &str = "EVENT_BUS_NAME";

/// In place of a dead-letter queue's URL: there is none. Nobody forgets a queue by it, as by leaving the variable out.
pub(crate) const NO_QUEUE: &str = "none";

/// The region, by the name that Lambda sets and the one that other tools fall back to.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

const TABLE_SUFFIX: &str = "_TABLE";

/// The variable that holds the physical name of a logical table: `orders` → `ORDERS_TABLE`.
pub(crate) fn table_variable(logical: &str) -> String {
    format!("{}{TABLE_SUFFIX}", logical.to_uppercase().replace('-', "_"))
}

/// A variable that must be set, to whatever the function understands.
pub(crate) fn required(name: &'static str) -> Result<String, RunError> {
    present(name, variable(name), &ANYTHING)
}

/// A table's name or ARN.
pub(crate) fn required_table(name: &'static str) -> Result<String, RunError> {
    present(name, variable(name), &TABLE)
}

/// A queue's URL.
pub(crate) fn required_queue_url(name: &'static str) -> Result<String, RunError> {
    present(name, variable(name), &QUEUE_URL_RULE)
}

/// A queue's URL, or `None` where the variable says [`NO_QUEUE`]. Left out is a mistake all the same.
pub(crate) fn queue_url_or_none(name: &'static str) -> Result<Option<String>, RunError> {
    queue_url_unless_none(name, variable(name))
}

/// An event bus's name or ARN.
pub(crate) fn required_bus(name: &'static str) -> Result<String, RunError> {
    present(name, variable(name), &BUS)
}

/// A topic's ARN.
pub(crate) fn required_topic_arn(name: &'static str) -> Result<String, RunError> {
    present(name, variable(name), &TOPIC_ARN)
}

/// The region to call. It must be told: the SDK would ask the network for it at the cold start.
pub(crate) fn region() -> Result<String, RunError> {
    let [name, fallback] = REGION_VARIABLES;
    match variable(name) {
        None if variable(fallback).is_some() => present(fallback, variable(fallback), &REGION),
        value => present(name, value, &REGION),
    }
}

/// Every table the environment names, by its logical name.
pub(crate) fn tables() -> Result<HashMap<String, String>, RunError> {
    tables_of(std::env::vars())
}

/// A variable's value; an empty one is as good as none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn present(name: &'static str, value: Option<String>, rule: &Rule) -> Result<String, RunError> {
    let value = value.ok_or(RunError::VariableMissing { name, expected: rule.expected })?;
    checked(name, value, rule)
}

fn checked(name: &str, value: String, rule: &Rule) -> Result<String, RunError> {
    match (rule.holds)(&value) {
        true => Ok(value),
        false => Err(RunError::VariableMalformed { name: name.to_owned(), value, expected: rule.expected }),
    }
}

fn queue_url_unless_none(name: &'static str, value: Option<String>) -> Result<Option<String>, RunError> {
    match value {
        Some(value) if value == NO_QUEUE => Ok(None),
        value => present(name, value, &QUEUE_URL_RULE).map(Some),
    }
}

fn tables_of(variables: impl Iterator<Item = (String, String)>) -> Result<HashMap<String, String>, RunError> {
    let named = variables.filter_map(|(name, value)| {
        let logical = name.strip_suffix(TABLE_SUFFIX)?.to_lowercase().replace('_', "-");
        (!value.is_empty()).then_some((name, logical, value))
    });
    named.map(|(name, logical, value)| Ok((logical, checked(&name, value, &TABLE)?))).collect()
}

#[cfg(test)]
mod tests;
