use serde_dynamo::AttributeValue;

use crate::{Action, Change, Condition, Item, Operation};

/// Whether the condition holds for the row.
pub(super) fn holds(condition: &Condition, row: Option<&Item>) -> bool {
    match condition {
        Condition::Absent => row.is_none(),
        Condition::Present => row.is_some(),
        Condition::Equals(attribute, value) => row.and_then(|row| row.get(attribute)) == Some(value),
        Condition::AtLeast(attribute, bound) => {
            row.and_then(|row| number(row.get(attribute)?)).is_some_and(|number| number >= *bound)
        }
        Condition::All(conditions) => conditions.iter().all(|condition| holds(condition, row)),
    }
}

/// What the row is after the action; `None` if there is none.
pub(super) fn apply(action: &Action, row: Option<&Item>) -> Option<Item> {
    match &action.operation {
        Operation::Put(_) => action.put_item(),
        Operation::Delete => None,
        Operation::Check => row.cloned(),
        Operation::Update(changes) => {
            let mut row = row.cloned().unwrap_or_else(|| {
                let key = action.key.attributes();
                key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).collect()
            });
            for change in changes {
                change_attribute(&mut row, change);
            }
            Some(row)
        }
    }
}

fn change_attribute(row: &mut Item, change: &Change) {
    match change {
        Change::Set(attribute, value) => {
            row.insert(attribute.clone(), value.clone());
        }
        Change::Add(attribute, amount) => {
            let before = row.get(attribute).and_then(number).unwrap_or_default();
            row.insert(attribute.clone(), AttributeValue::N(before.saturating_add(*amount).to_string()));
        }
        Change::Append(attribute, value) => {
            let list = row.entry(attribute.clone()).or_insert_with(|| AttributeValue::L(Vec::new()));
            if let AttributeValue::L(values) = list {
                values.push(value.clone());
            }
        }
    }
}

fn number(value: &AttributeValue) -> Option<i64> {
    match value {
        AttributeValue::N(number) => number.parse().ok(),
        _ => None,
    }
}
