mod delivery;
mod group;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt as _, stream};

pub use delivery::{BatchItemFailure, Delivery};
use delivery::{Prepared, Unhandled};
pub(crate) use group::GROUP_ACTIONS_MAX;
use group::GroupedLedger;

use crate::{
    Context, DeadLetterQueue, Function, LedgerKey, LedgerRecord, Ports, Postponement, Reason, Visibility,
    error::chain,
    execute::{DEADLINE_MARGIN, Execution, Failure, Outcome},
    telemetry::Hop,
};

/// The longest that SQS hides a message:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>.
const VISIBILITY_MAX: Duration = Duration::from_hours(12);

/// The queue that messages came from, as far as a function acts on it.
pub trait SourceQueue: DeadLetterQueue + Visibility {}

impl<Q: DeadLetterQueue + Visibility> SourceQueue for Q {}

impl<D: Send + Sync + 'static> Function<D> {
    /// Handles the messages that one invocation brings, and says which of them failed.
    ///
    /// Messages of one group are handled in order, one at a time; after a failure the rest of the group fails too.
    /// Others run side by side. What is not in the answer may be deleted from the queue.
    pub async fn handle_batch(
        &self,
        ports: &Ports,
        queue: &dyn SourceQueue,
        deadline: DateTime<Utc>,
        deliveries: Vec<Delivery>,
    ) -> Vec<BatchItemFailure> {
        let grouped = GroupedLedger::new(&self.settings, ports, deadline);
        let record_ports = grouped.ports();
        let prepared: Vec<_> =
            deliveries.into_iter().map(|delivery| delivery.prepare(&record_ports, deadline)).collect();
        let found = self.find_redelivered(ports, &prepared).await;
        let lanes = lanes(prepared);
        grouped.begin(lanes.len());
        let results = stream::iter(lanes)
            .map(|lane| self.handle_lane(ports, queue, deadline, lane, &found))
            .buffer_unordered(self.settings.concurrency)
            .inspect(|_| grouped.lane_ended())
            .collect::<Vec<_>>()
            .await;
        let failed: Vec<_> = results.into_iter().flatten().collect();
        postpone(queue, &failed).await;
        failed.into_iter().map(|unhandled| unhandled.failure).collect()
    }

    /// One read for all messages that came before: a duplicate then costs no handler run and no failed transaction.
    async fn find_redelivered(&self, ports: &Ports, prepared: &[Prepared]) -> HashMap<LedgerKey, LedgerRecord> {
        let again = prepared.iter().filter(|message| message.delivery.receive_count > 1);
        let keys: Vec<_> = again.filter_map(|message| Some(self.key(&message.event.as_ref().ok()?.0.id))).collect();
        if keys.is_empty() {
            return HashMap::new();
        }
        ports.ledger.find(&keys).await.unwrap_or_else(|error| {
            tracing::warn!(error = chain(&error), "the ledger could not be read ahead; each commit will tell");
            HashMap::new()
        })
    }

    async fn handle_lane(
        &self,
        ports: &Ports,
        queue: &dyn SourceQueue,
        deadline: DateTime<Utc>,
        mut lane: VecDeque<Prepared>,
        found: &HashMap<LedgerKey, LedgerRecord>,
    ) -> Vec<Unhandled> {
        while let Some(message) = lane.pop_front() {
            if ports.remaining(deadline) <= DEADLINE_MARGIN {
                lane.push_front(message);
                return Unhandled::all(lane, Duration::ZERO);
            }
            if let Err(delay) = self.handle_message(ports, queue, &message, found).await {
                lane.push_front(message);
                return Unhandled::all(lane, delay);
            }
        }
        Vec::new()
    }

    /// `Err` says how long to wait before the message is tried again.
    async fn handle_message(
        &self,
        ports: &Ports,
        queue: &dyn SourceQueue,
        message: &Prepared,
        found: &HashMap<LedgerKey, LedgerRecord>,
    ) -> Result<(), Duration> {
        let began = ports.clock.now();
        let mut outcome = self.outcome(message, found).await;
        if let Outcome::Failed(Failure::Terminal { reason, error, field }) = &outcome {
            let error = field.as_ref().map_or_else(|| error.clone(), |field| format!("{field}: {error}"));
            let letter = message.dead_letter(self.settings.name, *reason, error, ports.clock.now());
            if let Err(error) = queue.send(&letter).await {
                outcome = Outcome::Failed(Failure::retry(&error));
            }
        }
        let attempt = message.delivery.receive_count;
        let (label, reason) = outcome.label("dead_lettered");
        let unreadable = message.delivery.unreadable(began, ports);
        let event = message.event.as_ref().map_or(&unreadable, |(_, call)| &call.event);
        let subject = &event.subject;
        let hop = Hop { settings: &self.settings, event, subject, attempt, duration: ports.clock.now() - began };
        hop.report(label, reason.as_deref());
        match outcome {
            Outcome::Failed(Failure::Retry { after, .. }) => Err(self.delay(after, attempt, ports)),
            _ => Ok(()),
        }
    }

    async fn outcome(&self, message: &Prepared, found: &HashMap<LedgerKey, LedgerRecord>) -> Outcome {
        let (envelope, call) = match &message.event {
            Ok(event) => event,
            Err(error) => return Outcome::Failed(Failure::terminal(Reason::MalformedEvent, error.to_string())),
        };
        let Some(handler) = self.handlers.get(&envelope.event_type) else {
            let known = self.event_types().collect::<Vec<_>>().join(", ");
            let error = format!("no handler for this type; {} handles {known}", self.settings.name);
            return Outcome::Failed(Failure::terminal(Reason::UnknownEventType, error));
        };
        let execution =
            Execution { settings: &self.settings, call: Arc::clone(call), fingerprint: envelope.fingerprint() };
        let context = Context { dependencies: Arc::clone(&self.dependencies), call: Arc::clone(call) };
        let start = || {
            let schema_refused = |error| Failure::terminal(Reason::SchemaRefused, error);
            handler(envelope, context.clone()).map_err(schema_refused)
        };
        execution.run(found.get(&self.key(&envelope.id)).cloned(), start).await
    }

    fn key(&self, id: &str) -> LedgerKey {
        LedgerKey { function: self.settings.name.to_owned(), idempotency_key: id.to_owned() }
    }

    /// What the handler or a lease asks for, with the first step of the backoff on top; otherwise the backoff.
    fn delay(&self, after: Option<Duration>, attempt: u32, ports: &Ports) -> Duration {
        let attempt = if after.is_some() { 1 } else { attempt };
        after.unwrap_or_default() + self.settings.backoff.after(attempt, ports.randomness.as_ref())
    }
}

/// Messages of one group share a lane, in order; every other message has its own.
fn lanes(messages: Vec<Prepared>) -> Vec<VecDeque<Prepared>> {
    let mut lanes: Vec<VecDeque<Prepared>> = Vec::new();
    let mut lane_of = HashMap::new();
    for message in messages {
        let next = lanes.len();
        let lane = message.delivery.group.clone().map_or(next, |group| *lane_of.entry(group).or_insert(next));
        if lane == next {
            lanes.push(VecDeque::new());
        }
        lanes[lane].push_back(message);
    }
    lanes
}

/// Best effort: without it the messages come back after the queue's visibility timeout.
async fn postpone(queue: &dyn SourceQueue, failed: &[Unhandled]) {
    let postponements: Vec<_> = failed
        .iter()
        .map(|unhandled| Postponement {
            receipt_handle: unhandled.receipt_handle.clone(),
            delay: unhandled.delay.min(VISIBILITY_MAX),
        })
        .collect();
    if postponements.is_empty() {
        return;
    }
    if let Err(error) = queue.postpone(&postponements).await {
        tracing::warn!(error = chain(&error), "failed messages come back by the queue's own timeout");
    }
}

#[cfg(test)]
mod tests;
