//! What SNS refuses, by the codes AWS gives it.

/// A refused request. <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnsError {
    /// No such topic, subscription or resource.
    #[error("{what} does not exist")]
    NotFound {
        /// `Topic`, `Subscription`, `Resource`.
        what: &'static str,
    },
    /// A parameter is missing, malformed, or not supported here.
    #[error("Invalid parameter: {parameter} Reason: {reason}")]
    InvalidParameter {
        /// The parameter's name.
        parameter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A message attribute that is none.
    #[error("{reason}")]
    InvalidParameterValue {
        /// Which one, and what is wrong with it.
        reason: String,
    },
    /// A batch with no entry, too many, or two of one id.
    #[error("{reason}")]
    InvalidBatch {
        /// `EmptyBatchRequest`, `TooManyEntriesInBatchRequest`, `BatchEntryIdsNotDistinct`, `BatchRequestTooLong`.
        code: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A quota of AWS is exceeded.
    #[error("{reason}")]
    LimitExceeded {
        /// `TopicLimitExceeded`, `SubscriptionLimitExceeded`, `FilterPolicyLimitExceeded`, `TagLimitExceeded`.
        code: &'static str,
        /// Which quota, and its value.
        reason: String,
    },
    /// An action the local cloud does not have.
    #[error("The local cloud does not support the SNS action {action}")]
    UnsupportedAction {
        /// As in the parameter `Action`.
        action: String,
    },
}

impl SnsError {
    /// The code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound { what: "Resource" } => "ResourceNotFound",
            Self::NotFound { .. } => "NotFound",
            Self::InvalidParameter { .. } => "InvalidParameter",
            Self::InvalidParameterValue { .. } => "ParameterValueInvalid",
            Self::InvalidBatch { code, .. } | Self::LimitExceeded { code, .. } => code,
            Self::UnsupportedAction { .. } => "InvalidAction",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotFound { .. } => 404,
            Self::LimitExceeded { code, .. } if *code != "TagLimitExceeded" => 403,
            Self::InvalidParameter { .. }
            | Self::InvalidParameterValue { .. }
            | Self::InvalidBatch { .. }
            | Self::LimitExceeded { .. }
            | Self::UnsupportedAction { .. } => 400,
        }
    }

    pub(super) fn invalid(parameter: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidParameter { parameter: parameter.into(), reason: reason.into() }
    }
}
