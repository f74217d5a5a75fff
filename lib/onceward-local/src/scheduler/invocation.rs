//! From a due schedule to its target: attempts, then the dead-letter queue.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::Scheduler;
use super::schedule::ActionAfterCompletion;
use super::store::Stored;
use crate::destination::service;
use crate::events::Entry;
use crate::retry::Exhausted;
use crate::sqs::{MessageAttribute, Outgoing};

/// Invocations that wait for their next attempt; one more goes to its dead-letter queue at once.
pub const RETRIES_MAX: usize = 10_000;

/// One time at which a schedule was due.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Invocation {
    pub(super) due: DateTime<Utc>,
    pub(super) stored: Stored,
}

/// Why an attempt failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Failure {
    execution_id: String,
    input: String,
    code: String,
    message: String,
    retryable: bool,
}

/// An invocation that waits for its next attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Waiting {
    invocation: Invocation,
    /// Of the latest attempt.
    failure: Failure,
    retries: u32,
    at: DateTime<Utc>,
}

impl Scheduler {
    /// Invokes the target: at once, and if that fails for a while, again in the background.
    pub(super) fn invoke(&self, invocation: &Invocation) {
        let failure = match self.attempt(invocation, 1) {
            Ok(()) => return self.complete(invocation),
            Err(failure) => failure,
        };
        match self.next(invocation, 0) {
            Some(at) if failure.retryable => {
                let waiting = Waiting { invocation: invocation.clone(), failure, retries: 0, at };
                let key = Uuid::new_v4().to_string();
                self.state.retries.note(&key, &waiting);
                self.wait(&key, &waiting);
            }
            _ => self.give_up(invocation, &failure, 0),
        }
    }

    pub(super) fn wait(&self, key: &str, waiting: &Waiting) {
        if self.state.retries.spawn(self.clone().retry(key.to_owned(), waiting.clone())).is_err() {
            self.give_up(&waiting.invocation, &waiting.failure, waiting.retries);
            self.state.retries.forget(key);
        }
    }

    async fn retry(self, key: String, mut waiting: Waiting) {
        loop {
            self.clock.until(waiting.at).await;
            waiting.retries += 1;
            match self.attempt(&waiting.invocation, waiting.retries + 1) {
                Ok(()) => {
                    self.complete(&waiting.invocation);
                    return self.state.retries.forget(&key);
                }
                Err(failure) => waiting.failure = failure,
            }
            match self.next(&waiting.invocation, waiting.retries) {
                Some(at) if waiting.failure.retryable => waiting.at = at,
                _ => break,
            }
            self.state.retries.note(&key, &waiting);
        }
        self.give_up(&waiting.invocation, &waiting.failure, waiting.retries);
        self.state.retries.forget(&key);
    }

    /// When to try again after `retries` retries, if at all.
    fn next(&self, invocation: &Invocation, retries: u32) -> Option<DateTime<Utc>> {
        let policy = invocation.stored.schedule.target.retry_policy.policy();
        policy.next(retries, invocation.due, self.clock.now()).ok()
    }

    fn attempt(&self, invocation: &Invocation, attempt: u32) -> Result<(), Failure> {
        let Stored { schedule, arn, .. } = &invocation.stored;
        let target = &schedule.target;
        let execution_id = Uuid::new_v4().to_string();
        let input = invocation.input(&execution_id, attempt, &self.account);
        let failure = |code: &str, message: String, retryable: bool| Failure {
            execution_id: execution_id.clone(),
            input: input.clone(),
            code: code.to_owned(),
            message,
            retryable,
        };
        if service(&target.arn) == Some("events") {
            let services = self.destinations.services();
            let stopped = || failure("ServiceUnavailable", "the local cloud is not running".to_owned(), true);
            let parameters = target.event_bridge_parameters.as_ref();
            let entry = Entry {
                bus: target.arn.clone(),
                source: parameters.map(|it| it.source.clone()).unwrap_or_default(),
                detail_type: parameters.map(|it| it.detail_type.clone()).unwrap_or_default(),
                detail: input.clone(),
                resources: vec![arn.clone()],
                ..Entry::default()
            };
            let put = services.ok_or_else(stopped)?.events.put_event(entry);
            return put.map(drop).map_err(|error| failure(error.code(), error.to_string(), false));
        }
        let message = Outgoing {
            body: input.clone(),
            group_id: target.sqs_parameters.as_ref().and_then(|parameters| parameters.message_group_id.clone()),
            ..Outgoing::default()
        };
        let delivered = self.destinations.deliver_by(&target.role_arn, &target.arn, message);
        delivered.map_err(|error| failure(error.code(), error.to_string(), error.is_retryable()))
    }

