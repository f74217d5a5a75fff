//! Targets, and delivery to them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::EventsError;
use super::event::Event;
use super::input::{Input, Origin};
use crate::destination::{DeliveryError, Destinations};
use crate::iam::Caller;
use crate::sqs::{AttributeValue, MessageAttribute, Outgoing, SqsError};

/// What the names of FIFO queues end with.
const FIFO_SUFFIX: &str = ".fifo";

/// Where a rule sends its events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// Unique within the rule.
    pub id: String,
    /// ARN of an SQS queue.
    pub arn: String,
    /// `DeadLetterConfig.Arn`: the queue for events that cannot be delivered.
    pub dead_letter_arn: Option<String>,
    /// What is sent instead of the whole event.
    pub input: Option<Input>,
    /// `SqsParameters.MessageGroupId`: required for a FIFO queue; on a standard one it makes the queue fair.
    pub message_group_id: Option<String>,
    /// `RetryPolicy` as given. A local delivery fails only for good, so there is nothing to retry.
    pub retry_policy: Option<Value>,
}

impl Target {
    pub(super) fn check(&self) -> Result<(), EventsError> {
        let name_characters = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(name_characters) {
            return Err(EventsError::validation(format!(
                "Target id '{}' must be 1 to 64 letters, digits, '.', '-' or '_'.",
                self.id
            )));
        }
        let queue = self.check_arn()?;
        if self.message_group_id.is_none() && queue.ends_with(FIFO_SUFFIX) {
            return Err(EventsError::validation(format!(
                "Target {}: SqsParameters.MessageGroupId is required for a FIFO queue: {}",
                self.id, self.arn
            )));
        }
        if let Some(dead_letter_arn) = &self.dead_letter_arn
            && queue_arn(dead_letter_arn)?.ends_with(FIFO_SUFFIX)
        {
            return Err(EventsError::validation(format!(
                "DeadLetterConfig must be a standard queue, not a FIFO queue: {dead_letter_arn}"
            )));
        }
        self.input.as_ref().map_or(Ok(()), Input::check)
    }

    /// The queue's name; another service's target is refused.
    pub(super) fn check_arn(&self) -> Result<&str, EventsError> {
        queue_arn(&self.arn)
    }
}

/// The queue's name in an ARN of SQS; another service's ARN is refused by that service's name.
fn queue_arn(arn: &str) -> Result<&str, EventsError> {
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sqs", _, _, name] if !name.is_empty() => Ok(name),
        ["arn", _, service, ..] if *service != "sqs" => {
            Err(EventsError::validation(format!("The local cloud does not deliver to {service}: {arn}")))
        }
        _ => Err(EventsError::validation(format!(
            "Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        ))),
    }
}

/// An event that reached neither its target nor a dead-letter queue: on AWS only a metric would show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The event's id.
    pub event_id: String,
    /// The rule that matched.
    pub rule_arn: String,
    /// The target's ARN.
    pub target_arn: String,
    /// What failed.
    pub reason: String,
}

/// One matched rule's target.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) rule_arn: String,
    pub(super) rule_name: String,
    pub(super) target: Target,
}

impl Delivery {
    /// Sends `event` to the target, else to its dead-letter queue, else says that it is lost.
    pub(super) fn run(&self, event: &Event, destinations: &Destinations) -> Result<(), Undelivered> {
        let sender = Caller::events(&self.rule_arn);
        let origin = Origin { rule_arn: &self.rule_arn, rule_name: &self.rule_name };
        let body = self.target.input.as_ref().map_or_else(|| event.text.clone(), |input| input.apply(event, origin));
        let message = Outgoing {
            body,
            group_id: self.target.message_group_id.clone(),
            trace_header: event.trace_header.clone(),
            ..Outgoing::default()
        };
        let Err(failure) = destinations.deliver_as(&sender, &self.target.arn, message) else { return Ok(()) };
        let failure = Failure { code: failure_code(&failure), message: failure.to_string() };
        let lost = |reason: String| Undelivered {
            event_id: event.id.clone(),
            rule_arn: self.rule_arn.clone(),
            target_arn: self.target.arn.clone(),
            reason,
        };
        let Some(dead_letter_arn) = &self.target.dead_letter_arn else { return Err(lost(failure.message)) };
        let dead_letter = Outgoing {
            body: event.text.clone(),
            attributes: self.dead_letter_attributes(&failure),
            trace_header: event.trace_header.clone(),
            ..Outgoing::default()
        };
        destinations
            .deliver_as(&sender, dead_letter_arn, dead_letter)
            .map_err(|second| lost(format!("{}; its dead-letter queue: {second}", failure.message)))
    }

    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html#eb-rule-dlq>;
    /// `EXHAUSTED_RETRY_CONDITION` is only there when retries ran out, and these failures are not retried.
    fn dead_letter_attributes(&self, failure: &Failure) -> BTreeMap<String, MessageAttribute> {
        [
            ("RULE_ARN", self.rule_arn.as_str()),
            ("TARGET_ARN", self.target.arn.as_str()),
            ("ERROR_CODE", failure.code),
            ("ERROR_MESSAGE", failure.message.as_str()),
            ("RETRY_ATTEMPTS", "0"),
        ]
        .into_iter()
        .map(|(name, value)| {
            let value = AttributeValue::Text(value.to_owned());
            (name.to_owned(), MessageAttribute { data_type: "String".to_owned(), value })
        })
        .collect()
    }
}

struct Failure {
    code: &'static str,
    message: String,
}

/// `ERROR_CODE`, of those the documentation of dead-letter queues lists.
fn failure_code(error: &DeliveryError) -> &'static str {
    match error {
        DeliveryError::Queue(SqsError::QueueDoesNotExist { .. }) => "NO_RESOURCE",
        DeliveryError::Denied(_) => "NO_PERMISSIONS",
        DeliveryError::Queue(SqsError::OverLimit { .. }) => "THROTTLING",
        _ => "INVALID_PARAMETER",
    }
}
