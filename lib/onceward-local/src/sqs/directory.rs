//! The queues themselves: create, find, describe, change, delete.

use super::error::SqsError;
use super::limits;
use super::queue::Queue;
use super::service::{Entry, Sqs};
use super::settings::{self, Settings};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// Attributes that are computed, not set.
const COMPUTED: [&str; 6] = [
    "QueueArn",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
];
/// Attributes that a queue may not have, and that may be asked for all the same.
const OPTIONAL: [&str; 9] = [
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
];

/// Attributes that every queue has, and that can be set.
const DEFAULTED: [&str; 6] = [
    "VisibilityTimeout",
    "DelaySeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "SqsManagedSseEnabled",
];

impl Sqs {
    /// Creates a queue with attributes named as AWS names them; answers its URL. Creating it again with the same
    /// attributes does nothing. Its dead-letter queue must exist. The name of a deleted queue is free after 60 seconds.
    pub fn create_queue(&self, name: &str, attributes: &BTreeMap<String, String>) -> Result<String, SqsError> {
        let settings = Settings::new(name, attributes)?;
        let now_ms = self.now_ms();
        let mut queues = self.locked();
        if let Some(entry) = queues.get(name) {
            let existing = entry.queue.settings().values();
            let differs = |(name, value): &(&String, &String)| !same(name, existing.get(*name), value);
            return match attributes.iter().find(differs) {
                Some((attribute, _)) => Err(SqsError::QueueNameExists { attribute: attribute.clone() }),
                None => Ok(self.url(name)),
            };
        }
        self.check_deleted(name, now_ms)?;
        self.check_redrive(&queues, name, &settings)?;
        let entry = Entry {
            queue: Queue::new(Uuid::new_v4().as_u128(), settings),
            tags: BTreeMap::new(),
            created_ms: now_ms,
            modified_ms: now_ms,
            purged_ms: None,
            moves: VecDeque::new(),
            arrived: Arc::new(Notify::new()),
            saved: None,
        };
        queues.insert(name.to_owned(), entry);
        Ok(self.url(name))
    }

    /// Creates a queue, or gives the one that is there exactly these attributes: as a template does when it is deployed
    /// again. The messages stay.
    pub(crate) fn deploy_queue(&self, name: &str, attributes: &BTreeMap<String, String>) -> Result<(), SqsError> {
        let settings = Settings::new(name, attributes)?;
        {
            let mut queues = self.locked();
            if queues.contains_key(name) {
                self.check_redrive(&queues, name, &settings)?;
                let entry = find(&mut queues, name)?;
                if entry.queue.settings().values() != settings.values() {
                    entry.queue.change_settings(settings);
                    entry.modified_ms = self.now_ms();
                }
                return Ok(());
            }
        }
        self.create_queue(name, attributes).map(drop)
    }

    /// Deletes a queue with its messages; those waiting for one get an error.
    pub fn delete_queue(&self, queue: &str) -> Result<(), SqsError> {
        let removed = self.locked().remove(name(queue)).ok_or_else(|| missing(queue))?;
        self.deleted().insert(name(queue).to_owned(), self.now_ms());
        removed.arrived.notify_waiters();
        Ok(())
    }

    /// Deletes all messages of a queue, at once (AWS takes up to 60 seconds). One purge in 60 seconds is allowed.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_PurgeQueue.html>
    pub fn purge_queue(&self, queue: &str) -> Result<(), SqsError> {
        self.with_queue(queue, |entry, now_ms| {
            if entry.purged_ms.is_some_and(|purged_ms| now_ms < purged_ms + limits::PURGE_AND_DELETE_MS) {
                return Err(SqsError::PurgeQueueInProgress { queue: name(queue).to_owned() });
            }
            entry.purged_ms = Some(now_ms);
            entry.queue.purge();
            Ok(())
        })?
    }

    /// Changes attributes of a queue; the others stay.
    pub fn set_queue_attributes(&self, queue: &str, attributes: &BTreeMap<String, String>) -> Result<(), SqsError> {
        let now_ms = self.now_ms();
        let mut queues = self.locked();
        let settings = find(&mut queues, queue)?.queue.settings().changed(attributes)?;
        if attributes.contains_key("RedrivePolicy") {
            self.check_redrive(&queues, name(queue), &settings)?;
        }
        let entry = find(&mut queues, queue)?;
        entry.queue.change_settings(settings);
        entry.modified_ms = now_ms;
        Ok(())
    }

    /// The named attributes of a queue that have a value; `All` names all.
    pub fn queue_attributes(&self, queue: &str, names: &[String]) -> Result<BTreeMap<String, String>, SqsError> {
        let mut all = self.with_queue(queue, |entry, now_ms| {
            let depth = entry.queue.depth(now_ms);
            let mut all = entry.queue.settings().values().clone();
            let computed = [
                self.arn(name(queue)),
                depth.visible.to_string(),
                depth.in_flight.to_string(),
                depth.delayed.to_string(),
                (entry.created_ms / 1_000).to_string(),
                (entry.modified_ms / 1_000).to_string(),
            ];
            all.extend(COMPUTED.iter().map(|name| (*name).to_owned()).zip(computed));
            all
        })?;
        let known = |name: &str| name == "All" || all.contains_key(name) || OPTIONAL.contains(&name);
        if let Some(unknown) = names.iter().find(|name| !known(name)) {
            return Err(SqsError::InvalidAttributeName { reason: format!("Unknown Attribute {unknown}.") });
        }
        if !names.iter().any(|name| name == "All") {
            all.retain(|name, _| names.contains(name));
        }
        Ok(all)
    }

