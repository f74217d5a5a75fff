//! SNS: topics, standard and FIFO, with queues and functions as subscribers, over the query protocol.
//!
//! Refused by name: other protocols than `sqs` and `lambda`, text messages and mobile applications, archives and replays
//! of FIFO topics. Notifications carry the documented members, but no real signature: there is no certificate to check it
//! with.

mod error;
mod filter;
mod notification;
mod permission;
mod query;
mod subscription;
mod topic;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::DateTime;
use uuid::Uuid;

pub use self::error::SnsError;
pub use self::notification::{MESSAGE_SIZE_MAX_BYTES, Publication};
pub use self::topic::{SUBSCRIPTIONS_MAX, TOPICS_MAX};

use self::notification::Notification;
use self::subscription::{Protocol, Subscription};
use self::topic::{Sequenced, Topics};
use crate::account::Account;
use crate::destination::Destinations;
use crate::faults::Faults;
use crate::iam::Caller;
use crate::store::{Kept, KeptGuard, Store, StoreError};
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
    faults: Faults,
}

struct State {
    topics: Kept<Topics>,
    /// Held from a FIFO message's place in its topic to its delivery, so that none overtakes another.
    in_order: Mutex<()>,
    undelivered: Mutex<VecDeque<Undelivered>>,
    /// Milliseconds since the epoch.
    clock: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("topics", &self.topics).finish_non_exhaustive()
    }
}

/// What SNS answers to a message published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// A UUID. For a duplicate it is that of the first.
    pub message_id: String,
    /// FIFO only: grows with every message; 20 digits.
    pub sequence_number: Option<String>,
}

impl Sns {
    /// The topics of `store`, in which they are kept; on the system's clock.
    pub fn open(account: Account, destinations: Destinations, store: &Store) -> Result<Self, StoreError> {
        Self::open_with_clock(account, destinations, store, || chrono::Utc::now().timestamp_millis())
    }

    /// As [`Sns::open`], but `clock` tells the time, in milliseconds since the epoch: for tests and simulation.
    pub fn open_with_clock(
        account: Account,
        destinations: Destinations,
        store: &Store,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let state = State {
            topics: Kept::open(store, "sns", Topics::default)?,
            in_order: Mutex::default(),
            undelivered: Mutex::default(),
            clock: Box::new(clock),
        };
        Ok(Self { account, destinations, state: Arc::new(state), faults: Faults::default() })
    }

    /// With what goes wrong in its deliveries on purpose.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Creates the standard topic, or finds it, and gives its ARN.
    pub fn create_topic(&self, name: &str) -> Result<String, SnsError> {
        self.create_topic_with(name, &BTreeMap::new())
    }

    /// Creates the topic with attributes named as AWS names them, or finds it, and gives its ARN.
    pub fn create_topic_with(&self, name: &str, attributes: &BTreeMap<String, String>) -> Result<String, SnsError> {
        self.topics().create(&self.account, name, attributes, &BTreeMap::new())
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
        let attributes = [("RawMessageDelivery".to_owned(), raw.to_string())].into();
        self.subscribe_with(topic_arn, "sqs", queue_arn, &attributes)
    }

