//! What one service hands on to another: a message for whatever an ARN names.
//!
//! The services of a cloud know each other in circles (a topic invokes a function, whose failures go to a topic), so each
//! has a [`Destinations`] from the start, and the cloud connects it once all are there.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use crate::endpoint::Services;
use crate::iam::{Caller, Denial};
use crate::lambda::LambdaError;
use crate::sns::{Publication, SnsError};
use crate::sqs::{Outgoing, SqsError};

/// The destinations of one cloud. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Destinations {
    services: Arc<RwLock<Option<Services>>>,
}

/// Why a destination did not take a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// The ARN is none, or of a service that takes no messages here.
    #[error("the local cloud does not deliver to {arn}")]
    UnknownDestination {
        /// The ARN.
        arn: String,
    },
    /// The cloud is going down, or has not started.
    #[error("the local cloud is not running")]
    NotRunning,
    /// No policy lets the sender in.
    #[error("{}", .0.message())]
    Denied(Denial),
    /// The queue refused it.
    #[error(transparent)]
    Queue(#[from] SqsError),
    /// The topic refused it.
    #[error(transparent)]
    Topic(#[from] SnsError),
    /// Lambda did not take it for an asynchronous invocation.
    #[error(transparent)]
    Function(#[from] LambdaError),
}

impl Destinations {
    /// Makes `services` reachable.
    pub(crate) fn connect(&self, services: Services) {
        *self.services.write().unwrap_or_else(PoisonError::into_inner) = Some(services);
    }

    /// Lets go of the services: they hold this handle, so without it none of them would ever be freed.
    pub(crate) fn disconnect(&self) {
        self.services.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// All services; none before the cloud has started and after it has stopped.
    pub(crate) fn services(&self) -> Option<Services> {
        self.services.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`deliver`](Self::deliver), if the policies let `sender` in.
    pub(crate) fn deliver_as(&self, sender: &Caller, arn: &str, message: Outgoing) -> Result<(), DeliveryError> {
        let services = self.services().ok_or(DeliveryError::NotRunning)?;
        services.iam.authorize_delivery(&services, sender, arn).map_err(DeliveryError::Denied)?;
        self.deliver(arn, message)
    }

    /// Hands `message` to the queue, the topic or the function (asynchronously) that `arn` names. A topic takes body,
    /// attributes, group and deduplication id; a function the body alone.
    pub(crate) fn deliver(&self, arn: &str, message: Outgoing) -> Result<(), DeliveryError> {
        let services = self.services().ok_or(DeliveryError::NotRunning)?;
        match service(arn) {
            Some("sqs") => drop(services.sqs.send(arn, message)?),
            Some("sns") => {
                let Outgoing { body, attributes, .. } = message;
                let topic_arn = arn.to_owned();
                drop(services.sns.publish(Publication { topic_arn, message: body, subject: None, attributes })?);
            }
            Some("lambda") => services.lambda.invoke_later(arn, Bytes::from(message.body), message.trace_header)?,
            _ => return Err(DeliveryError::UnknownDestination { arn: arn.to_owned() }),
        }
        Ok(())
    }
}

/// The service in an ARN: `arn:{partition}:{service}:…`.
pub(crate) fn service(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_the_third_part_of_an_arn() {
        assert_eq!(service("arn:aws:sqs:eu-west-1:000000000000:orders"), Some("sqs"));
        assert_eq!(service("https://sqs"), None);
    }

    #[test]
    fn nothing_is_delivered_before_the_cloud_runs() {
        let refused = Destinations::default().deliver("arn:aws:sqs:eu-west-1:000000000000:q", Outgoing::default());
        assert_eq!(refused, Err(DeliveryError::NotRunning));
    }
}
