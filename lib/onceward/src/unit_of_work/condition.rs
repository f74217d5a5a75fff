use serde::Serialize;
use serde_dynamo::AttributeValue;

/// What must hold for a row when the unit of work commits.
///
/// If it does not, nothing is written and the handler runs again on fresh reads: somebody else may have changed the row. If
/// the next run fails as well because the same row is missing, or is there, that is no race: the event is given up as
/// [`ConditionCannotHold`](crate::Reason::ConditionCannotHold). A handler whose row may come later loads it and returns an
/// error, which is retried.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// There is no such row.
    Absent,
    /// There is such a row.
    Present,
    /// The attribute is there and has this value.
    Equals(String, AttributeValue),
    /// The attribute is a number and not smaller.
    AtLeast(String, i64),
    /// All of these; none at all always holds.
    All(Vec<Condition>),
}

impl Condition {
    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::All(mut conditions) => {
                conditions.push(other);
                Self::All(conditions)
            }
            condition => Self::All(vec![condition, other]),
        }
    }

    /// Whether it cannot hold while there is such a row, or while there is none, whatever is in it.
    pub(crate) fn excludes(&self, exists: bool) -> bool {
        match self {
            Self::Absent => exists,
            Self::Present | Self::Equals(..) | Self::AtLeast(..) => !exists,
            Self::All(conditions) => conditions.iter().any(|condition| condition.excludes(exists)),
        }
    }
}

/// There is no such row.
pub fn absent() -> Condition {
    Condition::Absent
}

/// There is such a row.
pub fn present() -> Condition {
    Condition::Present
}

/// The attribute has this value. A value that cannot be serialized equals nothing.
pub fn equals(attribute: impl Into<String>, value: impl Serialize) -> Condition {
    let value = serde_dynamo::to_attribute_value(value);
    value.map_or(Condition::Absent.and(Condition::Present), |value| Condition::Equals(attribute.into(), value))
}

/// The attribute is a number of at least this.
pub fn at_least(attribute: impl Into<String>, value: i64) -> Condition {
    Condition::AtLeast(attribute.into(), value)
}

/// The row's attribute `version` has this value: nobody changed the row since it was read.
pub fn version(version: u64) -> Condition {
    Condition::Equals("version".to_owned(), AttributeValue::N(version.to_string()))
}

/// All of the conditions; with none, always true.
pub fn all(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    Condition::All(conditions.into_iter().collect())
}