    /// Nobody but this account has queues here.
    pub(crate) fn check_owner(&self, queue: &str, owner: Option<&str>) -> Result<(), SqsError> {
        let arn = self.arn("");
        let ours = owner.is_none_or(|owner| arn.ends_with(&format!(":{owner}:")));
        if ours { Ok(()) } else { Err(missing(queue)) }
    }

    /// Names of the queues whose dead-letter queue is `queue`, in order.
    pub fn dead_letter_sources(&self, queue: &str) -> Result<Vec<String>, SqsError> {
        let mut queues = self.locked();
        find(&mut queues, queue)?;
        let arn = self.arn(name(queue));
        let aims = |entry: &Entry| entry.queue.settings().redrive.as_ref().is_some_and(|it| it.dead_letter_arn == arn);
        Ok(queues.iter().filter(|(_, entry)| aims(entry)).map(|(name, _)| name.clone()).collect())
    }

    /// Tags of a queue.
    pub fn queue_tags(&self, queue: &str) -> Result<BTreeMap<String, String>, SqsError> {
        self.peek(queue, |entry| entry.tags.clone())
    }

    /// Adds tags to a queue, up to 50.
    pub fn tag_queue(&self, queue: &str, tags: BTreeMap<String, String>) -> Result<(), SqsError> {
        self.with_queue(queue, |entry, _| {
            let mut all = entry.tags.clone();
            all.extend(tags);
            check_tags(&all)?;
            entry.tags = all;
            Ok(())
        })?
    }

    /// Removes tags from a queue; those it does not have are no error.
    pub fn untag_queue(&self, queue: &str, keys: &[String]) -> Result<(), SqsError> {
        self.with_queue(queue, |entry, _| entry.tags.retain(|key, _| !keys.contains(key)))
    }

    /// The name of a deleted queue is free after 60 seconds.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html>
    fn check_deleted(&self, name: &str, now_ms: u64) -> Result<(), SqsError> {
        let mut deleted = self.deleted();
        deleted.retain(|_, deleted_ms| now_ms < *deleted_ms + limits::PURGE_AND_DELETE_MS);
        if deleted.contains_key(name) { Err(SqsError::QueueDeletedRecently) } else { Ok(()) }
    }

    /// A dead-letter queue must be here, of the same type, and allow this source.
    fn check_redrive(&self, queues: &BTreeMap<String, Entry>, name: &str, settings: &Settings) -> Result<(), SqsError> {
        let Some(redrive) = &settings.redrive else { return Ok(()) };
        let target = self::name(&redrive.dead_letter_arn);
        let here = self.arn(target) == redrive.dead_letter_arn;
        let Some(dead_letters) = queues.get(target).filter(|_| here) else {
            return Err(redrive.refused("Dead letter target does not exist."));
        };
        if dead_letters.queue.settings().fifo != settings.fifo {
            return Err(redrive.refused("Dead letter target must be same type of queue as the source."));
        }
        if !dead_letters.queue.settings().redrive_allow.allows(&self.arn(name)) {
            return Err(redrive.refused("Dead letter target does not permit this queue as its source."));
        }
        Ok(())
    }
}

pub(crate) fn is_queue_attribute(name: &str) -> bool {
    COMPUTED.contains(&name) || OPTIONAL.contains(&name) || DEFAULTED.contains(&name)
}

/// Whether a queue may have these tags.
pub(crate) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), SqsError> {
    let key_fits = |key: &str| limits::TAG_KEY_CHARS.contains(&key.chars().count());
    let reason = if tags.len() > limits::TAGS_MAX {
        format!("Too many tags for queue: {}; the maximum is {}.", tags.len(), limits::TAGS_MAX)
    } else if tags.keys().any(|key| !key_fits(key)) {
        "Tag keys must be between 1 and 128 characters in length.".to_owned()
    } else if tags.values().any(|value| value.chars().count() > limits::TAG_VALUE_CHARS_MAX) {
        "Tag values must be between 0 and 256 characters in length.".to_owned()
    } else if let Some(key) = tags.keys().find(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        format!("Tag keys must not start with aws:, which is reserved. The key is '{key}'.")
    } else {
        return Ok(());
    };
    Err(SqsError::InvalidParameterValue { reason })
}

/// The name in a name, a URL or an ARN.
pub(crate) fn name(queue: &str) -> &str {
    let separator = if queue.starts_with("arn:") { ':' } else { '/' };
    queue.trim_end_matches('/').rsplit(separator).next().unwrap_or(queue)
}

pub(crate) fn find<'a>(queues: &'a mut BTreeMap<String, Entry>, queue: &str) -> Result<&'a mut Entry, SqsError> {
    queues.get_mut(name(queue)).ok_or_else(|| missing(queue))
}

pub(crate) fn missing(queue: &str) -> SqsError {
    SqsError::QueueDoesNotExist { queue: queue.to_owned() }
}

/// Whether an attribute has the value already; policies are compared as JSON, and an empty value is none.
fn same(name: &str, existing: Option<&String>, given: &str) -> bool {
    let Some(existing) = existing else { return given.is_empty() };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    settings::canonical(name, given).is_ok_and(|given| *existing == given)
        || (name.ends_with("Policy") && json(existing) == json(given))
}
