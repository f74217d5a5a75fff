//! The `Condition` element.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>

use std::fmt;

use serde_json::Value;

use super::operand::{self, Operand};
use super::{PolicyError, texts};
use crate::iam::context::{Context, is_known};

/// One operator on one key.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// As it was written, for people: `ForAllValues:StringLike dynamodb:LeadingKeys: reserve-stock#*`.
    written: String,
    set: Option<Set>,
    test: Test,
    /// `…IfExists`
    if_exists: bool,
    /// In lower case.
    key: String,
    /// One of these must match; for a negated operator, none may.
    operands: Vec<Operand>,
}

/// How a key with several values is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    ForAllValues,
    ForAnyValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    /// Whether the key is absent.
    Null,
    Compare {
        negated: bool,
    },
}

impl Condition {
    /// The conditions of a `Condition` element; all of them must hold.
    pub(super) fn parse(element: &Value, variables: bool) -> Result<Vec<Self>, PolicyError> {
        let Value::Object(operators) = element else { return Err(PolicyError::Shape { element: "Condition" }) };
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let Value::Object(keys) = keys else { return Err(PolicyError::Shape { element: "Condition" }) };
            for (key, values) in keys {
                conditions.push(Self::one(operator, key, values, variables)?);
            }
        }
        Ok(conditions)
    }

    fn one(operator: &str, key: &str, values: &Value, variables: bool) -> Result<Self, PolicyError> {
        let unknown = || PolicyError::UnknownOperator { operator: operator.to_owned() };
        let (set, bare) = match operator.split_once(':') {
            Some(("ForAllValues", bare)) => (Some(Set::ForAllValues), bare),
            Some(("ForAnyValue", bare)) => (Some(Set::ForAnyValue), bare),
            Some(_) => return Err(unknown()),
            None => (None, operator),
        };
        let (bare, if_exists) = match bare.strip_suffix("IfExists") {
            Some(bare) => (bare, true),
            None => (bare, false),
        };
        let lower = key.to_ascii_lowercase();
        if !is_known(&lower) {
            return Err(PolicyError::UnknownKey { key: key.to_owned() });
        }
        let values = texts(values).ok_or(PolicyError::Shape { element: "Condition" })?;
        let (test, operands) = match bare {
            "Null" if !if_exists && set.is_none() => {
                (Test::Null, operand::parse("Bool", key, &values, variables)?.ok_or_else(unknown)?.1)
            }
            bare => {
                let (negated, operands) = operand::parse(bare, key, &values, variables)?.ok_or_else(unknown)?;
                (Test::Compare { negated }, operands)
            }
        };
        let written = format!("{operator} {key}: {}", values.join(" or "));
        Ok(Self { written, set, test, if_exists, key: lower, operands })
    }

    /// Whether it holds for the request.
    pub(crate) fn holds(&self, context: &Context<'_>) -> bool {
        let values = context.values(&self.key);
        let values = values.as_deref().unwrap_or_default();
        let any = |value: &String| self.operands.iter().any(|operand| operand.matches(value, context));
        let negated = match self.test {
            Test::Null => return any(&values.is_empty().to_string()),
            Test::Compare { negated } => negated,
        };
        if values.is_empty() {
            return match self.set {
                Some(Set::ForAllValues) => true,
                Some(Set::ForAnyValue) => self.if_exists,
                None => self.if_exists || negated,
            };
        }
        let passes = |value: &String| any(value) != negated;
        match self.set {
            Some(Set::ForAllValues) => values.iter().all(passes),
            None if negated => values.iter().all(passes),
            Some(Set::ForAnyValue) | None => values.iter().any(passes),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
