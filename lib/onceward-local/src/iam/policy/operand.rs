//! What a condition compares a key's value with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::{DateTime, NaiveDate, Utc};

use super::PolicyError;
use super::pattern::Pattern;
use crate::iam::context::Context;

/// A value of a condition, ready to be compared.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Equal(Pattern),
    EqualIgnoringCase(Pattern),
    Like(Pattern),
    Arn(Pattern),
    Number(Order, f64),
    Date(Order, DateTime<Utc>),
    Bool(bool),
    Ip(Network),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn of<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

/// An address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    address: IpAddr,
    bits: u32,
}

/// Reads one value; the flag says whether policy variables count.
type Make = fn(&str, bool) -> Option<Operand>;

/// The operands of `operator`, and whether it is a negated one; `None` if there is no such operator.
pub(super) fn parse(
    operator: &str,
    key: &str,
    values: &[String],
    variables: bool,
) -> Result<Option<(bool, Vec<Operand>)>, PolicyError> {
    let (negated, make): (bool, Make) = match operator {
        "StringEquals" | "StringNotEquals" => (operator.contains("Not"), |text, it| pattern(text, it, Operand::Equal)),
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
            (operator.contains("Not"), |text, it| pattern(text, it, Operand::EqualIgnoringCase))
        }
        "StringLike" | "StringNotLike" => (operator.contains("Not"), |text, it| pattern(text, it, Operand::Like)),
        // Equals and Like are the same for ARNs.
        "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => {
            (operator.contains("Not"), |text, it| pattern(text, it, Operand::Arn))
        }
        "NumericEquals" | "NumericNotEquals" => (operator.contains("Not"), |text, _| number(text, Order::Equal)),
        "NumericLessThan" => (false, |text, _| number(text, Order::Less)),
        "NumericLessThanEquals" => (false, |text, _| number(text, Order::LessOrEqual)),
        "NumericGreaterThan" => (false, |text, _| number(text, Order::Greater)),
        "NumericGreaterThanEquals" => (false, |text, _| number(text, Order::GreaterOrEqual)),
        "DateEquals" | "DateNotEquals" => (operator.contains("Not"), |text, _| date(text, Order::Equal)),
        "DateLessThan" => (false, |text, _| date(text, Order::Less)),
        "DateLessThanEquals" => (false, |text, _| date(text, Order::LessOrEqual)),
        "DateGreaterThan" => (false, |text, _| date(text, Order::Greater)),
        "DateGreaterThanEquals" => (false, |text, _| date(text, Order::GreaterOrEqual)),
        "Bool" => (false, |text, _| text.to_ascii_lowercase().parse().ok().map(Operand::Bool)),
        "IpAddress" | "NotIpAddress" => (operator.contains("Not"), |text, _| network(text).map(Operand::Ip)),
        _ => return Ok(None),
    };
    let refused = |value: &str| PolicyError::Value { key: key.to_owned(), value: value.to_owned() };
    let operands = values.iter().map(|value| make(value, variables).ok_or_else(|| refused(value)));
    Ok(Some((negated, operands.collect::<Result<_, _>>()?)))
}

impl Operand {
    pub(super) fn matches(&self, value: &str, context: &Context<'_>) -> bool {
        match self {
            Self::Equal(pattern) => pattern.equals(value, false, context),
            Self::EqualIgnoringCase(pattern) => pattern.equals(value, true, context),
            Self::Like(pattern) => pattern.matches(value, context),
            Self::Arn(pattern) => value.starts_with("arn:") && pattern.matches_arn(value, context),
            Self::Number(order, operand) => value.parse().is_ok_and(|value: f64| order.of(&value, operand)),
            Self::Date(order, operand) => moment(value).is_some_and(|value| order.of(&value, operand)),
            Self::Bool(operand) => value.eq_ignore_ascii_case(&operand.to_string()),
            Self::Ip(operand) => value.parse().is_ok_and(|address| operand.contains(address)),
        }
    }
}

fn pattern(text: &str, variables: bool, operand: fn(Pattern) -> Operand) -> Option<Operand> {
    Pattern::parse(text, variables).ok().map(operand)
}

fn number(text: &str, order: Order) -> Option<Operand> {
    text.parse().ok().map(|number| Operand::Number(order, number))
}

fn date(text: &str, order: Order) -> Option<Operand> {
    moment(text).map(|moment| Operand::Date(order, moment))
}

/// ISO 8601 with a time or without, or seconds since the epoch.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    if let Ok(seconds) = text.parse() {
        return DateTime::from_timestamp(seconds, 0);
    }
    let day: NaiveDate = text.parse().ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

fn network(text: &str) -> Option<Network> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse().ok()?, Some(bits.parse().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let bits_max = match address {
        IpAddr::V4(_) => Ipv4Addr::BITS,
        IpAddr::V6(_) => Ipv6Addr::BITS,
    };
    let bits = bits.unwrap_or(bits_max);
    (bits <= bits_max).then_some(Network { address, bits })
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                self.bits == 0 || (own.to_bits() ^ other.to_bits()) >> (Ipv4Addr::BITS - self.bits) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                self.bits == 0 || (own.to_bits() ^ other.to_bits()) >> (Ipv6Addr::BITS - self.bits) == 0
            }
            _ => false,
        }
    }
}
