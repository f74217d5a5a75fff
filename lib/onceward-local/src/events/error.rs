//! What the bus refuses, by the names AWS gives it.

use super::pattern::PatternError;

/// A refused request. <https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html>
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventsError {
    /// No such bus, rule or resource.
    #[error("{what} does not exist.")]
    NotFound {
        /// `Rule x`, `Event bus y`.
        what: String,
    },
    /// The bus is there already.
    #[error("{what} already exists.")]
    AlreadyExists {
        /// `Event bus y`.
        what: String,
    },
    /// The event pattern is not one.
    #[error(transparent)]
    InvalidPattern(#[from] PatternError),
    /// A parameter is missing, malformed, or not supported here.
    #[error("{reason}")]
    Validation {
        /// What is wrong with which parameter.
        reason: String,
    },
    /// A quota of AWS is exceeded.
    #[error("The requested resource exceeds the maximum number allowed: {what}.")]
    LimitExceeded {
        /// Which quota, and its value.
        what: String,
    },
    /// A replay that is over cannot be cancelled.
    #[error("{reason}")]
    IllegalStatus {
        /// Which resource, in which state.
        reason: String,
    },
    /// A bus's policy has grown too long.
    #[error("The policy is longer than {bytes_max} bytes.")]
    PolicyLengthExceeded {
        /// The limit.
        bytes_max: usize,
    },
    /// An action the local cloud does not have.
    #[error("The local cloud does not support the EventBridge action {action}.")]
    UnsupportedAction {
        /// As in `X-Amz-Target`.
        action: String,
    },
}

impl EventsError {
    /// The exception's name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "ResourceNotFoundException",
            Self::AlreadyExists { .. } => "ResourceAlreadyExistsException",
            Self::InvalidPattern(_) => "InvalidEventPatternException",
            Self::Validation { .. } => "ValidationException",
            Self::LimitExceeded { .. } => "LimitExceededException",
            Self::IllegalStatus { .. } => "IllegalStatusException",
            Self::PolicyLengthExceeded { .. } => "PolicyLengthExceededException",
            Self::UnsupportedAction { .. } => "UnknownOperationException",
        }
    }

    pub(super) fn validation(reason: impl Into<String>) -> Self {
        Self::Validation { reason: reason.into() }
    }
}

/// Why one entry of `PutEvents` is not accepted; the other entries of the request are.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// `Detail` is not a JSON object.
    #[error("Detail is malformed.")]
    MalformedDetail,
    /// A parameter is missing or names nothing.
    #[error("Parameter {parameter} is not valid. Reason: {reason}.")]
    InvalidArgument {
        /// `Source`, `EventBusName`, …
        parameter: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Sources that begin with `aws.` are AWS's own.
    #[error("Not authorized for the source.")]
    NotAuthorizedForSource,
}

impl EntryError {
    /// `ErrorCode` of the result entry.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedDetail => "MalformedDetail",
            Self::InvalidArgument { .. } => "InvalidArgument",
            Self::NotAuthorizedForSource => "NotAuthorizedForSourceException",
        }
    }
}
