//! Topics and their subscriptions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::error::SnsError;
use super::notification::{MESSAGE_SIZE_MAX_BYTES, Publication};
use super::subscription::{Protocol, Settings, Subscription};
use crate::account::Account;
use crate::sqs::{Deduplication, Original};

/// Topics of an account. <https://docs.aws.amazon.com/general/latest/gr/sns.html#limits_sns>
pub const TOPICS_MAX: usize = 100_000;

/// Subscriptions of the local cloud, over all topics; AWS allows more than any machine should simulate.
pub const SUBSCRIPTIONS_MAX: usize = 100_000;

/// Filter policies of one topic.
/// <https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html>
pub(super) const FILTERS_MAX: usize = 200;

/// Tags of one topic, and characters of their keys and values.
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-tags.html>
const TAGS_MAX: usize = 50;
const TAG_KEY_MAX_CHARS: usize = 128;
const TAG_VALUE_MAX_CHARS: usize = 256;

/// What the names of FIFO topics and queues end with.
pub(super) const FIFO_SUFFIX: &str = ".fifo";

const NAME_MAX_CHARS: usize = 256;

/// What `MaximumMessageSize` of a topic may be, in bytes.
const MESSAGE_SIZE_BYTES: std::ops::RangeInclusive<usize> = 1_024..=1_048_576;

/// Attributes of a topic that are kept and told; the rest is refused by name.
const TOPIC_ATTRIBUTES: [&str; 7] = [
    "DeliveryPolicy",
    "DisplayName",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "Policy",
    "SignatureVersion",
    "TracingConfig",
];

/// Attributes that a FIFO topic alone has.
const FIFO_ATTRIBUTES: [&str; 2] = ["ContentBasedDeduplication", "FifoThroughputScope"];

/// AWS's sequence numbers have 20 digits and leave gaps.
const SEQUENCE_FIRST: u128 = 10_000_000_000_000_000_000;
const SEQUENCE_STEP: u128 = 1_000;

/// A topic.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Topic {
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) subscriptions_deleted: usize,
    /// FIFO: messages published.
    published: u64,
    /// FIFO: the deduplication ids of the last 5 minutes.
    deduplication: Deduplication,
}

/// What a FIFO topic answers to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequenced {
    pub(super) message_id: String,
    pub(super) sequence_number: String,
    /// It was published before, less than 5 minutes ago: nobody receives it again.
    pub(super) duplicate: bool,
}

/// All topics and subscriptions, by ARN.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Topics {
    pub(super) by_arn: BTreeMap<String, Topic>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
}

impl Topic {
    pub(super) fn signature_version(&self) -> &str {
        self.attributes.get("SignatureVersion").map_or("1", String::as_str)
    }

    pub(super) fn is_fifo(&self) -> bool {
        self.attributes.contains_key("FifoTopic")
    }

    pub(super) fn deduplicates_by_content(&self) -> bool {
        self.attributes.get("ContentBasedDeduplication").is_some_and(|value| value == "true")
    }

    /// Bytes of a message, and of a batch.
    pub(super) fn message_bytes_max(&self) -> usize {
        let set = self.attributes.get("MaximumMessageSize").and_then(|text| text.parse().ok());
        set.unwrap_or(MESSAGE_SIZE_MAX_BYTES)
    }

    /// Gives a message of a FIFO topic its place, unless it has one already.
    pub(super) fn sequence(&mut self, now_ms: u64, message_id: &str, message: &Publication) -> Sequenced {
        let per_group = self.attributes.get("FifoThroughputScope").is_some_and(|scope| scope == "MessageGroup");
        let group = message.group_id.clone().filter(|_| per_group);
        let key = (group, message.deduplication_id.clone().unwrap_or_default());
        self.deduplication.forget(now_ms);
        let known = self.deduplication.original(&key);
        let duplicate = known.is_some();
        let original = known.unwrap_or_else(|| {
            let original = Original { message_id: message_id.to_owned(), arrival: self.published };
            self.published += 1;
            self.deduplication.remember(now_ms, key, original.clone());
            original
        });
        let sequence_number = (SEQUENCE_FIRST + u128::from(original.arrival) * SEQUENCE_STEP).to_string();
        Sequenced { message_id: original.message_id, sequence_number, duplicate }
    }

    /// Sets an attribute of a topic that is there.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), SnsError> {
        if name == "FifoTopic" {
            return Err(SnsError::invalid("AttributeName", "FifoTopic is set when a topic is created"));
        }
        check_attribute(name, value, self.is_fifo())?;
        self.attributes.insert(name.to_owned(), value.to_owned());
        Ok(())
    }
}