    /// Subscribes `endpoint`, the ARN of a queue (`protocol` `sqs`) or a function (`lambda`), with attributes named as
    /// AWS names them.
    pub fn subscribe_with(
        &self,
        topic_arn: &str,
        protocol: &str,
        endpoint: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<String, SnsError> {
        self.topics().subscribe(topic_arn, Protocol::parse(protocol)?, endpoint, attributes)
    }

    /// Makes a topic as it is declared, or gives the one that is there the declared attributes.
    pub(crate) fn deploy_topic(&self, name: &str, attributes: &BTreeMap<String, String>) -> Result<(), SnsError> {
        let mut topics = self.topics();
        let arn = self.account.arn("sns", name);
        let Ok(topic) = topics.topic(&arn) else {
            return topics.create(&self.account, name, attributes, &BTreeMap::new()).map(drop);
        };
        let differs = |(name, value): &(&String, &String)| {
            topic.attributes.get(*name) != Some(*value) && !(*name == "FifoTopic" && *value == "false")
        };
        let changed: Vec<_> = attributes.iter().filter(differs).collect();
        changed.into_iter().try_for_each(|(name, value)| topics.topic_mut(&arn)?.set(name, value))
    }

    /// Makes a subscription as it is declared.
    pub(crate) fn deploy_subscription(
        &self,
        topic_arn: &str,
        protocol: &str,
        endpoint: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), SnsError> {
        self.topics().deploy_subscription(topic_arn, Protocol::parse(protocol)?, endpoint, attributes)
    }

    /// Ends a subscription that is there.
    pub(crate) fn unsubscribe(&self, topic_arn: &str, protocol: &str, endpoint: &str) -> Result<(), SnsError> {
        let mut topics = self.topics();
        match topics.subscription_of(topic_arn, Protocol::parse(protocol)?, endpoint) {
            Some(arn) => topics.unsubscribe(&arn),
            None => Err(SnsError::NotFound { what: "Subscription" }),
        }
    }

    /// Delivers to every subscription of the topic that wants the message; gives the message's id.
    pub fn publish(&self, message: Publication) -> Result<String, SnsError> {
        Ok(self.publish_sequenced(message)?.message_id)
    }

    /// As [`Sns::publish`], with the sequence number that a FIFO topic gives.
    pub fn publish_sequenced(&self, mut message: Publication) -> Result<Published, SnsError> {
        let now_ms = (self.state.clock)();
        let message_id = Uuid::new_v4().to_string();
        let in_order = self.state.in_order.lock().unwrap_or_else(PoisonError::into_inner);
        let mut topics = self.topics();
        let topic = topics.topic(&message.topic_arn)?;
        message.check(topic)?;
        let signature_version = topic.signature_version().to_owned();
        // Only a FIFO topic changes, and is stored.
        let place = if topic.is_fifo() {
            let topic = topics.topic_mut(&message.topic_arn)?;
            Some(topic.sequence(u64::try_from(now_ms).unwrap_or_default(), &message_id, &message))
        } else {
            drop(in_order);
            None
        };
        let sequence_number = place.as_ref().map(|place| place.sequence_number.clone());
        if let Some(Sequenced { message_id, duplicate: true, .. }) = place {
            return Ok(Published { message_id, sequence_number });
        }
        let subscriptions: Vec<_> = topics.of_topic(&message.topic_arn).cloned().collect();
        drop(topics);
        let at = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
        let notification = Notification { message, message_id, at, signature_version, sequence_number };
        let in_order = notification.sequence_number.is_some();
        for subscription in subscriptions {
            // A standard topic delivers at least once: https://docs.aws.amazon.com/sns/latest/dg/sns-create-topic.html
            let twice = !in_order && self.faults.notified_twice(&subscription.topic_arn, &subscription.endpoint);
            for _ in 0..=usize::from(twice) {
                self.deliver(&notification, &subscription);
            }
        }
        Ok(Published { message_id: notification.message_id, sequence_number: notification.sequence_number })
    }

    /// The latest notifications that nobody took, oldest first; at most [`UNDELIVERED_MAX`].
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
        let text = notification.text(subscription.protocol);
        let wanted = subscription.settings.filter.as_ref();
        if wanted.is_some_and(|filter| !filter.passes(text, &notification.message.attributes)) {
            return;
        }
        let outgoing = notification.outgoing(subscription, &self.account);
        let sender = Caller::sns(&subscription.topic_arn);
        let mut outcome = self.destinations.deliver_as(&sender, &subscription.endpoint, outgoing);
        if let (Err(_), Some(arn)) = (&outcome, &subscription.settings.dead_letter_arn) {
            outcome =
                self.destinations.deliver_as(&sender, arn, notification.to_queue(arn, subscription, &self.account));
        }
        if let Err(error) = outcome {
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

    fn topics(&self) -> KeptGuard<'_, Topics> {
        self.state.topics.lock()
    }
}
