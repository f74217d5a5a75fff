//! What one service hands on to another: a message for whatever an ARN names.
//!
//! The services of a cloud know each other in circles (a topic invokes a function, whose failures go to a topic), so each
//! has a [`Destinations`] from the start, and the cloud connects it once all are there.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;

use crate::endpoint::Services;
use crate::events::{Entry, EntryError};
use crate::iam::{Caller, Denial};
use crate::lambda::LambdaError;
use crate::remote::{Remote, Sending};
use crate::sns::{Publication, SnsError};
use crate::sqs::{Outgoing, SqsError};

/// The destinations of one cloud. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Destinations {
    services: Arc<RwLock<Option<Arc<Services>>>>,
    /// Where queues and topics are, if that is not here.
    remote: Arc<OnceLock<Remote>>,
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
    /// The bus refused it.
    #[error(transparent)]
    Bus(#[from] EntryError),
    /// Lambda did not take it for an asynchronous invocation.
    #[error(transparent)]
    Function(#[from] LambdaError),
}

impl DeliveryError {
    /// The code of the service that refused.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::UnknownDestination { .. } => "UnknownDestination",
            Self::NotRunning => "ServiceUnavailable",
            Self::Denied(_) => "AccessDeniedException",
            Self::Queue(error) => error.query_code(),
            Self::Topic(error) => error.code(),
            Self::Bus(error) => error.code(),
            Self::Function(error) => error.code(),
        }
    }

    /// Whether the same message may be taken later: the service is throttled or ill, the message is not at fault.
    pub(crate) fn is_retryable(&self) -> bool {
        const NOT_IMPLEMENTED: u16 = 501;
        const TOO_MANY_REQUESTS: u16 = 429;
        let transient = |status: u16| status == TOO_MANY_REQUESTS || status >= 500 && status != NOT_IMPLEMENTED;
        match self {
            Self::UnknownDestination { .. } | Self::Denied(_) | Self::Bus(_) => false,
            Self::NotRunning => true,
            Self::Queue(error) => matches!(error, SqsError::OverLimit { .. }) || transient(error.query_status()),
            Self::Topic(error) => transient(error.status()),
            Self::Function(error) => transient(error.status()),
        }
    }
}

impl Destinations {
    /// Makes `services` reachable.
    pub(crate) fn connect(&self, services: Services) {
        *self.services.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(services));
    }

    /// From now on queues and topics are those of another cloud.
    pub(crate) fn divert(&self, remote: Remote) {
        let _ = self.remote.set(remote);
    }

    /// Lets go of the services: they hold this handle, so without it none of them would ever be freed.
    pub(crate) fn disconnect(&self) {
        self.services.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// All services; none before the cloud has started and after it has stopped.
    pub(crate) fn services(&self) -> Option<Arc<Services>> {
        self.services.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As [`deliver`](Self::deliver), if the policies let `sender` in.
    pub(crate) fn deliver_as(&self, sender: &Caller, arn: &str, message: Outgoing) -> Result<(), DeliveryError> {
        let services = self.services().ok_or(DeliveryError::NotRunning)?;
        services.iam.authorize_delivery(&services, sender, arn).map_err(DeliveryError::Denied)?;
        self.deliver(arn, message)
    }

    /// The same for what a function's configuration sends: its role must allow it.
    pub(crate) fn deliver_for(&self, function: &str, arn: &str, message: Outgoing) -> Result<(), DeliveryError> {
        let sender = self.services().ok_or(DeliveryError::NotRunning)?.iam.function(function);
        self.deliver_as(&sender, arn, message)
    }

    /// Puts an event that a function's configuration sends: its role must allow it.
    pub(crate) fn put_event_for(&self, function: &str, entry: Entry) -> Result<(), DeliveryError> {
        if let Some(remote) = self.remote.get() {
            remote.send(Sending::Event(entry));
            return Ok(());
        }
        let services = self.services().ok_or(DeliveryError::NotRunning)?;
        let sender = services.iam.function(function);
        services.iam.authorize_delivery(&services, &sender, &entry.bus).map_err(DeliveryError::Denied)?;
        services.events.put_event(entry)?;
        Ok(())
    }

    /// The same for what a service sends with a role that it is given.
    pub(crate) fn deliver_by(&self, role_arn: &str, arn: &str, message: Outgoing) -> Result<(), DeliveryError> {
        const SESSION: &str = "onceward";
        let sender = self.services().ok_or(DeliveryError::NotRunning)?.iam.assumed(role_arn, SESSION);
        self.deliver_as(&sender, arn, message)
    }

    /// Hands `message` to the queue, the topic or the function (asynchronously) that `arn` names. A topic takes body,
    /// attributes, group and deduplication id; a function the body alone.
    pub(crate) fn deliver(&self, arn: &str, message: Outgoing) -> Result<(), DeliveryError> {
        let services = self.services().ok_or(DeliveryError::NotRunning)?;
        match (service(arn), self.remote.get()) {
            // What goes wrong on the way is told by it.
            (Some("sqs" | "sns"), Some(remote)) => {
                remote.send(Sending::Message(arn.to_owned(), message));
            }
            (Some("sqs"), None) => drop(services.sqs.send(arn, message)?),
            (Some("sns"), None) => {
                let Outgoing { body: message, attributes, group_id, deduplication_id, .. } = message;
                let topic_arn = arn.to_owned();
                drop(services.sns.publish(Publication {
                    topic_arn,
                    message,
                    attributes,
                    group_id,
                    deduplication_id,
                    ..Publication::default()
                })?);
            }
            (Some("lambda"), _) => {
                drop(services.lambda.invoke_later(arn, Bytes::from(message.body), message.trace_header)?);
            }
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
    fn a_message_is_tried_again_only_where_it_is_not_at_fault() {
        let function = "f".to_owned();
        let full = LambdaError::TooManyRequests { function: function.clone(), running: 1, waiting: 1 };
        let missing = LambdaError::FunctionNotFound { arn: function };
        assert!(DeliveryError::Function(full).is_retryable());
        assert!(!DeliveryError::Function(missing).is_retryable());
        assert!(DeliveryError::NotRunning.is_retryable());
        assert!(!DeliveryError::Queue(SqsError::QueueDoesNotExist { queue: "q".to_owned() }).is_retryable());
    }

    #[test]
    fn nothing_is_delivered_before_the_cloud_runs() {
        let refused = Destinations::default().deliver("arn:aws:sqs:eu-west-1:000000000000:q", Outgoing::default());
        assert_eq!(refused, Err(DeliveryError::NotRunning));
    }
}
