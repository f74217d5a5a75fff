//! What SQS refuses, and under which names.

use thiserror::Error;

/// Why SQS refused a request. The codes are those of the AWS API; [`SqsError::shape`] and [`SqsError::query_code`] name
/// them in the two protocols.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SqsError {
    /// No queue of that name, URL or ARN.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist {
        /// The queue as the caller named it.
        queue: String,
    },
    /// The name is taken by a queue with other attributes.
    #[error("A queue already exists with the same name and a different value for attribute {attribute}")]
    QueueNameExists {
        /// The first attribute that differs.
        attribute: String,
    },
    /// The receipt handle was not made by this queue.
    #[error("The input receipt handle \"{receipt_handle}\" is not a valid receipt handle.")]
    ReceiptHandleIsInvalid {
        /// The handle as received.
        receipt_handle: String,
    },
    /// The message is visible again, or was received again since.
    #[error("The message of this receipt handle is not in flight: receive it again and use the new handle.")]
    MessageNotInflight,
    /// The body holds a character outside those XML 1.0 allows.
    #[error(
        "Invalid characters found at offset {offset}. Valid unicode characters are \
             #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
    )]
    InvalidMessageContents {
        /// Byte offset of the first such character.
        offset: usize,
    },
    /// A queue attribute that does not exist, or not for this queue.
    #[error("{reason}")]
    InvalidAttributeName {
        /// What is wrong.
        reason: String,
    },
    /// A queue attribute's value is out of its range.
    #[error("Invalid value for the parameter {attribute}: {reason}")]
    InvalidAttributeValue {
        /// The attribute.
        attribute: String,
        /// What it may be.
        reason: String,
    },
    /// A parameter's value is refused.
    #[error("{reason}")]
    InvalidParameterValue {
        /// Which one, and why.
        reason: String,
    },
    /// A required parameter is not there.
    #[error("The request must contain the parameter {parameter}.")]
    MissingParameter {
        /// Its name.
        parameter: &'static str,
    },
    /// A standard queue has all the messages in flight that it may have.
    #[error("The queue has {in_flight} messages in flight, which is the maximum: delete or release some.")]
    OverLimit {
        /// Messages in flight.
        in_flight: usize,
    },
    /// The name was that of a queue deleted less than a minute ago.
    #[error("You must wait 60 seconds after deleting a queue before you can create another with the same name.")]
    QueueDeletedRecently,
    /// The queue was purged less than a minute ago.
    #[error("Only one PurgeQueue operation on {queue} is allowed every 60 seconds.")]
    PurgeQueueInProgress {
        /// The queue's name.
        queue: String,
    },
    /// What a message move task names is not there.
    #[error("{reason}")]
    ResourceNotFound {
        /// Which resource.
        reason: String,
    },
    /// A permission with more actions than a statement may have.
    #[error("{actions} Actions were found, maximum allowed is {max}.")]
    TooManyActions {
        /// Actions given.
        actions: usize,
        /// The limit.
        max: usize,
    },
    /// A batch without entries.
    #[error("There should be at least one {entry} in the request.")]
    EmptyBatchRequest {
        /// The entry's type.
        entry: &'static str,
    },
    /// A batch with too many entries.
    #[error("Maximum number of entries per request are {max}. You have sent {sent}.")]
    TooManyEntriesInBatchRequest {
        /// The limit.
        max: usize,
        /// Entries sent.
        sent: usize,
    },
    /// Two entries of a batch have the same id.
    #[error("Id {id} repeated.")]
    BatchEntryIdsNotDistinct {
        /// The id.
        id: String,
    },
    /// An entry's id has characters it may not have, or too many.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
             It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    /// All messages of a batch together are too long.
    #[error("Batch requests cannot be longer than {max} bytes. You have sent {sent} bytes.")]
    BatchRequestTooLong {
        /// The limit in bytes.
        max: usize,
        /// Bytes sent.
        sent: usize,
    },
    /// The local cloud does not have this action.
    #[error("SQS {action} is not supported by the local cloud.")]
    UnsupportedOperation {
        /// The action.
        action: String,
    },
    /// The request's body is not what its protocol says.
    #[error("The request body cannot be read: {reason}")]
    Serialization {
        /// Where and why.
        reason: String,
    },
}

