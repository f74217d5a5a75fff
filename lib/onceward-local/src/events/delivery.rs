//! From a matched rule to its targets: the first attempt at once, retries in the background, then the dead-letter queue.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::EventBridge;
use super::event::Event;
use super::input::Origin;
use super::target::Target;
use crate::destination::{DeliveryError, service};
use crate::iam::Caller;
use crate::retry::Exhausted;
use crate::sqs::{MessageAttribute, Outgoing};

/// Deliveries that wait for their next attempt; one more goes to its dead-letter queue at once.
pub const RETRIES_MAX: usize = 10_000;

/// An event that reached neither its target nor a dead-letter queue: on AWS only a metric would show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The event's id.
    pub event_id: String,
    /// The rule that matched; empty if the bus does not exist.
    pub rule_arn: String,
    /// ARN of the target, or the bus that does not exist.
    pub target_arn: String,
    /// What failed.
    pub reason: String,
}

/// One matched rule's target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Delivery {
    pub(super) rule_arn: String,
    pub(super) rule_name: String,
    pub(super) target: Target,
}

/// Why an attempt failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Failure {
    /// `ERROR_CODE`, of those the documentation of dead-letter queues lists.
    code: Cow<'static, str>,
    message: String,
    retryable: bool,
}

/// A delivery that waits for its next attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    event: Event,
    delivery: Delivery,
    /// Of the latest attempt.
    failure: Failure,
    retries: u32,
    at: DateTime<Utc>,
}

impl EventBridge {
    /// Sends `event` to the target, else to its dead-letter queue, else remembers that it is lost.
    pub(super) fn send(&self, event: &Arc<Event>, delivery: &Delivery) {
        match self.attempt(event, delivery) {
            Ok(()) => {}
            Err(failure) if failure.retryable => self.try_later(event, delivery, failure),
            Err(failure) => self.give_up(event, delivery, failure, None, 0),
        }
    }

    fn try_later(&self, event: &Event, delivery: &Delivery, failure: Failure) {
        match delivery.target.retry_policy.next(0, event.ingested_at, self.clock.now()) {
            Err(exhausted) => self.give_up(event, delivery, failure, Some(exhausted), 0),
            Ok(at) => {
                let (event, delivery) = (event.clone(), delivery.clone());
                let waiting = Waiting { event, delivery, failure, retries: 0, at };
                let key = Uuid::new_v4().to_string();
                self.state.retries.note(&key, &waiting);
                self.wait(&key, &waiting);
            }
        }
    }

    pub(super) fn wait(&self, key: &str, waiting: &Waiting) {
        if self.state.retries.spawn(self.clone().retry(key.to_owned(), waiting.clone())).is_err() {
            let Waiting { event, delivery, failure, retries, .. } = waiting;
            self.give_up(event, delivery, failure.clone(), None, *retries);
            self.state.retries.forget(key);
        }
    }

    async fn retry(self, key: String, mut waiting: Waiting) {
        let exhausted = loop {
            self.clock.until(waiting.at).await;
            waiting.retries += 1;
            match self.attempt(&waiting.event, &waiting.delivery) {
                Ok(()) => return self.state.retries.forget(&key),
                Err(failure) => waiting.failure = failure,
            }
            if !waiting.failure.retryable {
                break None;
            }
            let policy = waiting.delivery.target.retry_policy;
            match policy.next(waiting.retries, waiting.event.ingested_at, self.clock.now()) {
                Ok(at) => waiting.at = at,
                Err(exhausted) => break Some(exhausted),
            }
            self.state.retries.note(&key, &waiting);
        };
        let Waiting { event, delivery, failure, retries, .. } = waiting;
        self.give_up(&event, &delivery, failure, exhausted, retries);
        self.state.retries.forget(&key);
    }