impl Topics {
    pub(super) fn create(
        &mut self,
        account: &Account,
        name: &str,
        attributes: &BTreeMap<String, String>,
        tags: &BTreeMap<String, String>,
    ) -> Result<String, SnsError> {
        let mut attributes = attributes.clone();
        let fifo = match attributes.get("FifoTopic").map(String::as_str) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(SnsError::invalid("FifoTopic", "must be true or false")),
        };
        if !fifo {
            attributes.remove("FifoTopic");
        }
        check_name(name, fifo)?;
        let others = attributes.iter().filter(|(name, _)| *name != "FifoTopic");
        others.into_iter().try_for_each(|(name, value)| check_attribute(name, value, fifo))?;
        check_tags(tags)?;
        let arn = account.arn("sns", name);
        if let Some(topic) = self.by_arn.get(&arn) {
            // Attributes that are not named may be anything: creating again asks only for what it names.
            if attributes.iter().any(|(name, value)| topic.attributes.get(name) != Some(value)) {
                return Err(SnsError::invalid("Attributes", "Topic already exists with different attributes"));
            }
            if tags.iter().any(|(key, value)| topic.tags.get(key) != Some(value)) {
                return Err(SnsError::invalid("Tags", "Topic already exists with different tags"));
            }
            return Ok(arn);
        }
        if self.by_arn.len() >= TOPICS_MAX {
            return Err(SnsError::LimitExceeded {
                code: "TopicLimitExceeded",
                reason: format!("An account has at most {TOPICS_MAX} topics"),
            });
        }
        if fifo {
            attributes.entry("ContentBasedDeduplication".to_owned()).or_insert_with(|| "false".to_owned());
            attributes.entry("FifoThroughputScope".to_owned()).or_insert_with(|| "Topic".to_owned());
        }
        self.by_arn.insert(arn.clone(), Topic { attributes, tags: tags.clone(), ..Topic::default() });
        Ok(arn)
    }

    pub(super) fn topic(&self, arn: &str) -> Result<&Topic, SnsError> {
        self.by_arn.get(arn).ok_or(SnsError::NotFound { what: "Topic" })
    }

    pub(super) fn topic_mut(&mut self, arn: &str) -> Result<&mut Topic, SnsError> {
        self.by_arn.get_mut(arn).ok_or(SnsError::NotFound { what: "Topic" })
    }

    /// A topic that is not there is deleted already. Its subscriptions go with it.
    pub(super) fn delete(&mut self, arn: &str) {
        self.by_arn.remove(arn);
        self.subscriptions.retain(|_, subscription| subscription.topic_arn != arn);
    }

    pub(super) fn of_topic<'a>(&'a self, arn: &'a str) -> impl Iterator<Item = &'a Subscription> {
        self.subscriptions.values().filter(move |subscription| subscription.topic_arn == arn)
    }

    pub(super) fn subscribe(
        &mut self,
        topic_arn: &str,
        protocol: Protocol,
        endpoint: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<String, SnsError> {
        self.topic(topic_arn)?;
        protocol.check(endpoint, topic_arn)?;
        let settings = Settings::read(attributes, protocol, topic_arn)?;
        let found = self.subscription_of(topic_arn, protocol, endpoint);
        if let Some(subscription) = found.and_then(|arn| self.subscriptions.get(&arn)) {
            return if subscription.settings.include(&settings) {
                Ok(subscription.arn.clone())
            } else {
                Err(SnsError::invalid("Attributes", "Subscription already exists with different attributes"))
            };
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            return Err(SnsError::LimitExceeded {
                code: "SubscriptionLimitExceeded",
                reason: format!("The local cloud has at most {SUBSCRIPTIONS_MAX} subscriptions"),
            });
        }
        self.check_filters(topic_arn, &settings)?;
        let arn = format!("{topic_arn}:{}", Uuid::new_v4());
        let (topic_arn, endpoint) = (topic_arn.to_owned(), endpoint.to_owned());
        let subscription = Subscription { arn: arn.clone(), topic_arn, protocol, endpoint, settings };
        self.subscriptions.insert(arn.clone(), subscription);
        Ok(arn)
    }

    /// Subscribes, or makes the subscription that is there have these attributes and no others.
    pub(super) fn deploy_subscription(
        &mut self,
        topic_arn: &str,
        protocol: Protocol,
        endpoint: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<(), SnsError> {
        let Some(arn) = self.subscription_of(topic_arn, protocol, endpoint) else {
            return self.subscribe(topic_arn, protocol, endpoint, attributes).map(drop);
        };
        let settings = Settings::read(attributes, protocol, topic_arn)?;
        if let Some(subscription) = self.subscriptions.get_mut(&arn) {
            subscription.settings = settings;
        }
        Ok(())
    }

    /// ARN of the subscription of that endpoint.
    pub(super) fn subscription_of(&self, topic_arn: &str, protocol: Protocol, endpoint: &str) -> Option<String> {
        let found = self.of_topic(topic_arn).find(|it| it.protocol == protocol && it.endpoint == endpoint);
        found.map(|subscription| subscription.arn.clone())
    }

    pub(super) fn unsubscribe(&mut self, arn: &str) -> Result<(), SnsError> {
        let removed = self.subscriptions.remove(arn).ok_or(SnsError::NotFound { what: "Subscription" })?;
        if let Some(topic) = self.by_arn.get_mut(&removed.topic_arn) {
            topic.subscriptions_deleted += 1;
        }
        Ok(())
    }

    /// Whether a topic has room for one more filter policy, if there is one.
    fn check_filters(&self, topic_arn: &str, settings: &Settings) -> Result<(), SnsError> {
        let filtered = |subscription: &&Subscription| subscription.settings.filter.is_some();
        if settings.filter.is_some() && self.of_topic(topic_arn).filter(filtered).count() >= FILTERS_MAX {
            return Err(SnsError::LimitExceeded {
                code: "FilterPolicyLimitExceeded",
                reason: format!("A topic has at most {FILTERS_MAX} filter policies"),
            });
        }
        Ok(())
    }

    /// Changes one attribute of a subscription.
    pub(super) fn set_subscription(&mut self, arn: &str, name: &str, value: &str) -> Result<(), SnsError> {
        let subscription = self.subscriptions.get(arn).ok_or(SnsError::NotFound { what: "Subscription" })?;
        let Subscription { protocol, topic_arn, settings, .. } = subscription;
        let changed = settings.with(name, value, *protocol, topic_arn)?;
        if settings.filter.is_none() {
            self.check_filters(topic_arn, &changed)?;
        }
        if let Some(subscription) = self.subscriptions.get_mut(arn) {
            subscription.settings = changed;
        }
        Ok(())
    }
}

fn check_attribute(name: &str, value: &str, fifo: bool) -> Result<(), SnsError> {
    let one_of = |allowed: &[&str]| {
        if allowed.contains(&value) { Ok(()) } else { Err(SnsError::invalid(name, allowed.join(" or "))) }
    };
    // Delivery status would be logged under these.
    if name.ends_with("FeedbackRoleArn") || name.ends_with("FeedbackSampleRate") {
        return Ok(());
    }
    if FIFO_ATTRIBUTES.contains(&name) && !fifo {
        return Err(SnsError::invalid(name, "only a FIFO topic has this attribute"));
    }
    match name {
        "SignatureVersion" => one_of(&["1", "2"]),
        "ContentBasedDeduplication" => one_of(&["true", "false"]),
        "FifoThroughputScope" => one_of(&["Topic", "MessageGroup"]),
        "TracingConfig" => one_of(&["PassThrough", "Active"]),
        "MaximumMessageSize" if !value.parse().is_ok_and(|bytes| MESSAGE_SIZE_BYTES.contains(&bytes)) => {
            Err(SnsError::invalid(name, "must be from 1024 to 1048576"))
        }
        "Policy" | "DeliveryPolicy"
            if !value.is_empty() && serde_json::from_str::<serde_json::Value>(value).is_err() =>
        {
            Err(SnsError::invalid(name, "failed to parse JSON"))
        }
        name if TOPIC_ATTRIBUTES.contains(&name) => Ok(()),
        "ArchivePolicy" | "DataProtectionPolicy" => {
            Err(SnsError::invalid(name, "The local cloud does not support this topic attribute"))
        }
        name => Err(SnsError::invalid("AttributeName", format!("Invalid attribute name: {name}"))),
    }
}

/// What a topic's policy says before somebody changes it: the owner may do everything.
pub(super) fn default_policy(account: &Account, topic_arn: &str) -> String {
    let actions = ["GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic"];
    let actions = actions.into_iter().chain(["Subscribe", "ListSubscriptionsByTopic", "Publish"]);
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": actions.map(|action| format!("SNS:{action}")).collect::<Vec<_>>(),
            "Resource": topic_arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": account.id } },
        }],
    })
    .to_string()
}

