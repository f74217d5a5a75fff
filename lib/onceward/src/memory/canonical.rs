//! Values in the one form that DynamoDB gives back, whatever form they were written in: equal values are the same then.
//!
//! Numbers are compared as numbers, sets without regard to order, also inside lists and maps; see
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>.

use serde_dynamo::AttributeValue;

use crate::{Item, unit_of_work::number};

/// The item as it is read after it was written.
pub(super) fn item(item: Item) -> Item {
    item.into_iter().map(|(name, one)| (name, value(&one))).collect()
}

/// The value as it is read after it was written.
pub(super) fn value(from: &AttributeValue) -> AttributeValue {
    match from {
        AttributeValue::N(text) => AttributeValue::N(shortest(text)),
        AttributeValue::Ns(texts) => {
            let mut numbers: Vec<_> = texts.iter().map(|text| (number::parse(text), shortest(text))).collect();
            numbers.sort();
            AttributeValue::Ns(numbers.into_iter().map(|(_, text)| text).collect())
        }
        AttributeValue::Ss(texts) => AttributeValue::Ss(sorted(texts)),
        AttributeValue::Bs(binaries) => AttributeValue::Bs(sorted(binaries)),
        AttributeValue::L(values) => AttributeValue::L(values.iter().map(value).collect()),
        AttributeValue::M(values) => {
            AttributeValue::M(values.iter().map(|(name, one)| (name.clone(), value(one))).collect())
        }
        AttributeValue::S(_) | AttributeValue::B(_) | AttributeValue::Bool(_) | AttributeValue::Null(_) => from.clone(),
    }
}

/// A number without zeros that say nothing and without an exponent; what is none stays as it is.
fn shortest(text: &str) -> String {
    number::parse(text).map_or_else(|| text.to_owned(), |number| number.to_plain_string())
}

fn sorted<T: Clone + Ord>(members: &[T]) -> Vec<T> {
    let mut members = members.to_vec();
    members.sort();
    members
}
