use std::fmt::Display;

/// A unit of work that cannot be committed as it is: a mistake in the handler, not in the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitOfWorkError {
    /// DynamoDB refuses two actions on one item in a transaction.
    #[error("the row {row} is touched twice: combine the changes into one action")]
    SameRowTwice {
        /// `table/key`.
        row: String,
    },
    /// DynamoDB has no empty update, and refuses two changes of one attribute.
    #[error("the update of {row} must change something, and each attribute once")]
    UpdateUnclear {
        /// `table/key`.
        row: String,
    },
    /// DynamoDB refuses a name or a value.
    #[error("`{attribute}` of the row {row} {found}: {expected}")]
    Unusable {
        /// `table/key`.
        row: String,
        /// Name of the attribute, of the key or another.
        attribute: String,
        /// What is wrong with it.
        found: String,
        /// The limit, and what to do.
        expected: &'static str,
    },
    /// More than a limit allows.
    #[error("{what}: {found}, at most {limit} are possible: {advice}")]
    TooLarge {
        /// What there is too much of, with the row if it is one row's.
        what: String,
        /// How much there is.
        found: usize,
        /// How much there may be.
        limit: usize,
        /// What to do.
        advice: &'static str,
    },
    /// A function does what it has not said of itself.
    #[error("the function {function} {does} and does not say so: add .{line}::<…>() to it, with the type that it is")]
    Undeclared {
        /// The function.
        function: &'static str,
        /// What it does.
        does: String,
        /// The method that says so.
        line: &'static str,
    },
    /// A value has no form in the store.
    #[error("{what} cannot be serialized: {message}")]
    NotSerializable {
        /// Which value.
        what: String,
        /// What the serializer says.
        message: String,
    },
}

/// What to do about more than one transaction can hold.
pub(super) const SPLIT_WORK: &str = "split the work over several events";

impl UnitOfWorkError {
    /// Refuses what is above a limit.
    pub(super) fn unless_within(
        what: impl Display,
        found: usize,
        limit: usize,
        advice: &'static str,
    ) -> Result<(), Self> {
        match found > limit {
            true => Err(Self::TooLarge { what: what.to_string(), found, limit, advice }),
            false => Ok(()),
        }
    }
}
