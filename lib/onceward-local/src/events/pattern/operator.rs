//! The operators, read from a pattern and checked as `EventBridge` checks them.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>

use std::net::IpAddr;

use serde_json::{Map, Number, Value};

use super::PatternError;

/// Numbers in operators lie between minus and plus this, by the documentation of numeric matching.
const NUMERIC_LIMIT: f64 = 5.0e9;

/// One allowed value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operator {
    /// A string, `true`, `false` or `null`.
    Literal(Value),
    Number(Number),
    Exists(bool),
    Text(TextOperator, String),
    PrefixIgnoreCase(String),
    SuffixIgnoreCase(String),
    Numeric {
        lower: Option<Bound>,
        upper: Option<Bound>,
    },
    Cidr {
        network: IpAddr,
        prefix_length: u8,
    },
    AnythingButText(Vec<String>),
    AnythingButNumber(Vec<Number>),
    /// None of several prefixes, suffixes, wildcards or spellings.
    AnythingBut(TextOperator, Vec<String>),
}

/// The operators on strings that `anything-but` can also negate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextOperator {
    Prefix,
    Suffix,
    Wildcard,
    EqualsIgnoreCase,
}

/// One end of a numeric range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bound {
    pub(super) value: f64,
    pub(super) inclusive: bool,
}

impl TextOperator {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::Suffix => "suffix",
            Self::Wildcard => "wildcard",
            Self::EqualsIgnoreCase => "equals-ignore-case",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Prefix, Self::Suffix, Self::Wildcard, Self::EqualsIgnoreCase].into_iter().find(|it| it.name() == name)
    }
}

impl Operator {
    pub(super) fn parse(value: &Value) -> Result<Self, PatternError> {
        match value {
            Value::String(_) | Value::Bool(_) | Value::Null => Ok(Self::Literal(value.clone())),
            Value::Number(number) => Ok(Self::Number(number.clone())),
            Value::Array(_) => {
                Err(PatternError::new("Match value must be String, number, true, false, or null, not an array"))
            }
            Value::Object(expression) => {
                let (name, operand) = only_entry(expression)?;
                Self::named(name, operand)
            }
        }
    }

    fn named(name: &str, operand: &Value) -> Result<Self, PatternError> {
        match (name, operand) {
            ("exists", Value::Bool(present)) => Ok(Self::Exists(*present)),
            ("exists", _) => Err(PatternError::new("exists match pattern must be either true or false")),
            ("exactly", Value::String(_)) => Ok(Self::Literal(operand.clone())),
            ("numeric", Value::Array(terms)) => numeric(terms),
            ("numeric", _) => Err(PatternError::new("Value of numeric must be an array")),
            ("cidr", Value::String(block)) => cidr(block),
            ("anything-but", operand) => anything_but(operand),
            ("prefix" | "suffix", Value::Object(expression)) => {
                let (inner, text) = only_entry(expression)?;
                match (name, inner, text) {
                    ("prefix", "equals-ignore-case", Value::String(text)) => Ok(Self::PrefixIgnoreCase(text.clone())),
                    ("suffix", "equals-ignore-case", Value::String(text)) => Ok(Self::SuffixIgnoreCase(text.clone())),
                    _ => Err(PatternError::new(format!("Unsupported {name} pattern: {inner}"))),
                }
            }
            (name, operand) => match (TextOperator::named(name), operand) {
                (Some(operator), Value::String(text)) => Ok(Self::Text(operator, text.clone())),
                (None, _) if !["cidr", "exactly"].contains(&name) => {
                    Err(PatternError::new(format!("Unrecognized match type {name}")))
                }
                _ => Err(PatternError::new(format!("{name} match pattern must be a string"))),
            },
        }
    }
}

fn only_entry(expression: &Map<String, Value>) -> Result<(&str, &Value), PatternError> {
    let mut entries = expression.iter();
    match (entries.next(), entries.next()) {
        (Some((name, operand)), None) => Ok((name, operand)),
        (None, _) => Err(PatternError::new("Match expression name not found")),
        (Some(_), Some(_)) => Err(PatternError::new("Only one key allowed in match expression")),
    }
}

fn in_range(number: &Number) -> Result<f64, PatternError> {
    number.as_f64().filter(|value| value.abs() <= NUMERIC_LIMIT).ok_or_else(|| {
        PatternError::new(format!(
            "Value must be between -{NUMERIC_LIMIT:e} and {NUMERIC_LIMIT:e}, inclusive: {number}"
        ))
    })
}

