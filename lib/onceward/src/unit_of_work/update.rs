use std::collections::HashSet;

use serde::Serialize;
use serde_dynamo::AttributeValue;

/// One attribute's change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The attribute gets this value.
    Set(String, AttributeValue),
    /// The number goes up, or down if negative; a missing one counts from zero.
    Add(String, i64),
    /// The value becomes the list's last; a missing list starts empty.
    Append(String, AttributeValue),
}

/// Whether there is a change, and none meets another.
pub(super) fn is_clear(changes: &[Change]) -> bool {
    let attributes = changes.iter().map(|change| match change {
        Change::Set(attribute, _) | Change::Add(attribute, _) | Change::Append(attribute, _) => attribute,
    });
    let distinct: HashSet<_> = attributes.collect();
    !changes.is_empty() && distinct.len() == changes.len()
}

/// Changes of one row's attributes. Each attribute can be changed once.
#[derive(Debug, Default)]
pub struct Update {
    changes: Vec<Change>,
    error: Option<serde_dynamo::Error>,
}

impl Update {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(self, attribute: impl Into<String>, value: impl Serialize) -> Self {
        self.serialized(attribute.into(), value, Change::Set)
    }

    /// Adds to a number.
    #[must_use]
    pub fn add(mut self, attribute: impl Into<String>, amount: i64) -> Self {
        self.changes.push(Change::Add(attribute.into(), amount));
        self
    }

    /// Subtracts from a number. It may become negative: guard it with [`at_least`](crate::at_least).
    #[must_use]
    pub fn subtract(self, attribute: impl Into<String>, amount: i64) -> Self {
        self.add(attribute, amount.saturating_neg())
    }

    /// Appends one value to a list.
    #[must_use]
    pub fn append(self, attribute: impl Into<String>, value: impl Serialize) -> Self {
        self.serialized(attribute.into(), value, Change::Append)
    }

    fn serialized(
        mut self,
        attribute: String,
        value: impl Serialize,
        change: fn(String, AttributeValue) -> Change,
    ) -> Self {
        match serde_dynamo::to_attribute_value(value) {
            Ok(value) => self.changes.push(change(attribute, value)),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    pub(super) fn into_changes(self) -> Result<Vec<Change>, serde_dynamo::Error> {
        self.error.map_or(Ok(self.changes), Err)
    }
}
