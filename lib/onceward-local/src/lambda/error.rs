//! Why the local Lambda refuses. What a function itself does wrong is not here: that is an invocation's outcome.

use thiserror::Error;

/// A refusal; [`LambdaError::code`] is its AWS name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LambdaError {
    /// No such function.
    #[error("Function not found: {arn}")]
    FunctionNotFound {
        /// The ARN looked for.
        arn: String,
    },
    /// The name is taken.
    #[error("Function already exist: {function}")]
    FunctionExists {
        /// The name.
        function: String,
    },
    /// The queue of waiting invocations is full.
    #[error(
        "Rate Exceeded: {function} has {running} environments at work and {waiting} invocations waiting; send slower or let them finish"
    )]
    TooManyRequests {
        /// The function.
        function: String,
        /// Environments at work.
        running: usize,
        /// Invocations waiting for one.
        waiting: usize,
    },
    /// The function runs as often at once as its `ReservedConcurrentExecutions` allow.
    #[error("Rate Exceeded.")]
    Throttled {
        /// The function.
        function: String,
    },
    /// The function has no version or alias of that name.
    #[error("Function not found: {arn}")]
    QualifierNotFound {
        /// The qualified ARN.
        arn: String,
    },
    /// What is asked for is not configured, or not there.
    #[error("{message}")]
    NotFound {
        /// AWS's words.
        message: String,
    },
    /// A parameter's value is not one.
    #[error("{message}")]
    InvalidParameter {
        /// What is wrong with it.
        message: String,
    },
    /// The payload is over the limit of its invocation type.
    #[error("Request must be smaller than {bytes_max} bytes for the InvokeFunction operation")]
    RequestTooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The payload is no JSON.
    #[error("Could not parse request body into json: {reason}")]
    InvalidRequestContent {
        /// The parser's words.
        reason: String,
    },
    /// The function's process never asked for an event.
    #[error("function {function} did not start: {reason}{}", last_lines(.log))]
    InitFailed {
        /// The function.
        function: String,
        /// What happened.
        reason: String,
        /// The last lines it printed.
        log: Vec<String>,
    },
    /// A `FilterCriteria` pattern that cannot be read.
    #[error("event source mapping {source_arn} -> {function}: filter {filter}: {reason}")]
    InvalidFilter {
        /// The function.
        function: String,
        /// Queue or stream.
        source_arn: String,
        /// The pattern.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A stream that cannot be read.
    #[error("event source mapping of table {table} -> {function}: {reason}")]
    NoStream {
        /// The function.
        function: String,
        /// The table.
        table: String,
        /// What `DynamoDB` said.
        reason: String,
    },
    /// What the local Lambda does not do.
    #[error("{action} is not part of the local Lambda: {instead}")]
    Unsupported {
        /// The API action.
        action: String,
        /// What to do about it.
        instead: String,
    },
    /// The cloud is going down.
    #[error("the local Lambda is shutting down")]
    ShuttingDown,
}

impl LambdaError {
    /// The exception's name in the Lambda API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::FunctionNotFound { .. } | Self::QualifierNotFound { .. } | Self::NotFound { .. } => {
                "ResourceNotFoundException"
            }
            Self::FunctionExists { .. } => "ResourceConflictException",
            Self::TooManyRequests { .. } | Self::Throttled { .. } => "TooManyRequestsException",
            Self::RequestTooLarge { .. } => "RequestTooLargeException",
            Self::InvalidRequestContent { .. } => "InvalidRequestContentException",
            Self::InvalidFilter { .. } | Self::NoStream { .. } | Self::InvalidParameter { .. } => {
                "InvalidParameterValueException"
            }
            Self::Unsupported { .. } => "UnsupportedOperationException",
            Self::InitFailed { .. } | Self::ShuttingDown => "ServiceException",
        }
    }

    /// Why an invocation is throttled, in the Lambda API's words.
    /// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Throttled { .. } => Some("ReservedFunctionConcurrentInvocationLimitExceeded"),
            Self::TooManyRequests { .. } => Some("ConcurrentInvocationLimitExceeded"),
            _ => None,
        }
    }

    /// The HTTP status the Lambda API gives it.
    pub fn status(&self) -> u16 {
        match self {
            Self::FunctionNotFound { .. } | Self::QualifierNotFound { .. } | Self::NotFound { .. } => 404,
            Self::FunctionExists { .. } => 409,
            Self::TooManyRequests { .. } | Self::Throttled { .. } => 429,
            Self::RequestTooLarge { .. } => 413,
            Self::InvalidRequestContent { .. }
            | Self::InvalidFilter { .. }
            | Self::NoStream { .. }
            | Self::InvalidParameter { .. } => 400,
            Self::Unsupported { .. } => 501,
            Self::InitFailed { .. } => 502,
            Self::ShuttingDown => 500,
        }
    }
}

fn last_lines(log: &[String]) -> String {
    if log.is_empty() {
        return "; it printed nothing".to_owned();
    }
    format!("; it printed last:\n  {}", log.join("\n  "))
}