/// Whether a topic may have these tags.
pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), SnsError> {
    if tags.len() > TAGS_MAX {
        let reason = format!("A topic has at most {TAGS_MAX} tags");
        return Err(SnsError::LimitExceeded { code: "TagLimitExceeded", reason });
    }
    let fits = |(key, value): (&String, &String)| {
        (1..=TAG_KEY_MAX_CHARS).contains(&key.chars().count())
            && value.chars().count() <= TAG_VALUE_MAX_CHARS
            && !key.to_ascii_lowercase().starts_with("aws:")
    };
    match tags.iter().find(|tag| !fits(*tag)) {
        Some((key, _)) => Err(SnsError::invalid(
            "Tags",
            format!(
                "'{key}': a key has 1 to {TAG_KEY_MAX_CHARS} characters and does not begin with aws:, a value has at \
                 most {TAG_VALUE_MAX_CHARS}"
            ),
        )),
        None => Ok(()),
    }
}

fn check_name(name: &str, fifo: bool) -> Result<(), SnsError> {
    let stem = if fifo { name.strip_suffix(FIFO_SUFFIX).unwrap_or_default() } else { name };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if stem.is_empty() || name.len() > NAME_MAX_CHARS || !stem.chars().all(allowed) {
        let end = if fifo { " and end with .fifo" } else { "; only the name of a FIFO topic ends with .fifo" };
        let reason = format!("'{name}' must be 1 to {NAME_MAX_CHARS} of A-Z a-z 0-9 - _{end}");
        return Err(SnsError::invalid("Topic Name", reason));
    }
    Ok(())
}