    fn give_up(&self, invocation: &Invocation, failure: &Failure, retries: u32) {
        let target = &invocation.stored.schedule.target;
        let exhausted = target.retry_policy.policy().next(retries, invocation.due, self.clock.now()).err();
        if let Some(dead_letter_arn) = target.dead_letter_arn() {
            let attributes = invocation.dead_letter_attributes(failure, exhausted, retries);
            let message = Outgoing { body: failure.input.clone(), attributes, ..Outgoing::default() };
            // Without a queue that takes it there is nobody to tell, as on AWS.
            let _ = self.destinations.deliver_by(&target.role_arn, dead_letter_arn, message);
        }
        self.complete(invocation);
    }

    /// Deletes the schedule, if this was its last invocation and it says so.
    fn complete(&self, invocation: &Invocation) {
        let Stored { schedule, modified_at, next, .. } = &invocation.stored;
        if next.is_some() || schedule.action_after_completion != ActionAfterCompletion::Delete {
            return;
        }
        let mut store = self.store();
        let unchanged = store.schedule(&schedule.group_name, &schedule.name);
        if unchanged.is_ok_and(|stored| stored.modified_at == *modified_at) {
            let _ = store.delete(&schedule.group_name, &schedule.name);
        }
    }
}

impl Invocation {
    fn scheduled_time(&self) -> String {
        self.due.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The target's input with the context attributes filled in.
    /// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
    fn input(&self, execution_id: &str, attempt: u32, account: &crate::account::Account) -> String {
        let Stored { schedule, arn, .. } = &self.stored;
        let Some(input) = &schedule.target.input else {
            let notification = json!({
                "version": "0",
                "id": execution_id,
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": account.id,
                "time": self.scheduled_time(),
                "region": account.region,
                "resources": [arn],
                "detail": "{}",
            });
            return notification.to_string();
        };
        let values = [
            ("<aws.scheduler.schedule-arn>", arn.clone()),
            ("<aws.scheduler.scheduled-time>", self.scheduled_time()),
            ("<aws.scheduler.execution-id>", execution_id.to_owned()),
            ("<aws.scheduler.attempt-number>", attempt.to_string()),
        ];
        values.iter().fold(input.clone(), |input, (keyword, value)| input.replace(keyword, value))
    }

    /// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html>
    fn dead_letter_attributes(
        &self,
        failure: &Failure,
        exhausted: Option<Exhausted>,
        retries: u32,
    ) -> BTreeMap<String, MessageAttribute> {
        let values = [
            ("ERROR_CODE", Some(failure.code.clone())),
            ("ERROR_MESSAGE", Some(failure.message.clone())),
            ("EXECUTION_ID", Some(failure.execution_id.clone())),
            ("EXHAUSTED_RETRY_CONDITION", exhausted.map(|condition| condition.name().to_owned())),
            ("IS_PAYLOAD_TRUNCATED", Some("false".to_owned())),
            ("RETRY_ATTEMPTS", Some(retries.to_string())),
            ("SCHEDULED_TIME", Some(self.scheduled_time())),
            ("SCHEDULE_ARN", Some(self.stored.arn.clone())),
            ("TARGET_ARN", Some(self.stored.schedule.target.arn.clone())),
        ];
        let present = values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        present.map(|(name, value)| (name, MessageAttribute::string(value))).collect()
    }
}
