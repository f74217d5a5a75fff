//! From a matched rule to its targets: the first attempt at once, retries in the background, then the dead-letter queue.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html>

use std::collections::BTreeMap;
use std::sync::Arc;

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
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) rule_arn: String,
    pub(super) rule_name: String,
    pub(super) target: Target,
}

/// Why an attempt failed.
#[derive(Debug, Clone)]
struct Failure {
    /// `ERROR_CODE`, of those the documentation of dead-letter queues lists.
    code: &'static str,
    message: String,
    retryable: bool,
}

impl EventBridge {
    /// Sends `event` to the target, else to its dead-letter queue, else remembers that it is lost.
    pub(super) fn send(&self, event: &Arc<Event>, delivery: &Delivery) {
        match self.attempt(event, delivery) {
            Ok(()) => {}
            Err(failure) if failure.retryable => {
                let again = self.clone().retry(Arc::clone(event), delivery.clone(), failure.clone());
                if self.state.retries.spawn(again).is_err() {
                    self.give_up(event, delivery, failure, None, 0);
                }
            }
            Err(failure) => self.give_up(event, delivery, failure, None, 0),
        }
    }

    async fn retry(self, event: Arc<Event>, delivery: Delivery, mut failure: Failure) {
        let mut retries = 0;
        let exhausted = loop {
            match delivery.target.retry_policy.next(retries, event.ingested_at, self.clock.now()) {
                Ok(at) => self.clock.until(at).await,
                Err(exhausted) => break Some(exhausted),
            }
            retries += 1;
            match self.attempt(&event, &delivery) {
                Ok(()) => return,
                Err(next) => failure = next,
            }
            if !failure.retryable {
                break None;
            }
        };
        self.give_up(&event, &delivery, failure, exhausted, retries);
    }

    fn attempt(&self, event: &Arc<Event>, delivery: &Delivery) -> Result<(), Failure> {
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
            Failure { code: failure_code(&error), message: error.to_string(), retryable: error.is_retryable() }
        })
    }

    /// To another bus, which does not send it on to a third.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html>
    fn relay(&self, event: &Event, bus: &str) -> Result<(), Failure> {
        if event.relayed {
            let message = "EventBridge does not route an event of another bus to a third bus".to_owned();
            return Err(Failure { code: "THIRD_ACCOUNT_HOP_DETECTED", message, retryable: false });
        }
        let relayed = event.relayed(self.clock.now());
        self.accept(bus, &Arc::new(relayed), &[]).map_err(|error| Failure {
            code: "NO_RESOURCE",
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
                    Ok(()) => return,
                    Err(second) => format!("{}; its dead-letter queue: {second}", failure.message),
                }
            }
        };
        self.remember(Undelivered {
            event_id: event.id.clone(),
            rule_arn: delivery.rule_arn.clone(),
            target_arn: delivery.target.arn.clone(),
            reason,
        });
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
        ("ERROR_CODE", Some(failure.code.to_owned())),
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
