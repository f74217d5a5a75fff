//! Filter policies of subscriptions. The syntax is that of event patterns, less some operators and within limits of its
//! own, over a message's attributes or its body.
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::error::SnsError;
use crate::events::Pattern;
use crate::sqs::{AttributeValue, MessageAttribute};

/// Keys of a policy. <https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html>
pub(super) const KEYS_MAX: usize = 5;
/// Combinations of a policy's values: the lengths of its lists multiplied, each by the depth of its key.
pub(super) const COMBINATIONS_MAX: usize = 150;
/// Bytes of a policy.
const BYTES_MAX: usize = 256 * 1024;
/// Numbers lie between minus and plus this.
const NUMBER_MAX: f64 = 1.0e9;

const OR: &str = "$or";
/// The operators SNS documents: event patterns have more.
const OPERATORS: [&str; 7] = ["anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix"];
const POLICY: &str = "FilterPolicy";

/// What a policy looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Attributes,
    Body,
}

/// A subscription's filter policy.
#[derive(Debug, Clone)]
pub(super) struct Filter {
    scope: Scope,
    pattern: Pattern,
}

impl Scope {
    pub(super) fn parse(text: &str) -> Result<Self, SnsError> {
        match text {
            "MessageAttributes" => Ok(Self::Attributes),
            "MessageBody" => Ok(Self::Body),
            other => Err(SnsError::invalid(
                "FilterPolicyScope",
                format!("Invalid value [{other}]. Please use either MessageBody or MessageAttributes"),
            )),
        }
    }
}

impl Filter {
    /// Reads a policy; the empty object filters nothing.
    pub(super) fn parse(text: &str, scope: Scope) -> Result<Option<Self>, SnsError> {
        let invalid = |reason: String| SnsError::invalid(POLICY, reason);
        if text.len() > BYTES_MAX {
            return Err(invalid(format!("A filter policy has at most {BYTES_MAX} bytes")));
        }
        let policy: Value =
            serde_json::from_str(text).map_err(|fault| invalid(format!("failed to parse JSON. {fault}")))?;
        let Value::Object(keys) = &policy else { return Err(invalid("Filter is not an object".to_owned())) };
        if keys.is_empty() {
            return Ok(None);
        }
        let count = keys.iter().map(|(name, value)| if name == OR { key_count(value) } else { 1 }).sum::<usize>();
        if count > KEYS_MAX {
            return Err(invalid(format!("Filter policy can not have more than {KEYS_MAX} keys")));
        }
        if combinations(keys, 1, scope)? > COMBINATIONS_MAX {
            return Err(invalid(format!("Filter policy is too complex: more than {COMBINATIONS_MAX} combinations")));
        }
        let pattern = Pattern::parse(&policy).map_err(|refused| invalid(refused.reason))?;
        Ok(Some(Self { scope, pattern }))
    }

    /// Whether the subscriber wants a message.
    pub(super) fn passes(&self, body: &str, attributes: &BTreeMap<String, MessageAttribute>) -> bool {
        match self.scope {
            Scope::Attributes => {
                let comparable = attributes.iter().filter_map(|(name, it)| Some((name.clone(), comparable(it)?)));
                self.pattern.matches(&Value::Object(comparable.collect()))
            }
            Scope::Body => {
                serde_json::from_str::<Value>(body).is_ok_and(|body| body.is_object() && self.pattern.matches(&body))
            }
        }
    }
}

/// The value of an attribute that policies compare; other types are passed over.
fn comparable(attribute: &MessageAttribute) -> Option<Value> {
    let AttributeValue::Text(text) = &attribute.value else { return None };
    match attribute.data_type.as_str() {
        "String.Array" => serde_json::from_str(text).ok().filter(Value::is_array),
        "Number" => serde_json::from_str(text).ok().filter(Value::is_number),
        "String" => Some(Value::String(text.clone())),
        _ => None,
    }
}

/// The different names in the alternatives of an `$or`.
fn key_count(alternatives: &Value) -> usize {
    let objects = alternatives.as_array().into_iter().flatten().filter_map(Value::as_object);
    objects.flat_map(Map::keys).collect::<std::collections::BTreeSet<_>>().len()
}

/// Checks operators and numbers, and counts combinations. What is not a policy at all is left to [`Pattern::parse`].
fn combinations(keys: &Map<String, Value>, depth: usize, scope: Scope) -> Result<usize, SnsError> {
    let mut product: usize = 1;
    for (name, value) in keys {
        let count = match value {
            Value::Array(alternatives) if name == OR => {
                let mut sum: usize = 0;
                for alternative in alternatives.iter().filter_map(Value::as_object) {
                    sum = sum.saturating_add(combinations(alternative, depth, scope)?);
                }
                sum
            }
            Value::Array(values) => {
                values.iter().try_for_each(check)?;
                values.len().saturating_mul(depth)
            }
            Value::Object(_) if scope == Scope::Attributes => {
                let reason = "Filter policy scope MessageAttributes does not support nested filter policy";
                return Err(SnsError::invalid(POLICY, reason));
            }
            Value::Object(nested) => combinations(nested, depth + 1, scope)?,
            _ => 1,
        };
        product = product.saturating_mul(count);
    }
    Ok(product)
}

fn check(value: &Value) -> Result<(), SnsError> {
    match value {
        Value::Number(number) if number.as_f64().is_none_or(|it| it.abs() > NUMBER_MAX) => Err(SnsError::invalid(
            POLICY,
            format!("Value must be between -{NUMBER_MAX:e} and {NUMBER_MAX:e}: {number}"),
        )),
        Value::Object(expression) => expression.iter().try_for_each(|(name, operand)| {
            if !OPERATORS.contains(&name.as_str()) {
                return Err(SnsError::invalid(POLICY, format!("Unrecognized match type {name}")));
            }
            match (name.as_str(), operand) {
                ("anything-but", Value::Object(inner)) => inner.keys().try_for_each(|inner| match inner.as_str() {
                    "prefix" | "suffix" | "equals-ignore-case" => Ok(()),
                    other => Err(SnsError::invalid(POLICY, format!("Unsupported anything-but pattern: {other}"))),
                }),
                ("anything-but" | "numeric", Value::Array(operands)) => operands.iter().try_for_each(check),
                ("prefix" | "suffix", Value::Object(_)) => {
                    Err(SnsError::invalid(POLICY, format!("{name} match pattern must be a string")))
                }
                ("anything-but", operand) => check(operand),
                _ => Ok(()),
            }
        }),
        _ => Ok(()),
    }
}