impl SqsError {
    /// Name of the error in the JSON protocol, with its namespace: what `__type` holds.
    pub fn shape(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist { .. } => "com.amazonaws.sqs#QueueDoesNotExist",
            Self::QueueNameExists { .. } => "com.amazonaws.sqs#QueueNameExists",
            Self::ReceiptHandleIsInvalid { .. } => "com.amazonaws.sqs#ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "com.amazonaws.sqs#MessageNotInflight",
            Self::InvalidMessageContents { .. } => "com.amazonaws.sqs#InvalidMessageContents",
            Self::InvalidAttributeName { .. } => "com.amazonaws.sqs#InvalidAttributeName",
            Self::InvalidAttributeValue { .. } => "com.amazonaws.sqs#InvalidAttributeValue",
            Self::InvalidParameterValue { .. } => "com.amazon.coral.service#InvalidParameterValueException",
            Self::MissingParameter { .. } => "com.amazon.coral.service#MissingRequiredParameterException",
            Self::OverLimit { .. } | Self::TooManyActions { .. } => "com.amazonaws.sqs#OverLimit",
            Self::QueueDeletedRecently => "com.amazonaws.sqs#QueueDeletedRecently",
            Self::PurgeQueueInProgress { .. } => "com.amazonaws.sqs#PurgeQueueInProgress",
            Self::ResourceNotFound { .. } => "com.amazonaws.sqs#ResourceNotFoundException",
            Self::EmptyBatchRequest { .. } => "com.amazonaws.sqs#EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest { .. } => "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct { .. } => "com.amazonaws.sqs#BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "com.amazonaws.sqs#InvalidBatchEntryId",
            Self::BatchRequestTooLong { .. } => "com.amazonaws.sqs#BatchRequestTooLong",
            Self::UnsupportedOperation { .. } => "com.amazonaws.sqs#UnsupportedOperation",
            Self::Serialization { .. } => "com.amazon.coral.service#SerializationException",
        }
    }

    /// Code of the error in the query protocol: what `x-amzn-query-error` holds, and what SDKs report for both.
    pub fn query_code(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist { .. } => "AWS.SimpleQueueService.NonExistentQueue",
            Self::QueueNameExists { .. } => "QueueAlreadyExists",
            Self::ReceiptHandleIsInvalid { .. } => "ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::InvalidMessageContents { .. } => "InvalidMessageContents",
            Self::InvalidAttributeName { .. } => "InvalidAttributeName",
            Self::InvalidAttributeValue { .. } => "InvalidAttributeValue",
            Self::InvalidParameterValue { .. } => "InvalidParameterValue",
            Self::MissingParameter { .. } => "MissingParameter",
            Self::OverLimit { .. } | Self::TooManyActions { .. } => "OverLimit",
            Self::QueueDeletedRecently => "AWS.SimpleQueueService.QueueDeletedRecently",
            Self::PurgeQueueInProgress { .. } => "AWS.SimpleQueueService.PurgeQueueInProgress",
            Self::ResourceNotFound { .. } => "ResourceNotFoundException",
            Self::EmptyBatchRequest { .. } => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest { .. } => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct { .. } => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "AWS.SimpleQueueService.InvalidBatchEntryId",
            Self::BatchRequestTooLong { .. } => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::UnsupportedOperation { .. } => "AWS.SimpleQueueService.UnsupportedOperation",
            Self::Serialization { .. } => "MalformedQueryString",
        }
    }

    /// HTTP status in the query protocol. In the JSON protocol it is always 400.
    pub fn query_status(&self) -> u16 {
        match self {
            Self::ReceiptHandleIsInvalid { .. } | Self::ResourceNotFound { .. } => 404,
            Self::OverLimit { .. } | Self::TooManyActions { .. } | Self::PurgeQueueInProgress { .. } => 403,
            _ => 400,
        }
    }

    /// `Value {value} for parameter {parameter} is invalid. Reason: {reason}`: how SQS words most refusals.
    pub(crate) fn parameter(parameter: &str, value: impl std::fmt::Display, reason: &str) -> Self {
        let reason = format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}");
        Self::InvalidParameterValue { reason }
    }
}
