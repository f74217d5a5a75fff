//! SNS: topics with SQS subscriptions, over the query protocol.
//!
//! Refused by name: FIFO topics, other protocols than `sqs`, filter policies and redrive policies of subscriptions.
//! Notifications carry the documented members, but no real signature: there is no certificate to check it with.

mod error;
mod notification;
mod query;
mod topic;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use uuid::Uuid;

pub use self::error::SnsError;
pub use self::notification::{MESSAGE_SIZE_MAX_BYTES, Publication};
pub use self::topic::{SUBSCRIPTIONS_MAX, TOPICS_MAX};

use self::notification::Notification;
use self::topic::{Subscription, Topics};
use crate::account::Account;
use crate::destination::Destinations;
use crate::iam::Caller;
use crate::wire::{AwsRequest, AwsResponse};

/// The attribute that says who may publish and subscribe.
const POLICY: &str = "Policy";

/// Lost notifications that are remembered; the oldest makes room.
pub const UNDELIVERED_MAX: usize = 1000;

/// A notification that a subscribed queue did not take: on AWS only a metric would show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The message's id.
    pub message_id: String,
    /// The subscription.
    pub subscription_arn: String,
    /// What failed.
    pub reason: String,
}

/// The topics of one account. Cloning gives another handle to the same topics.
#[derive(Debug, Clone)]
pub struct Sns {
    account: Account,
    destinations: Destinations,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    topics: Mutex<Topics>,
    undelivered: Mutex<VecDeque<Undelivered>>,
}

impl Sns {
    /// An account without topics.
    pub fn new(account: Account, destinations: Destinations) -> Self {
        Self { account, destinations, state: Arc::default() }
    }

    /// Creates the topic, or finds it, and gives its ARN.
    pub fn create_topic(&self, name: &str) -> Result<String, SnsError> {
        self.topics().create(&self.account, name, &BTreeMap::new(), &BTreeMap::new())
    }

    /// The topic's `Policy`, if it has one.
    pub(crate) fn policy(&self, topic_arn: &str) -> Option<String> {
        self.topics().topic(topic_arn).ok()?.attributes.get(POLICY).cloned()
    }

    /// Sets the topic's `Policy`.
    pub(crate) fn set_policy(&self, topic_arn: &str, policy: &str) -> Result<(), SnsError> {
        self.topics().topic_mut(topic_arn)?.attributes.insert(POLICY.to_owned(), policy.to_owned());
        Ok(())
    }

    /// Subscribes a queue and gives the subscription's ARN; the same subscription twice is one.
    pub fn subscribe(&self, topic_arn: &str, queue_arn: &str, raw: bool) -> Result<String, SnsError> {
        self.topics().subscribe(topic_arn, queue_arn, raw)
    }

    /// Delivers to every subscription of the topic and gives the message's id.
    pub fn publish(&self, message: Publication) -> Result<String, SnsError> {
        message.check()?;
        let message_id = Uuid::new_v4().to_string();
        let (signature_version, subscriptions) = {
            let topics = self.topics();
            let topic = topics.topic(&message.topic_arn)?;
            (topic.signature_version().to_owned(), topics.of_topic(&message.topic_arn).cloned().collect::<Vec<_>>())
        };
        let notification = Notification { message, message_id, at: Utc::now(), signature_version };
        for subscription in subscriptions {
            self.deliver(&notification, &subscription);
        }
        Ok(notification.message_id)
    }

    /// The latest notifications that a queue did not take, oldest first; at most [`UNDELIVERED_MAX`].
    pub fn undelivered(&self) -> Vec<Undelivered> {
        self.state.undelivered.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Answers one request of the query protocol.
    // Deliveries do not wait for anything; async is what the endpoint expects of every service.
    #[allow(clippy::unused_async)]
    pub async fn handle(&self, request: AwsRequest) -> AwsResponse {
        wire::handle(self, &request)
    }

    fn deliver(&self, notification: &Notification, subscription: &Subscription) {
        let outgoing = notification.outgoing(subscription, &self.account);
        let sender = Caller::sns(&subscription.topic_arn);
        if let Err(error) = self.destinations.deliver_as(&sender, &subscription.queue_arn, outgoing) {
            let mut all = self.state.undelivered.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() == UNDELIVERED_MAX {
                all.pop_front();
            }
            all.push_back(Undelivered {
                message_id: notification.message_id.clone(),
                subscription_arn: subscription.arn.clone(),
                reason: error.to_string(),
            });
        }
    }

    fn topics(&self) -> MutexGuard<'_, Topics> {
        self.state.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
