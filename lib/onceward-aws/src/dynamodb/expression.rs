use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use onceward::{Change, Condition, Key};

/// Placeholders of one request's expressions. Every name gets one: any word may be reserved.
#[derive(Debug, Default)]
pub(super) struct Placeholders {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Placeholders {
    pub(super) fn name(&mut self, attribute: &str) -> String {
        if let Some((placeholder, _)) = self.names.iter().find(|(_, name)| *name == attribute) {
            return placeholder.clone();
        }
        let placeholder = format!("#n{}", self.names.len());
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    pub(super) fn value(&mut self, value: impl Into<AttributeValue>) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value.into());
        placeholder
    }

    /// DynamoDB refuses empty maps.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        Some(self.names.clone()).filter(|names| !names.is_empty())
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        Some(self.values.clone()).filter(|values| !values.is_empty())
    }

    /// A condition expression; `None` if it always holds.
    pub(super) fn condition(&mut self, condition: &Condition, key: &Key) -> Option<String> {
        let partition = key.partition.0;
        match condition {
            Condition::Absent => Some(format!("attribute_not_exists({})", self.name(partition))),
            Condition::Present => Some(format!("attribute_exists({})", self.name(partition))),
            Condition::Equals(attribute, value) => {
                Some(format!("{} = {}", self.name(attribute), self.value(value.clone())))
            }
            Condition::AtLeast(attribute, bound) => {
                Some(format!("{} >= {}", self.name(attribute), self.value(number(*bound))))
            }
            Condition::All(conditions) => {
                let parts: Vec<_> = conditions.iter().filter_map(|condition| self.condition(condition, key)).collect();
                Some(parts.join(" AND ")).filter(|expression| !expression.is_empty())
            }
        }
    }

    /// An update expression.
    pub(super) fn update(&mut self, changes: &[Change]) -> String {
        let (mut set, mut add) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Set(attribute, value) => {
                    set.push(format!("{} = {}", self.name(attribute), self.value(value.clone())));
                }
                Change::Add(attribute, amount) => {
                    add.push(format!("{} {}", self.name(attribute), self.value(number(*amount))));
                }
                Change::Append(attribute, value) => {
                    let name = self.name(attribute);
                    let empty = self.value(AttributeValue::L(Vec::new()));
                    let last = self.value(AttributeValue::L(vec![value.clone().into()]));
                    set.push(format!("{name} = list_append(if_not_exists({name}, {empty}), {last})"));
                }
            }
        }
        let clauses = [("SET", set), ("ADD", add)].into_iter().filter(|(_, parts)| !parts.is_empty());
        clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect::<Vec<_>>().join(" ")
    }
}

/// A key as the SDK takes it.
pub(super) fn key_item(key: &Key) -> HashMap<String, AttributeValue> {
    key.attributes().map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).collect()
}

pub(super) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
