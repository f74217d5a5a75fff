use bigdecimal::BigDecimal;
use serde_dynamo::AttributeValue;

use super::canonical;
use crate::{Action, Change, Condition, Item, Operation, unit_of_work::number};

/// Whether the condition holds for the row.
pub(super) fn holds(condition: &Condition, row: Option<&Item>) -> bool {
    match condition {
        Condition::Absent => row.is_none(),
        Condition::Present => row.is_some(),
        Condition::Equals(attribute, value) => {
            let found = row.and_then(|row| row.get(attribute));
            found.is_some_and(|found| canonical::value(found) == canonical::value(value))
        }
        Condition::AtLeast(attribute, bound) => {
            let found = row.and_then(|row| number_of(row.get(attribute)?));
            found.is_some_and(|number| number >= *bound)
        }
        Condition::All(conditions) => conditions.iter().all(|condition| holds(condition, row)),
    }
}

/// An update that DynamoDB refuses too.
#[derive(Debug, thiserror::Error)]
#[error("the update of {row} needs {expected} in `{attribute}`")]
pub(super) struct WrongType {
    row: String,
    expected: &'static str,
    attribute: String,
}

/// What the row is after the action; `None` if there is none.
pub(super) fn apply(action: &Action, row: Option<&Item>) -> Result<Option<Item>, WrongType> {
    match &action.operation {
        Operation::Put(_) => Ok(action.put_item().map(canonical::item)),
        Operation::Delete => Ok(None),
        Operation::Check => Ok(row.cloned()),
        Operation::Update(changes) => {
            let mut row = row.cloned().unwrap_or_else(|| {
                let key = action.key.attributes();
                key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).collect()
            });
            for change in changes {
                change_attribute(&mut row, change).map_err(|(expected, attribute)| {
                    let (row, attribute) = (action.row(), attribute.to_owned());
                    WrongType { row, expected, attribute }
                })?;
            }
            Ok(Some(row))
        }
    }
}

/// `Err` is the type that the attribute should have, and the attribute.
fn change_attribute<'a>(row: &mut Item, change: &'a Change) -> Result<(), (&'static str, &'a str)> {
    match change {
        Change::Set(attribute, value) => {
            row.insert(attribute.clone(), canonical::value(value));
        }
        Change::Add(attribute, amount) => {
            let zero = Some(BigDecimal::default());
            let before = row.get(attribute).map_or(zero, number_of).ok_or(("a number", attribute.as_str()))?;
            let after = (before + BigDecimal::from(*amount)).to_plain_string();
            number::parse(&after).ok_or(("a sum of at most 38 digits", attribute.as_str()))?;
            row.insert(attribute.clone(), canonical::value(&AttributeValue::N(after)));
        }
        Change::Append(attribute, value) => {
            let list = row.entry(attribute.clone()).or_insert_with(|| AttributeValue::L(Vec::new()));
            let AttributeValue::L(values) = list else { return Err(("a list", attribute)) };
            values.push(canonical::value(value));
        }
    }
    Ok(())
}

fn number_of(value: &AttributeValue) -> Option<BigDecimal> {
    match value {
        AttributeValue::N(text) => number::parse(text),
        _ => None,
    }
}
