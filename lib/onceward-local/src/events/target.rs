//! Where a rule sends its events.

use serde::{Deserialize, Serialize};

use super::error::EventsError;
use super::input::Input;
use crate::retry::RetryPolicy;

/// What the names of FIFO queues and topics end with.
const FIFO_SUFFIX: &str = ".fifo";

/// Where a rule sends its events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Unique within the rule.
    pub id: String,
    /// ARN of a queue, a function, a topic or a bus.
    pub arn: String,
    /// `RoleArn`, kept and told: nothing here asks whether the role may.
    pub role_arn: Option<String>,
    /// `DeadLetterConfig.Arn`: the queue for events that cannot be delivered.
    pub dead_letter_arn: Option<String>,
    /// What is sent instead of the whole event.
    pub input: Option<Input>,
    /// `SqsParameters.MessageGroupId`: required for a FIFO queue; on a standard one it makes the queue fair.
    pub message_group_id: Option<String>,
    /// `RetryPolicy`: how often and how long to try again.
    pub retry_policy: RetryPolicy,
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
        let (service, name) = self.check_arn()?;
        let refuse =
            |reason: String| Err(EventsError::validation(format!("Target {}: {reason}: {}", self.id, self.arn)));
        if service == "sqs" && name.ends_with(FIFO_SUFFIX) && self.message_group_id.is_none() {
            return refuse("SqsParameters.MessageGroupId is required for a FIFO queue".to_owned());
        }
        if service != "sqs" && self.message_group_id.is_some() {
            return refuse("SqsParameters are for queues".to_owned());
        }
        if service == "events" && self.input.is_some() {
            return refuse(
                "the local cloud sends a bus the event as it is, without Input, InputPath or InputTransformer"
                    .to_owned(),
            );
        }
        if let Some(fault) = self.retry_policy.fault() {
            return refuse(format!("RetryPolicy.{fault}"));
        }
        if let Some(dead_letter_arn) = &self.dead_letter_arn {
            check_dead_letter_arn(dead_letter_arn)?;
        }
        self.input.as_ref().map_or(Ok(()), Input::check)
    }

    /// The service and the name in the ARN; a service that is no target here is refused by its name.
    pub(super) fn check_arn(&self) -> Result<(&str, &str), EventsError> {
        let parts: Vec<&str> = self.arn.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "sns", _, _, name] if name.ends_with(FIFO_SUFFIX) => {
                Err(EventsError::validation(format!("EventBridge does not deliver to FIFO topics: {}", self.arn)))
            }
            ["arn", _, service @ ("sqs" | "sns"), _, _, name] if !name.is_empty() => Ok((service, name)),
            ["arn", _, service @ "lambda", _, _, name] if name.starts_with("function:") => Ok((service, name)),
            ["arn", _, service @ "events", _, _, name] if name.starts_with("event-bus/") => Ok((service, name)),
            ["arn", _, service, ..] if !["sqs", "sns", "lambda", "events"].contains(service) => {
                Err(EventsError::validation(format!("The local cloud does not deliver to {service}: {}", self.arn)))
            }
            _ => Err(incorrect(&self.arn)),
        }
    }
}

fn check_dead_letter_arn(arn: &str) -> Result<(), EventsError> {
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sqs", _, _, name] if name.ends_with(FIFO_SUFFIX) => {
            Err(EventsError::validation(format!("DeadLetterConfig must be a standard queue, not a FIFO queue: {arn}")))
        }
        ["arn", _, "sqs", _, _, name] if !name.is_empty() => Ok(()),
        ["arn", _, service, ..] if *service != "sqs" => {
            Err(EventsError::validation(format!("DeadLetterConfig must be a queue, not of {service}: {arn}")))
        }
        _ => Err(incorrect(arn)),
    }
}

fn incorrect(arn: &str) -> EventsError {
    EventsError::validation(format!("Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."))
}
