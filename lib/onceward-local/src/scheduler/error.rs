//! What `EventBridge` Scheduler refuses, by the names AWS gives it.

/// A refused request. <https://docs.aws.amazon.com/scheduler/latest/APIReference/CommonErrors.html>
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchedulerError {
    /// No such schedule or group.
    #[error("{what} does not exist.")]
    NotFound {
        /// `Schedule x`, `Schedule group y`.
        what: String,
    },
    /// The name is taken, or a client token was used for something else.
    #[error("{reason}")]
    Conflict {
        /// What is in the way.
        reason: String,
    },
    /// A parameter is missing, malformed, or not supported here.
    #[error("{reason}")]
    Validation {
        /// What is wrong with which parameter.
        reason: String,
    },
    /// A quota is exceeded.
    #[error("The quota of {what} is exceeded.")]
    QuotaExceeded {
        /// Which quota, and its value.
        what: String,
    },
}

impl SchedulerError {
    /// The exception's name on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "ResourceNotFoundException",
            Self::Conflict { .. } => "ConflictException",
            Self::Validation { .. } => "ValidationException",
            Self::QuotaExceeded { .. } => "ServiceQuotaExceededException",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound { .. } => 404,
            Self::Conflict { .. } => 409,
            Self::Validation { .. } => 400,
            Self::QuotaExceeded { .. } => 402,
        }
    }

    pub(super) fn validation(reason: impl Into<String>) -> Self {
        Self::Validation { reason: reason.into() }
    }
}
