//! Subscriptions: who receives what a topic publishes, and how.
//! <https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html>

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::SnsError;
use super::filter::{Filter, Scope};
use super::topic::FIFO_SUFFIX;

const RAW: &str = "RawMessageDelivery";
const FILTER: &str = "FilterPolicy";
const SCOPE: &str = "FilterPolicyScope";
const REDRIVE: &str = "RedrivePolicy";

/// Protocols of AWS that the local cloud does not deliver by.
const ELSEWHERE: [&str; 7] = ["http", "https", "email", "email-json", "sms", "application", "firehose"];

/// How notifications are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Sqs,
    Lambda,
}

/// A subscription to a topic.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) arn: String,
    pub(super) topic_arn: String,
    pub(super) protocol: Protocol,
    /// ARN of the queue or the function.
    pub(super) endpoint: String,
    pub(super) settings: Settings,
}

/// A subscription's attributes, checked.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// The attributes that were set, by their AWS names.
    values: BTreeMap<String, String>,
    /// The message as published, without SNS's JSON around it.
    pub(super) raw: bool,
    pub(super) filter: Option<Filter>,
    /// The queue that takes what the endpoint does not.
    pub(super) dead_letter_arn: Option<String>,
}

impl Protocol {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::Lambda => "lambda",
        }
    }

    pub(super) fn parse(name: &str) -> Result<Self, SnsError> {
        match name {
            "sqs" => Ok(Self::Sqs),
            "lambda" => Ok(Self::Lambda),
            name if ELSEWHERE.contains(&name) => {
                let reason = format!("The local cloud does not deliver to {name}: only sqs and lambda");
                Err(SnsError::invalid("Protocol", reason))
            }
            name => Err(SnsError::invalid("Protocol", format!("Does not support this protocol string: {name}"))),
        }
    }

    /// Checks that `endpoint` is of this protocol and can be subscribed to the topic.
    pub(super) fn check(self, endpoint: &str, topic_arn: &str) -> Result<(), SnsError> {
        let parts: Vec<&str> = endpoint.split(':').collect();
        let fifo_topic = topic_arn.ends_with(FIFO_SUFFIX);
        let refuse = |reason: String| Err(SnsError::invalid("Endpoint", reason));
        match (self, parts.as_slice()) {
            (Self::Sqs, ["arn", _, "sqs", _, _, name]) if name.ends_with(FIFO_SUFFIX) && !fifo_topic => {
                refuse("FIFO SQS Queues can not be subscribed to standard SNS topics".to_owned())
            }
            (Self::Sqs, ["arn", _, "sqs", _, _, name]) if !name.is_empty() => Ok(()),
            (Self::Sqs, _) => refuse(format!("SQS endpoint ARN expected: {endpoint}")),
            (Self::Lambda, _) if fifo_topic => {
                refuse("A FIFO topic delivers to queues only: subscribe a queue that triggers the function".to_owned())
            }
            (Self::Lambda, ["arn", _, "lambda", _, _, "function", name, ..]) if !name.is_empty() => Ok(()),
            (Self::Lambda, _) => refuse(format!("Lambda endpoint ARN expected: {endpoint}")),
        }
    }
}

impl Settings {
    /// Reads attributes by their AWS names.
    pub(super) fn read(
        given: &BTreeMap<String, String>,
        protocol: Protocol,
        topic_arn: &str,
    ) -> Result<Self, SnsError> {
        let mut values = given.clone();
        // An empty value takes an attribute away.
        values.retain(|name, value| !(value.is_empty() && [FILTER, REDRIVE].contains(&name.as_str())));
        let raw = match values.get(RAW).map(|value| value.to_ascii_lowercase()).as_deref() {
            None | Some("false") => false,
            Some("true") if protocol == Protocol::Sqs => true,
            Some("true") => return Err(SnsError::invalid(RAW, "Delivery to a function is never raw")),
            Some(_) => return Err(SnsError::invalid(RAW, "Invalid value. Must be true or false")),
        };
        let scope = values.get(SCOPE).map_or(Ok(Scope::Attributes), |text| Scope::parse(text))?;
        let filter = values.get(FILTER).map_or(Ok(None), |text| Filter::parse(text, scope))?;
        if filter.is_none() {
            values.remove(FILTER);
        }
        let dead_letter_arn = values.get(REDRIVE).map(|text| dead_letter_arn(text, topic_arn)).transpose()?;
        if let Some(name) = values.keys().find(|name| ![RAW, FILTER, SCOPE, REDRIVE].contains(&name.as_str())) {
            return Err(match name.as_str() {
                "DeliveryPolicy" | "SubscriptionRoleArn" | "ReplayPolicy" => {
                    SnsError::invalid(name.as_str(), "The local cloud does not support this subscription attribute")
                }
                _ => SnsError::invalid("AttributeName", format!("Invalid attribute name: {name}")),
            });
        }
        Ok(Self { values, raw, filter, dead_letter_arn })
    }

    /// These settings with one changed.
    pub(super) fn with(&self, name: &str, value: &str, protocol: Protocol, topic_arn: &str) -> Result<Self, SnsError> {
        let mut values = self.values.clone();
        values.insert(name.to_owned(), value.to_owned());
        Self::read(&values, protocol, topic_arn)
    }

    /// Whether every attribute of `given` has its value here already.
    pub(super) fn include(&self, given: &Self) -> bool {
        let json = |text: &String| serde_json::from_str::<Value>(text).ok();
        given.values.iter().all(|(name, value)| match self.values.get(name) {
            Some(own) => own == value || (name.ends_with("Policy") && json(own) == json(value)),
            None => (name == RAW && !given.raw) || (name == SCOPE && value == "MessageAttributes"),
        })
    }

    /// As `GetSubscriptionAttributes` tells them.
    pub(super) fn told(&self) -> BTreeMap<String, String> {
        let mut told = self.values.clone();
        told.insert(RAW.to_owned(), self.raw.to_string());
        if self.filter.is_some() {
            told.entry(SCOPE.to_owned()).or_insert_with(|| "MessageAttributes".to_owned());
        } else {
            told.remove(SCOPE);
        }
        told
    }
}

/// <https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html>
fn dead_letter_arn(text: &str, topic_arn: &str) -> Result<String, SnsError> {
    let refuse = |reason: &str| SnsError::invalid(REDRIVE, reason);
    let policy: Value = serde_json::from_str(text).map_err(|_| refuse("failed to parse JSON."))?;
    let arn = policy["deadLetterTargetArn"].as_str().ok_or_else(|| refuse("must contain deadLetterTargetArn"))?;
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sqs", _, _, name] if name.ends_with(FIFO_SUFFIX) != topic_arn.ends_with(FIFO_SUFFIX) => {
            Err(refuse("must use a dead-letter queue of the topic's type, FIFO or standard"))
        }
        ["arn", _, "sqs", _, _, name] if !name.is_empty() => Ok(arn.to_owned()),
        _ => Err(refuse("deadLetterTargetArn is an invalid ARN")),
    }
}
