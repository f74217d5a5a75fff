//! What Lambda checks of a function's role when an event source mapping is made: it reads the source by that role, and
//! tells of failures by it. <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>

use super::Iam;
use super::evaluate::Need;
use crate::destination::service;
use crate::endpoint::Services;

const QUEUE: [&str; 3] = ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"];
const STREAM: [&str; 4] = ["GetRecords", "GetShardIterator", "DescribeStream", "ListStreams"];

/// Why a mapping is not made: `InvalidParameterValueException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceRefused {
    /// The role lacks an action on the queue or the destination.
    #[error("The function execution role does not have permissions to call {action} on {service}")]
    Action {
        /// `ReceiveMessage`
        action: &'static str,
        /// `SQS`
        service: &'static str,
    },
    /// The role lacks one of the four actions on the stream.
    #[error(
        "Cannot access stream {stream_arn}. Please ensure the role can perform the GetRecords, GetShardIterator, \
         DescribeStream, and ListStreams Actions on your stream in IAM."
    )]
    Stream {
        /// The stream.
        stream_arn: String,
    },
}

impl Iam {
    /// Whether `function` may read the queue. What the mapping needs counts as used.
    pub fn authorize_queue(&self, services: &Services, function: &str, queue_arn: &str) -> Result<(), SourceRefused> {
        for action in QUEUE {
            self.source(services, function, "sqs", action, queue_arn)
                .map_err(|()| SourceRefused::Action { action, service: "SQS" })?;
        }
        Ok(())
    }

    /// Whether `function` may read the stream. What the mapping needs counts as used.
    pub fn authorize_stream(&self, services: &Services, function: &str, stream_arn: &str) -> Result<(), SourceRefused> {
        for action in STREAM {
            self.source(services, function, "dynamodb", action, stream_arn)
                .map_err(|()| SourceRefused::Stream { stream_arn: stream_arn.to_owned() })?;
        }
        Ok(())
    }

    /// Whether `function` may tell its destination what failed. What that needs counts as used.
    pub fn authorize_destination(&self, services: &Services, function: &str, arn: &str) -> Result<(), SourceRefused> {
        let (prefix, action, name) = match service(arn) {
            Some("sqs") => ("sqs", "SendMessage", "SQS"),
            Some("sns") => ("sns", "Publish", "SNS"),
            Some("lambda") => ("lambda", "InvokeFunction", "Lambda"),
            Some("events") => ("events", "PutEvents", "EventBridge"),
            Some("s3") => ("s3", "PutObject", "S3"),
            _ => return Ok(()),
        };
        self.source(services, function, prefix, action, arn)
            .map_err(|()| SourceRefused::Action { action, service: name })
    }

    fn source(&self, services: &Services, function: &str, prefix: &str, action: &str, arn: &str) -> Result<(), ()> {
        self.check(services, &self.function(function), &Need::new(prefix, action, arn)).map_err(|_| ())
    }
}
