//! What a schedule invokes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::SchedulerError;
use crate::retry::{EVENT_AGE_MAX_SECONDS, RETRY_ATTEMPTS_MAX};

/// What the names of FIFO queues and topics end with.
const FIFO_SUFFIX: &str = ".fifo";

/// Length of `DetailType`. <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_EventBridgeParameters.html>
const DETAIL_TYPE_MAX_CHARS: usize = 128;

/// The target of a schedule: a queue, a function, a topic or a bus.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Target {
    /// ARN of the queue, function, topic or bus.
    pub arn: String,
    /// Kept and told: nothing here asks whether the role may.
    pub role_arn: String,
    /// What the target is given; without, a notification of the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// How often and how long to try again.
    #[serde(default)]
    pub retry_policy: RetryPolicy,
    /// The queue for invocations that failed for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetterConfig>,
    /// For a FIFO queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sqs_parameters: Option<SqsParameters>,
    /// For a bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_bridge_parameters: Option<EventBridgeParameters>,
}

/// How often and how long to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// 60 to 86,400 seconds.
    pub maximum_event_age_in_seconds: u32,
    /// 0 to 185.
    pub maximum_retry_attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { maximum_event_age_in_seconds: EVENT_AGE_MAX_SECONDS, maximum_retry_attempts: RETRY_ATTEMPTS_MAX }
    }
}

impl RetryPolicy {
    pub(super) fn policy(self) -> crate::retry::RetryPolicy {
        crate::retry::RetryPolicy {
            attempts_max: Some(self.maximum_retry_attempts),
            age_max_seconds: Some(self.maximum_event_age_in_seconds),
        }
    }
}

/// The queue for invocations that failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeadLetterConfig {
    /// A standard queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

/// For a FIFO queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SqsParameters {
    /// The group of every message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_group_id: Option<String>,
}

/// For a bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EventBridgeParameters {
    /// The event's type.
    pub detail_type: String,
    /// Who sends it; must not begin with `aws.`.
    pub source: String,
}

impl Target {
    pub(super) fn check(&self) -> Result<(), SchedulerError> {
        let refuse = |reason: &str| Err(SchedulerError::validation(format!("{reason}: {}", self.arn)));
        let parts: Vec<&str> = self.arn.splitn(6, ':').collect();
        let service = match parts.as_slice() {
            ["arn", _, "scheduler", ..] => return refuse("The local cloud has no universal targets"),
            ["arn", _, "sns", _, _, name] if name.ends_with(FIFO_SUFFIX) => {
                return refuse("The local cloud's schedules do not publish to FIFO topics");
            }
            ["arn", _, "sqs", _, _, name] => {
                let group = self.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.as_ref());
                if name.ends_with(FIFO_SUFFIX) && group.is_none() {
                    return refuse("SqsParameters.MessageGroupId is required for a FIFO queue");
                }
                "sqs"
            }
            ["arn", _, "sns", _, _, _] => "sns",
            ["arn", _, "lambda", _, _, name] if name.starts_with("function:") => "lambda",
            ["arn", _, "events", _, _, name] if name.starts_with("event-bus/") => "events",
            ["arn", _, service, ..] => {
                return refuse(&format!("The local cloud's schedules do not invoke {service}"));
            }
            _ => return refuse("Provided Arn is not in correct format"),
        };
        self.check_parameters(service)?;
        if let Some(fault) = self.retry_policy.policy().fault() {
            return refuse(&format!("RetryPolicy.{fault}"));
        }
        let dead_letter_arn = self.dead_letter_arn();
        if let Some(arn) = dead_letter_arn.filter(|arn| !arn.contains(":sqs:") || arn.ends_with(FIFO_SUFFIX)) {
            return refuse(&format!("DeadLetterConfig must be a standard queue, not {arn}"));
        }
        if !self.role_arn.starts_with("arn:aws") || !self.role_arn.contains(":role/") {
            return refuse(&format!("RoleArn '{}' is not the ARN of a role", self.role_arn));
        }
        Ok(())
    }

    fn check_parameters(&self, service: &str) -> Result<(), SchedulerError> {
        let refuse = |reason: &str| Err(SchedulerError::validation(format!("{reason}: {}", self.arn)));
        if self.sqs_parameters.is_some() && service != "sqs" {
            return refuse("SqsParameters are for queues");
        }
        match &self.event_bridge_parameters {
            None if service == "events" => return refuse("EventBridgeParameters are required for a bus"),
            Some(_) if service != "events" => return refuse("EventBridgeParameters are for buses"),
            Some(parameters) if parameters.source.is_empty() || parameters.source.starts_with("aws.") => {
                return refuse("EventBridgeParameters.Source must not be empty or begin with aws.");
            }
            Some(parameters) if !(1..=DETAIL_TYPE_MAX_CHARS).contains(&parameters.detail_type.chars().count()) => {
                return refuse("EventBridgeParameters.DetailType must have 1 to 128 characters");
            }
            _ => {}
        }
        if self.input.as_ref().is_some_and(String::is_empty) {
            return refuse("Input must have 1 character or more");
        }
        let json = ["lambda", "events"].contains(&service);
        if self.input.as_deref().is_some_and(|input| json && serde_json::from_str::<Value>(input).is_err()) {
            return refuse("Input must be JSON for this target");
        }
        Ok(())
    }

    pub(super) fn dead_letter_arn(&self) -> Option<&str> {
        self.dead_letter_config.as_ref()?.arn.as_deref()
    }
}
