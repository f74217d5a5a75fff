//! What names and values count in an item.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use std::{collections::HashSet, hash::Hash};

use bigdecimal::BigDecimal;
use serde_dynamo::AttributeValue;

use super::{
    limits::{NAME_BYTES_MAX, NESTING_MAX},
    number,
};

/// What a list, a map or a set counts besides its elements. Sets are not documented: they are counted as lists.
const COLLECTION_BYTES: usize = 3;

/// What each element of a list, a map or a set counts besides itself.
const ELEMENT_BYTES: usize = 1;

/// The most characters of a number that a refusal repeats.
const NUMBER_CHARS_MAX: usize = 64;

/// A name or value that DynamoDB takes nowhere.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) found: String,
    pub(super) expected: &'static str,
}

/// No fewer bytes than the attribute has in an item.
pub(super) fn attribute_bytes(name: &str, value: &AttributeValue) -> Result<usize, Refusal> {
    Ok(name_bytes(name)? + value_bytes(value, 1)?)
}

/// No fewer bytes than a list has that consists of this value, with the attribute's name.
pub(super) fn list_of_one_bytes(name: &str, value: &AttributeValue) -> Result<usize, Refusal> {
    Ok(name_bytes(name)? + COLLECTION_BYTES + ELEMENT_BYTES + value_bytes(value, 2)?)
}

/// The bytes of an attribute's name.
pub(super) fn name_bytes(name: &str) -> Result<usize, Refusal> {
    if (1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Ok(name.len());
    }
    let expected = "names of attributes and keys of maps have 1 to 65,535 bytes: use another name";
    Err(Refusal { found: format!("has a name, or a map's key, of {} bytes", name.len()), expected })
}

/// `level` is 1 for an attribute's value, one more in each list or map around it.
fn value_bytes(value: &AttributeValue, level: usize) -> Result<usize, Refusal> {
    if level > NESTING_MAX {
        let expected = "values are at most 32 levels deep: keep this one as JSON text, or in rows of its own";
        return Err(Refusal { found: "is nested too deep".to_owned(), expected });
    }
    match value {
        AttributeValue::S(text) => Ok(text.len()),
        AttributeValue::N(text) => Ok(number::bytes(&parsed(text)?)),
        AttributeValue::B(bytes) => Ok(bytes.len()),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => Ok(1),
        AttributeValue::L(values) => sum(values.iter().map(|value| value_bytes(value, level + 1))),
        AttributeValue::M(values) => {
            sum(values.iter().map(|(name, value)| Ok(name_bytes(name)? + value_bytes(value, level + 1)?)))
        }
        AttributeValue::Ss(texts) => set(texts, String::len),
        AttributeValue::Bs(binaries) => set(binaries, Vec::len),
        AttributeValue::Ns(texts) => {
            let numbers = texts.iter().map(|text| parsed(text)).collect::<Result<Vec<_>, _>>()?;
            set(&numbers, number::bytes)
        }
    }
}

fn parsed(number: &str) -> Result<BigDecimal, Refusal> {
    number::parse(number).ok_or_else(|| {
        let found = format!("has the number {}", number.chars().take(NUMBER_CHARS_MAX).collect::<String>());
        let expected = "numbers have at most 38 digits and are 0 or, without their sign, from 1e-130 to below 1e126: \
                        keep it as text";
        Refusal { found, expected }
    })
}

fn set<T: Eq + Hash>(members: &[T], bytes: fn(&T) -> usize) -> Result<usize, Refusal> {
    let distinct: HashSet<_> = members.iter().collect();
    if members.is_empty() || distinct.len() < members.len() {
        let found = if members.is_empty() { "has an empty set" } else { "has a set with a member twice" };
        let expected = "sets have members, each of them once: leave the attribute out, or use a list";
        return Err(Refusal { found: found.to_owned(), expected });
    }
    sum(members.iter().map(|member| Ok(bytes(member))))
}

fn sum(elements: impl Iterator<Item = Result<usize, Refusal>>) -> Result<usize, Refusal> {
    let mut bytes = COLLECTION_BYTES;
    for element in elements {
        bytes += element? + ELEMENT_BYTES;
    }
    Ok(bytes)
}
