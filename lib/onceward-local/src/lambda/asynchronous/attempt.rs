//! One event, from its arrival to its end.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{
    EVENT_RETRY_DELAYS, THROTTLED_DELAY_MAX, THROTTLED_DELAY_MIN,
    pending::Pending,
    record::{self, Condition},
};
use crate::{
    destination::{DeliveryError, service},
    events::Entry,
    lambda::{
        error::LambdaError,
        pool::{Finished, Pool, Request},
        service::Lambda,
    },
    sqs::Outgoing,
};

/// An event that its function has not handled yet.
#[derive(Debug)]
pub(super) struct Event {
    lambda: Lambda,
    pool: Arc<Pool>,
    request: Request,
    pending: Pending,
}

/// How far an event has come.
#[derive(Debug)]
pub(super) struct Progress {
    /// Attempts that ran.
    pub(super) invocations: usize,
    /// Attempts that did not, since one ran.
    pub(super) throttles: u32,
    /// The last attempt that ran.
    pub(super) last: Option<Finished>,
    /// When the event arrived; perhaps in an earlier process.
    pub(super) received: DateTime<Utc>,
    /// When it is tried next.
    pub(super) next: DateTime<Utc>,
}

impl Progress {
    /// Of an event that arrives now.
    pub(super) fn new() -> Self {
        let now = Utc::now();
        Self { invocations: 0, throttles: 0, last: None, received: now, next: now }
    }
}

impl Event {
    pub(super) fn new(lambda: Lambda, pool: Arc<Pool>, request: Request, pending: Pending) -> Self {
        Self { lambda, pool, request, pending }
    }

    /// Stores how far it has come.
    pub(super) fn note(&self, progress: &Progress) {
        self.pending.note(&self.pool.spec.name, &self.request, progress);
    }

    /// Tries until the function has handled the event, or it is given up. When the cloud goes down before, the event
    /// stays stored.
    pub(super) async fn settle(self, progress: Progress) {
        if self.try_all(progress).await {
            self.pending.forget();
        }
    }

    /// Whether it came to an end.
    async fn try_all(&self, mut progress: Progress) -> bool {
        let config = &self.pool.spec.asynchronous;
        // What is left of its time is counted on Tokio's clock, which the system's may not set.
        let aged = (Utc::now() - progress.received).to_std().unwrap_or_default();
        let resumed = Instant::now();
        sleep((progress.next - Utc::now()).to_std().unwrap_or_default()).await;
        loop {
            let delay = match self.attempt().await {
                Ok(finished) if finished.invocation.function_error.is_none() => {
                    progress.invocations += 1;
                    progress.last = Some(finished);
                    self.tell(config.on_success_arn.as_deref(), Condition::Success, &progress);
                    return true;
                }
                Ok(finished) => {
                    let reason = String::from_utf8_lossy(&finished.invocation.payload).into_owned();
                    progress.invocations += 1;
                    progress.throttles = 0;
                    progress.last = Some(finished);
                    let retry = progress.invocations - 1;
                    match EVENT_RETRY_DELAYS.get(retry).filter(|_| retry < config.maximum_retry_attempts) {
                        Some(delay) => self.report_retry(*delay, &reason),
                        None => return self.give_up(Condition::RetriesExhausted, &progress, &reason),
                    }
                }
                Err(LambdaError::ShuttingDown) => return false,
                // Nothing can run before the template changes: Lambda does not even try.
                Err(error) if self.pool.spec.reserved_concurrency == Some(0) => {
                    return self.give_up(Condition::RetriesExhausted, &progress, &error.to_string());
                }
                Err(error) => {
                    let delay = throttled_delay(progress.throttles);
                    progress.throttles += 1;
                    self.report_retry(delay, &error.to_string())
                }
            };
            let left = config.maximum_event_age.saturating_sub(aged + resumed.elapsed());
            progress.next = Utc::now() + TimeDelta::from_std(delay).unwrap_or_default();
            self.note(&progress);
            sleep(delay.min(left)).await;
            if delay >= left {
                return self.give_up(Condition::EventAgeExceeded, &progress, "the event is too old");
            }
        }
    }

    async fn attempt(&self) -> Result<Finished, LambdaError> {
        let permit = self.pool.admit().await?;
        self.pool.run(permit, self.request.clone()).await
    }

    fn give_up(&self, condition: Condition, progress: &Progress, reason: &str) -> bool {
        self.report(&format!("asynchronous invocation of {} failed, given up: {reason}", self.pool.spec.name));
        self.tell(self.pool.spec.asynchronous.on_failure_arn.as_deref(), condition, progress);
        if let Some(arn) = &self.pool.spec.dead_letter_arn {
            let message = record::dead_letter(&self.request, progress.last.as_ref(), reason);
            self.deliver(arn, message);
        }
        true
    }

    /// Sends the invocation record to a destination, if there is one.
    fn tell(&self, destination: Option<&str>, condition: Condition, progress: &Progress) {
        let Some(arn) = destination else { return };
        let function_arn = format!("{}:$LATEST", self.pool.function_arn());
        let record =
            record::record(&self.request, &function_arn, condition, progress.invocations, progress.last.as_ref());
        if service(arn) == Some("events") {
            self.put_event(arn, &function_arn, condition, &record);
        } else {
            self.deliver(arn, Outgoing { body: record.to_string(), ..Outgoing::default() });
        }
    }

    fn deliver(&self, arn: &str, message: Outgoing) {
        self.sent(arn, self.lambda.destinations().deliver_for(&self.pool.spec.name, arn, message));
    }

    fn sent(&self, arn: &str, outcome: Result<(), DeliveryError>) {
        match outcome {
            // Without a cloud around it, or when it goes: there is nobody left to tell.
            Ok(()) | Err(DeliveryError::NotRunning) => {}
            Err(error) => self.report(&format!("{} could not send to {arn}: {error}", self.pool.spec.name)),
        }
    }

    fn put_event(&self, arn: &str, function_arn: &str, condition: Condition, record: &Value) {
        let outcome = if condition == Condition::Success { "Success" } else { "Failure" };
        let entry = Entry {
            bus: arn.to_owned(),
            source: "lambda".to_owned(),
            detail_type: format!("Lambda Function Invocation Result - {outcome}"),
            detail: record.to_string(),
            resources: vec![arn.to_owned(), function_arn.to_owned()],
            ..Entry::default()
        };
        self.sent(arn, self.lambda.destinations().put_event_for(&self.pool.spec.name, entry));
    }

    fn report_retry(&self, delay: Duration, reason: &str) -> Duration {
        let (name, seconds) = (&self.pool.spec.name, delay.as_secs());
        self.report(&format!("asynchronous invocation of {name} failed, next try in {seconds} s: {reason}"));
        delay
    }

    fn report(&self, message: &str) {
        self.pool.sink.report(&self.pool.spec.name, 0, "ERROR", message);
    }
}

/// From a second to five minutes.
fn throttled_delay(throttles: u32) -> Duration {
    THROTTLED_DELAY_MIN.saturating_mul(2_u32.saturating_pow(throttles.min(16))).min(THROTTLED_DELAY_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_event_waits_from_one_second_to_five_minutes() {
        let delays: Vec<u64> = (0..11).map(|throttles| throttled_delay(throttles).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }
}
