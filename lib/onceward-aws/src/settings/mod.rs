//! What a function process is told by its environment, checked as far as it can be without a call.

mod rules;

use std::collections::HashMap;

use onceward::Deployment;
use rules::{ANYTHING, BUS, DEAD_LETTER_QUEUE, FLAG, LAMBDA_NAME, MAX_RECEIVES, ON, REGION, Rule, TABLE, TOPIC_ARN};

use crate::RunError;

/// Name of the ledger's table.
pub(crate) const LEDGER_TABLE: &str = "LEDGER_TABLE";
/// URL of the queue for messages that no retry can help, or [`NONE`].
pub(crate) const DEAD_LETTER_QUEUE_URL: &str = "DEAD_LETTER_QUEUE_URL";
/// After how many receives the function's queue gives a message up; the queue is asked if it is not set.
pub(crate) const MAX_RECEIVE_COUNT: &str = "MAX_RECEIVE_COUNT";
/// The bus that the relay publishes to.
pub(crate) const EVENT_BUS_NAME: &str = "EVENT_BUS_NAME";

/// The name of the Lambda function, which Lambda sets:
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>.
const LAMBDA_FUNCTION: &str = "AWS_LAMBDA_FUNCTION_NAME";
/// Other names under which the same function has run, comma separated: after a rename, or beside this one.
const FORMER_FUNCTION_NAMES: &str = "FORMER_FUNCTION_NAMES";
/// Whether functions are held to what they declare.
const STRICT: &str = "ONCEWARD_STRICT";

/// Said of a dead-letter queue: there is none, on purpose. To leave the variable out is a mistake.
const NONE: &str = "none";

/// The endpoint of SQS alone, and that of all services, as the SDKs have them.
const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"];

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

/// Where terminal messages go; `None` if the environment says that they have no such place.
pub(crate) fn dead_letter_queue_url() -> Result<Option<String>, RunError> {
    queue_url_unless_none(DEAD_LETTER_QUEUE_URL, variable(DEAD_LETTER_QUEUE_URL))
}

/// The same of a function that starts if the environment says nothing of it.
pub(crate) fn dead_letter_queue_url_if_set() -> Result<Option<String>, RunError> {
    match variable(DEAD_LETTER_QUEUE_URL) {
        None => Ok(None),
        value => queue_url_unless_none(DEAD_LETTER_QUEUE_URL, value),
    }
}

/// After how many receives the function's queue gives a message up, if the environment says.
pub(crate) fn max_receive_count() -> Result<Option<u32>, RunError> {
    max_receive_count_of(variable(MAX_RECEIVE_COUNT))
}

/// The URL of a queue by its ARN, `arn:{partition}:sqs:{region}:{account}:{name}`; `None` if it is not one.
pub(crate) fn queue_url(arn: &str) -> Option<String> {
    let parts: Vec<_> = arn.split(':').collect();
    let ["arn", partition, "sqs", region, account, name] = parts[..] else { return None };
    let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let endpoint = ENDPOINTS.iter().find_map(|name| variable(name));
    let endpoint = endpoint.unwrap_or_else(|| format!("https://sqs.{region}.{domain}"));
    Some(format!("{}/{account}/{name}", endpoint.trim_end_matches('/')))
}

/// An event bus's name or ARN.
pub(crate) fn required_bus(name: &'static str) -> Result<String, RunError> {
    present(name, variable(name), &BUS)
}

/// A topic's ARN.
pub(crate) fn required_topic_arn(name: &'static str) -> Result<String, RunError> {
    present(name, variable(name), &TOPIC_ARN)
}

/// Whether a handler is refused that does what its function has not declared: `1` on a local cloud, else not set.
pub(crate) fn strict() -> Result<bool, RunError> {
    let value = variable(STRICT).map(|value| checked(STRICT, value, &FLAG)).transpose()?;
    Ok(value.as_deref() == Some(ON))
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

/// As what this process runs.
pub(crate) fn deployment() -> Result<Deployment, RunError> {
    let former = variable(FORMER_FUNCTION_NAMES).map_or_else(|| Ok(Vec::new()), |names| former_of(&names))?;
    Ok(Deployment { lambda: variable(LAMBDA_FUNCTION), former })
}

fn former_of(names: &str) -> Result<Vec<String>, RunError> {
    let names = names.split(',').map(|name| name.trim().to_owned());
    names.map(|name| checked(FORMER_FUNCTION_NAMES, name, &LAMBDA_NAME)).collect()
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
        Some(value) if value == NONE => Ok(None),
        value => present(name, value, &DEAD_LETTER_QUEUE).map(Some),
    }
}

fn max_receive_count_of(value: Option<String>) -> Result<Option<u32>, RunError> {
    let value = value.map(|value| checked(MAX_RECEIVE_COUNT, value, &MAX_RECEIVES)).transpose()?;
    Ok(value.and_then(|value| rules::receives(&value)))
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
