//! What S3 refuses, and under which codes.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>

use thiserror::Error;

/// Why S3 refused a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum S3Error {
    /// No bucket of that name.
    #[error("The specified bucket does not exist")]
    NoSuchBucket {
        /// The name.
        bucket: String,
    },
    /// No object of that key.
    #[error("The specified key does not exist.")]
    NoSuchKey {
        /// The key.
        key: String,
    },
    /// No multipart upload of that id.
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
         completed."
    )]
    NoSuchUpload {
        /// The id.
        upload_id: String,
    },
    /// The bucket has objects.
    #[error("The bucket you tried to delete is not empty")]
    BucketNotEmpty {
        /// The bucket.
        bucket: String,
    },
    /// The name breaks the rules.
    #[error("The specified bucket is not valid.")]
    InvalidBucketName {
        /// The name.
        bucket: String,
    },
    /// `If-Match` or another condition does not hold.
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed {
        /// The condition's header.
        condition: &'static str,
    },
    /// The reader has the object already.
    #[error("Not Modified")]
    NotModified {
        /// The object's, with its quotes.
        etag: String,
    },
    /// An object or a request body beyond the limit.
    #[error("Your proposed upload exceeds the maximum allowed size of {bytes_max} bytes")]
    EntityTooLarge {
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// The local cloud does not do this.
    #[error("The local cloud does not do this: {what}")]
    NotImplemented {
        /// What was asked for.
        what: String,
    },
    /// Any other refusal.
    #[error("{reason}")]
    Refused {
        /// The code of AWS.
        code: &'static str,
        /// The HTTP status AWS gives it.
        status: u16,
        /// What is wrong.
        reason: String,
    },
}

impl S3Error {
    /// The code on the wire.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchBucket { .. } => "NoSuchBucket",
            Self::NoSuchKey { .. } => "NoSuchKey",
            Self::NoSuchUpload { .. } => "NoSuchUpload",
            Self::BucketNotEmpty { .. } => "BucketNotEmpty",
            Self::InvalidBucketName { .. } => "InvalidBucketName",
            Self::PreconditionFailed { .. } => "PreconditionFailed",
            Self::NotModified { .. } => "NotModified",
            Self::EntityTooLarge { .. } => "EntityTooLarge",
            Self::NotImplemented { .. } => "NotImplemented",
            Self::Refused { code, .. } => code,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotModified { .. } => 304,
            Self::NoSuchBucket { .. } | Self::NoSuchKey { .. } | Self::NoSuchUpload { .. } => 404,
            Self::BucketNotEmpty { .. } => 409,
            Self::PreconditionFailed { .. } => 412,
            Self::InvalidBucketName { .. } | Self::EntityTooLarge { .. } => 400,
            Self::NotImplemented { .. } => 501,
            Self::Refused { status, .. } => *status,
        }
    }

    /// What the error's document names besides code and message.
    pub(super) fn detail(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::NoSuchBucket { bucket } | Self::BucketNotEmpty { bucket } | Self::InvalidBucketName { bucket } => {
                Some(("BucketName", bucket))
            }
            Self::NoSuchKey { key } => Some(("Key", key)),
            Self::NoSuchUpload { upload_id } => Some(("UploadId", upload_id)),
            Self::PreconditionFailed { condition } => Some(("Condition", condition)),
            _ => None,
        }
    }

    pub(super) fn refused(code: &'static str, status: u16, reason: impl Into<String>) -> Self {
        Self::Refused { code, status, reason: reason.into() }
    }

    pub(super) fn argument(reason: impl Into<String>) -> Self {
        Self::refused("InvalidArgument", 400, reason)
    }

    pub(super) fn request(reason: impl Into<String>) -> Self {
        Self::refused("InvalidRequest", 400, reason)
    }
}
