/// A function that cannot work as it is written. It is found before the first event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// It handles nothing.
    #[error("the function {name} handles no event type: give it a handler with .on()")]
    NoHandler {
        /// The function.
        name: &'static str,
    },
    /// Which of the two is to run cannot be told.
    #[error("the function {name} has two handlers for {event_type}: keep one")]
    TwoHandlers {
        /// The function.
        name: &'static str,
        /// The type on the wire.
        event_type: String,
    },
    /// The name is part of every ledger key.
    #[error("the function's name is {name:?}: it must have 1 to 64 letters, digits, hyphens and underscores")]
    Name {
        /// What it is.
        name: &'static str,
    },
    /// A setting that makes no sense.
    #[error("the function {name} has no usable {setting}: it must be {expected}")]
    Setting {
        /// The function.
        name: &'static str,
        /// The setting's method.
        setting: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}
