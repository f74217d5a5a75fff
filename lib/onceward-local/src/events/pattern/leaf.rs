//! One field's allowed values: left to quamina, or decided here.

use std::net::IpAddr;

use quamina::Quamina;
use serde_json::{Number, Value, json};

use super::PatternError;
use super::operator::{Bound, Operator};

/// Exact numbers beyond this are compared as integers, digit by digit: an account id is not rounded.
const FLOAT_EXACT_MAX: f64 = 5.0e9;

/// A field of a pattern.
pub(super) enum Leaf {
    /// Values that quamina decides as AWS does: literals only, or one operator alone.
    Quamina(Vec<Value>),
    /// Any of these; quamina sees the verdict.
    Verdict(Vec<Test>),
}

/// One allowed value, decided for a single leaf.
pub(super) enum Test {
    Operator(Operator),
    /// Asks quamina about this leaf alone: mixed values in one list disturb each other there.
    Quamina(Box<Quamina<()>>),
    /// The opposite of what quamina says of every value here.
    NoneOf(Vec<Quamina<()>>),
}

impl Leaf {
    pub(super) fn new(values: Vec<Operator>) -> Result<Self, PatternError> {
        let native: Option<Vec<Value>> = values.iter().map(quamina_value).collect();
        let alone = values.len() == 1 || values.iter().all(|value| matches!(value, Operator::Literal(_)));
        match native {
            Some(native) if alone => Ok(Self::Quamina(native)),
            _ => Ok(Self::Verdict(values.into_iter().map(Test::new).collect::<Result<_, _>>()?)),
        }
    }

    /// What the pattern given to quamina says of this field.
    pub(super) fn quamina_values(&self) -> Value {
        match self {
            Self::Quamina(values) => Value::Array(values.clone()),
            Self::Verdict(_) => json!([true]),
        }
    }

    /// What quamina sees in place of `value`, which is neither array nor object.
    pub(super) fn project(&self, value: &Value) -> Value {
        match self {
            Self::Quamina(_) => value.clone(),
            Self::Verdict(tests) => Value::Bool(tests.iter().any(|test| test.passes(value))),
        }
    }
}

/// The operator as quamina writes it, where its answer is the one AWS gives.
fn quamina_value(operator: &Operator) -> Option<Value> {
    match operator {
        Operator::Literal(value) => Some(value.clone()),
        Operator::Text(operator, text) => Some(json!({operator.name(): text})),
        Operator::AnythingButText(texts) => Some(json!({"anything-but": texts})),
        _ => None,
    }
}

impl Test {
    fn new(operator: Operator) -> Result<Self, PatternError> {
        match operator {
            Operator::AnythingBut(operator, texts) => {
                let each = texts.into_iter().map(|text| alone(&Operator::Text(operator, text)));
                Ok(Self::NoneOf(each.collect::<Result<_, _>>()?))
            }
            operator if quamina_value(&operator).is_some() => {
                alone(&operator).map(|quamina| Self::Quamina(Box::new(quamina)))
            }
            operator => Ok(Self::Operator(operator)),
        }
    }

    fn passes(&self, value: &Value) -> bool {
        match self {
            Self::Quamina(quamina) => says_yes(quamina, value),
            Self::NoneOf(each) => !each.iter().any(|quamina| says_yes(quamina, value)),
            Self::Operator(operator) => operator.passes(value),
        }
    }
}

/// A quamina that knows one operator, on a field named `v`.
fn alone(operator: &Operator) -> Result<Quamina<()>, PatternError> {
    let mut quamina = Quamina::new();
    let pattern = json!({"v": [quamina_value(operator)]}).to_string();
    quamina.add_pattern((), &pattern).map_err(|refused| PatternError::new(refused.to_string()))?;
    Ok(quamina)
}

fn says_yes(quamina: &Quamina<()>, value: &Value) -> bool {
    quamina.has_matches(json!({"v": value}).to_string().as_bytes()).is_ok_and(|found| found)
}

impl Operator {
    /// The operators quamina lacks, or decides otherwise than AWS.
    fn passes(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Number(expected), Value::Number(number)) => same_number(expected, number),
            (Self::AnythingButNumber(excluded), Value::Number(number)) => {
                !excluded.iter().any(|excluded| same_number(excluded, number))
            }
            (Self::AnythingButNumber(_) | Self::Exists(true), _) => true,
            (Self::Numeric { lower, upper }, Value::Number(number)) => {
                number.as_f64().is_some_and(|number| within(number, *lower, *upper))
            }
            (Self::Cidr { network, prefix_length }, Value::String(text)) => {
                text.parse().is_ok_and(|address| in_block(address, *network, *prefix_length))
            }
            (Self::PrefixIgnoreCase(prefix), Value::String(text)) => starts_with(text.chars(), prefix.chars()),
            (Self::SuffixIgnoreCase(suffix), Value::String(text)) => {
                starts_with(text.chars().rev(), suffix.chars().rev())
            }
            _ => false,
        }
    }
}

// Numbers are equal by value (1 is 1.0 is 1e0), so the comparison is meant to be exact.
#[allow(clippy::float_cmp)]
fn same_number(expected: &Number, number: &Number) -> bool {
    match (expected.as_f64(), number.as_f64()) {
        (Some(left), Some(right)) if left.abs() <= FLOAT_EXACT_MAX => left == right,
        _ => expected == number,
    }
}

fn within(number: f64, lower: Option<Bound>, upper: Option<Bound>) -> bool {
    let above = |bound: Bound| number > bound.value || (bound.inclusive && number >= bound.value);
    let below = |bound: Bound| number < bound.value || (bound.inclusive && number <= bound.value);
    lower.is_none_or(above) && upper.is_none_or(below)
}

fn in_block(address: IpAddr, network: IpAddr, prefix_length: u8) -> bool {
    let shifted = |bits: u128, width: u8| bits.checked_shr(u32::from(width - prefix_length)).unwrap_or(0);
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            shifted(u128::from(address.to_bits()), 32) == shifted(u128::from(network.to_bits()), 32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            shifted(address.to_bits(), 128) == shifted(network.to_bits(), 128)
        }
        _ => false,
    }
}

fn starts_with(mut text: impl Iterator<Item = char>, mut start: impl Iterator<Item = char>) -> bool {
    start.all(|expected| text.next().is_some_and(|found| found.to_lowercase().eq(expected.to_lowercase())))
}