    fn attempt(&self, event: &Event, delivery: &Delivery) -> Result<(), Failure> {
        let target = &delivery.target;
        if service(&target.arn) == Some("events") {
            return self.relay(event, &target.arn);
        }
        let origin = Origin { rule_arn: &delivery.rule_arn, rule_name: &delivery.rule_name };
        let body = target.input.as_ref().map_or_else(|| event.text.clone(), |input| input.apply(event, origin));
        let message = Outgoing {
            body,
            group_id: target.message_group_id.clone(),
            trace_header: event.trace_header.clone(),
            ..Outgoing::default()
        };
        self.destinations.deliver_as(&Caller::events(&delivery.rule_arn), &target.arn, message).map_err(|error| {
            Failure { code: failure_code(&error).into(), message: error.to_string(), retryable: error.is_retryable() }
        })
    }

    /// To another bus, which does not send it on to a third.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html>
    fn relay(&self, event: &Event, bus: &str) -> Result<(), Failure> {
        if event.relayed {
            let message = "EventBridge does not route an event of another bus to a third bus".to_owned();
            return Err(Failure { code: "THIRD_ACCOUNT_HOP_DETECTED".into(), message, retryable: false });
        }
        let relayed = event.relayed(self.clock.now());
        self.accept(bus, &Arc::new(relayed), &[]).map_err(|error| Failure {
            code: "NO_RESOURCE".into(),
            message: error.to_string(),
            retryable: false,
        })
    }

    fn give_up(
        &self,
        event: &Event,
        delivery: &Delivery,
        failure: Failure,
        exhausted: Option<Exhausted>,
        retries: u32,
    ) {
        let attributes = dead_letter_attributes(delivery, &failure, exhausted, retries);
        let reason = match &delivery.target.dead_letter_arn {
            None => failure.message,
            Some(dead_letter_arn) => {
                let dead_letter = Outgoing {
                    body: event.text.clone(),
                    attributes,
                    trace_header: event.trace_header.clone(),
                    ..Outgoing::default()
                };
                match self.destinations.deliver_as(&Caller::events(&delivery.rule_arn), dead_letter_arn, dead_letter) {
                    Ok(()) => return self.dead_lettered(event, delivery, dead_letter_arn, &failure.message),
                    Err(second) => format!("{}; its dead-letter queue: {second}", failure.message),
                }
            }
        };
        let undelivered = Undelivered {
            event_id: event.id.clone(),
            rule_arn: delivery.rule_arn.clone(),
            target_arn: delivery.target.arn.clone(),
            reason,
        };
        self.lost(event, undelivered);
    }
}

/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html#eb-rule-dlq>;
/// `EXHAUSTED_RETRY_CONDITION` is only there when retries ran out.
fn dead_letter_attributes(
    delivery: &Delivery,
    failure: &Failure,
    exhausted: Option<Exhausted>,
    retries: u32,
) -> BTreeMap<String, MessageAttribute> {
    let values = [
        ("RULE_ARN", Some(delivery.rule_arn.clone())),
        ("TARGET_ARN", Some(delivery.target.arn.clone())),
        ("ERROR_CODE", Some(failure.code.clone().into_owned())),
        ("ERROR_MESSAGE", Some(failure.message.clone())),
        ("EXHAUSTED_RETRY_CONDITION", exhausted.map(|condition| condition.name().to_owned())),
        ("RETRY_ATTEMPTS", Some(retries.to_string())),
    ];
    let present = values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    present.map(|(name, value)| (name, MessageAttribute::string(value))).collect()
}

fn failure_code(error: &DeliveryError) -> &'static str {
    if let DeliveryError::Denied(_) = error {
        return "NO_PERMISSIONS";
    }
    match error.code() {
        "AWS.SimpleQueueService.NonExistentQueue" | "NotFound" | "ResourceNotFoundException" => "NO_RESOURCE",
        "OverLimit" | "Throttled" | "ThrottlingException" | "TooManyRequestsException" => "THROTTLING",
        _ if error.is_retryable() => "INTERNAL_ERROR",
        _ => "INVALID_PARAMETER",
    }
}