fn numeric(terms: &[Value]) -> Result<Operator, PatternError> {
    let term = |operator: &Value, number: &Value| match (operator, number) {
        (Value::String(operator), Value::Number(number)) => Ok((operator.clone(), in_range(number)?)),
        _ => Err(PatternError::new(format!("Invalid member in numeric match: {operator}, {number}"))),
    };
    let bound = |value, inclusive| Some(Bound { value, inclusive });
    match terms {
        [operator, number] => {
            let (operator, value) = term(operator, number)?;
            let (lower, upper) = match operator.as_str() {
                "=" => (bound(value, true), bound(value, true)),
                ">" => (bound(value, false), None),
                ">=" => (bound(value, true), None),
                "<" => (None, bound(value, false)),
                "<=" => (None, bound(value, true)),
                _ => return Err(PatternError::new(format!("Unrecognized numeric range operator: {operator}"))),
            };
            Ok(Operator::Numeric { lower, upper })
        }
        [first, bottom, second, top] => {
            let ((first, bottom), (second, top)) = (term(first, bottom)?, term(second, top)?);
            if !matches!((first.as_str(), second.as_str()), (">" | ">=", "<" | "<=")) {
                return Err(PatternError::new(format!("Bad numeric range operator: {first} … {second}")));
            }
            if bottom >= top {
                return Err(PatternError::new(format!("Bottom must be less than top: {bottom}, {top}")));
            }
            Ok(Operator::Numeric { lower: bound(bottom, first == ">="), upper: bound(top, second == "<=") })
        }
        _ => Err(PatternError::new("numeric takes one operator and number, or two of them")),
    }
}

fn cidr(block: &str) -> Result<Operator, PatternError> {
    let parsed = block.split_once('/').and_then(|(network, length)| {
        let network: IpAddr = network.parse().ok()?;
        let length: u8 = length.parse().ok()?;
        let bits = if network.is_ipv4() { 32 } else { 128 };
        (length <= bits).then_some(Operator::Cidr { network, prefix_length: length })
    });
    parsed.ok_or_else(|| PatternError::new(format!("Malformed CIDR, one IP address and one '/' are expected: {block}")))
}

fn anything_but(operand: &Value) -> Result<Operator, PatternError> {
    match operand {
        Value::String(text) => Ok(Operator::AnythingButText(vec![text.clone()])),
        Value::Number(number) => in_range(number).map(|_| Operator::AnythingButNumber(vec![number.clone()])),
        Value::Array(values) => {
            let texts = strings(values);
            let numbers: Vec<_> = values
                .iter()
                .filter_map(|value| if let Value::Number(it) = value { Some(it.clone()) } else { None })
                .collect();
            for number in &numbers {
                in_range(number)?;
            }
            match (texts, numbers.len()) {
                (Some(texts), _) => Ok(Operator::AnythingButText(texts)),
                (None, count) if count == values.len() && count > 0 => Ok(Operator::AnythingButNumber(numbers)),
                _ => Err(PatternError::new(
                    "Inside anything but list, either all values are number or string, mixed type is not supported",
                )),
            }
        }
        Value::Object(expression) => {
            let (name, operand) = only_entry(expression)?;
            let operator = TextOperator::named(name)
                .ok_or_else(|| PatternError::new(format!("Unsupported anything-but pattern: {name}")))?;
            let texts = match operand {
                Value::String(text) => Some(vec![text.clone()]),
                Value::Array(values) => strings(values),
                _ => None,
            };
            let texts = texts
                .ok_or_else(|| PatternError::new(format!("anything-but {name} takes a string or a list of strings")))?;
            if matches!(operator, TextOperator::Prefix | TextOperator::Suffix) && texts.iter().any(String::is_empty) {
                return Err(PatternError::new("Null prefix/suffix not allowed"));
            }
            Ok(Operator::AnythingBut(operator, texts))
        }
        _ => Err(PatternError::new("Value of anything-but must be an array or single string/number value")),
    }
}

/// The strings of a list that has at least one and nothing else.
fn strings(values: &[Value]) -> Option<Vec<String>> {
    let texts: Vec<_> = values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
    (!texts.is_empty() && texts.len() == values.len()).then_some(texts)
}
