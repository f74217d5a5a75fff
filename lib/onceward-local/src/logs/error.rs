//! Why the local `CloudWatch` Logs refuses.

/// A refusal; [`LogsError::code`] is its AWS name. All have HTTP status 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogsError {
    /// No such group.
    #[error("The specified log group does not exist.")]
    NoGroup,
    /// No such stream in the group.
    #[error("The specified log stream does not exist.")]
    NoStream,
    /// A parameter is missing or makes no sense.
    #[error("{reason}")]
    InvalidParameter {
        /// What is wrong.
        reason: String,
    },
    /// What the local cloud does not do.
    #[error(
        "the local cloud does not have CloudWatch Logs {action}; it has DescribeLogGroups, DescribeLogStreams, \
         FilterLogEvents, GetLogEvents: functions write to their groups, and nobody else does"
    )]
    Unsupported {
        /// The action.
        action: String,
    },
}

impl LogsError {
    /// The exception's name in the Logs API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoGroup | Self::NoStream => "ResourceNotFoundException",
            Self::InvalidParameter { .. } => "InvalidParameterException",
            Self::Unsupported { .. } => "UnknownOperationException",
        }
    }
}
