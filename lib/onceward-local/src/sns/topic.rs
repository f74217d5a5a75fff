//! Topics and subscriptions, as kept in memory.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::error::SnsError;
use crate::account::Account;

/// Topics of an account. <https://docs.aws.amazon.com/general/latest/gr/sns.html#limits_sns>
pub const TOPICS_MAX: usize = 100_000;

/// Subscriptions of the local cloud, over all topics; AWS allows more than any machine should simulate.
pub const SUBSCRIPTIONS_MAX: usize = 100_000;

/// Tags of one topic. <https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html>
pub(super) const TAGS_MAX: usize = 50;

/// What the names of FIFO topics and queues end with.
const FIFO_SUFFIX: &str = ".fifo";

const NAME_MAX_CHARS: usize = 256;

/// Attributes of a topic that are kept and told; the rest is refused by name.
const TOPIC_ATTRIBUTES: [&str; 5] = ["DisplayName", "KmsMasterKeyId", "Policy", "SignatureVersion", "TracingConfig"];

/// A topic.
#[derive(Debug, Default)]
pub(super) struct Topic {
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) subscriptions_deleted: usize,
}

/// A queue's subscription to a topic.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) arn: String,
    pub(super) topic_arn: String,
    pub(super) queue_arn: String,
    pub(super) raw: bool,
}

/// All topics and subscriptions, by ARN.
#[derive(Debug, Default)]
pub(super) struct Topics {
    pub(super) by_arn: BTreeMap<String, Topic>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
}

impl Topic {
    pub(super) fn signature_version(&self) -> &str {
        self.attributes.get("SignatureVersion").map_or("1", String::as_str)
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
        check_name(name)?;
        attributes.iter().try_for_each(|(name, value)| check_attribute(name, value))?;
        if tags.len() > TAGS_MAX {
            return Err(too_many_tags());
        }
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
        let topic = Topic { attributes: attributes.clone(), tags: tags.clone(), ..Topic::default() };
        self.by_arn.insert(arn.clone(), topic);
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

    pub(super) fn subscribe(&mut self, topic_arn: &str, queue_arn: &str, raw: bool) -> Result<String, SnsError> {
        self.topic(topic_arn)?;
        check_queue(queue_arn)?;
        let found = self.of_topic(topic_arn).find(|subscription| subscription.queue_arn == queue_arn);
        if let Some(subscription) = found {
            return if subscription.raw == raw {
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
        let arn = format!("{topic_arn}:{}", Uuid::new_v4());
        let subscription =
            Subscription { arn: arn.clone(), topic_arn: topic_arn.to_owned(), queue_arn: queue_arn.to_owned(), raw };
        self.subscriptions.insert(arn.clone(), subscription);
        Ok(arn)
    }

    pub(super) fn unsubscribe(&mut self, arn: &str) -> Result<(), SnsError> {
        let removed = self.subscriptions.remove(arn).ok_or(SnsError::NotFound { what: "Subscription" })?;
        if let Some(topic) = self.by_arn.get_mut(&removed.topic_arn) {
            topic.subscriptions_deleted += 1;
        }
        Ok(())
    }
}

pub(super) fn check_attribute(name: &str, value: &str) -> Result<(), SnsError> {
    if !TOPIC_ATTRIBUTES.contains(&name) {
        return Err(SnsError::invalid(name, "The local cloud does not support this topic attribute"));
    }
    if name == "SignatureVersion" && !["1", "2"].contains(&value) {
        return Err(SnsError::invalid(name, "must be 1 or 2"));
    }
    Ok(())
}

pub(super) fn too_many_tags() -> SnsError {
    SnsError::LimitExceeded { code: "TagLimitExceeded", reason: format!("A topic has at most {TAGS_MAX} tags") }
}

fn check_name(name: &str) -> Result<(), SnsError> {
    if name.ends_with(FIFO_SUFFIX) {
        return Err(SnsError::invalid("Name", "The local cloud does not support FIFO topics"));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || name.len() > NAME_MAX_CHARS || !name.chars().all(allowed) {
        return Err(SnsError::invalid(
            "Topic Name",
            format!("'{name}' must be 1 to {NAME_MAX_CHARS} of A-Z a-z 0-9 - _"),
        ));
    }
    Ok(())
}

fn check_queue(arn: &str) -> Result<(), SnsError> {
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sqs", _, _, name] if name.ends_with(FIFO_SUFFIX) => Err(SnsError::invalid(
            "Endpoint",
            "A FIFO queue needs a FIFO topic, which the local cloud does not support",
        )),
        ["arn", _, "sqs", _, _, name] if !name.is_empty() => Ok(()),
        _ => Err(SnsError::invalid("Endpoint", format!("SQS endpoint ARN expected: {arn}"))),
    }
}
