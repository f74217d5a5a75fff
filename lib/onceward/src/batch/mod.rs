mod delivery;
mod direct;
mod exhausted;
mod group;
mod lanes;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt as _, stream};

pub(crate) use delivery::Prepared;
use delivery::Unhandled;
pub use delivery::{BatchItemFailure, Delivery};
pub use direct::InvocationFailure;
pub(crate) use group::GROUP_ACTIONS_MAX;
use group::GroupedLedger;
use lanes::lanes;

use crate::{
    Context, DeadLetterQueue, Function, Invocation, LedgerKey, LedgerRecord, Ports, Postponement, Reason, ReceiveLimit,
    Visibility,
    context::Call,
    error::chain,
    execute::{DEADLINE_MARGIN, Execution, Failure, Outcome, displaced, of_id, of_identity},
    telemetry::Hop,
};

/// The longest that SQS hides a message:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>.
const VISIBILITY_MAX: Duration = Duration::from_hours(12);

/// How a delivery ends whose message is in the dead-letter queue.
const DEAD_LETTERED: &str = "dead_lettered";

/// The source that messages came from, as far as a function acts on it.
pub trait SourceQueue: DeadLetterQueue + Visibility + ReceiveLimit {}

impl<Q: DeadLetterQueue + Visibility + ReceiveLimit> SourceQueue for Q {}

/// What the messages of one batch share.
struct Batch<'a> {
    ports: &'a Ports,
    queue: &'a dyn SourceQueue,
    invocation: Invocation,
    /// The ledger's records of those that came before.
    found: HashMap<LedgerKey, LedgerRecord>,
}

impl Batch<'_> {
    /// Why no further record is started.
    fn obstacle(&self) -> Option<&'static str> {
        if self.ports.shutdown.is_requested() {
            return Some("the process is about to be stopped");
        }
        let near = self.invocation.remaining(self.ports.clock.as_ref()) <= DEADLINE_MARGIN;
        near.then_some("the invocation's deadline is near")
    }
}

impl<D: Send + Sync + 'static> Function<D> {
    /// Handles the messages that one invocation brings, and says which of them failed, in the batch's order.
    ///
    /// Messages with one ordering key are handled in order, one at a time; after a failure the rest of them fails too.
    /// Others run side by side. What is not in the answer may be deleted from the queue.
    pub async fn handle_batch(
        &self,
        ports: &Ports,
        queue: &dyn SourceQueue,
        invocation: Invocation,
        deliveries: Vec<Delivery>,
    ) -> Vec<BatchItemFailure> {
        let grouped = GroupedLedger::new(&self.settings, ports, invocation);
        let record_ports = grouped.ports();
        let prepare = |(place, delivery)| self.prepare(&record_ports, invocation, place, delivery);
        let prepared: Vec<_> = deliveries.into_iter().enumerate().map(prepare).collect();
        let found = self.find_redelivered(ports, &prepared).await;
        let batch = Batch { ports, queue, invocation, found };
        let lanes = lanes(prepared);
        grouped.begin(lanes.len());
        let results = stream::iter(lanes)
            .map(|lane| self.handle_lane(&batch, lane))
            .buffer_unordered(self.settings.concurrency.max(1))
            .inspect(|_| grouped.lane_ended())
            .collect::<Vec<_>>()
            .await;
        let mut failed: Vec<_> = results.into_iter().flatten().collect();
        failed.sort_unstable_by_key(|unhandled| unhandled.place);
        postpone(queue, &failed).await;
        failed.into_iter().map(|unhandled| unhandled.failure).collect()
    }

    /// One read for all messages that came before: a duplicate then costs no handler run and no failed transaction. One
    /// more, if another source's event has the place of one's id.
    async fn find_redelivered(&self, ports: &Ports, prepared: &[Prepared]) -> HashMap<LedgerKey, LedgerRecord> {
        let again = prepared.iter().filter(|message| message.delivery.receive_count > 1 && message.refused.is_none());
        let calls: Vec<_> = again.filter_map(|message| Some(&message.event.as_ref().ok()?.1)).collect();
        let name = self.settings.name;
        let mut found = read_ahead(ports, calls.iter().map(|call| of_id(name, call)).collect()).await;
        let displaced = |call: &Call| found.get(&of_id(name, call)).is_some_and(|record| displaced(call, record));
        let elsewhere = calls.iter().filter(|call| displaced(call)).map(|call| of_identity(name, call)).collect();
        found.extend(read_ahead(ports, elsewhere).await);
        found
    }

    async fn handle_lane(&self, batch: &Batch<'_>, mut lane: VecDeque<Prepared>) -> Vec<Unhandled> {
        while let Some(message) = lane.pop_front() {
            let failure = match batch.obstacle() {
                Some(obstacle) => self.leave(batch, &message, obstacle, Duration::ZERO).await,
                None => self.handle_message(batch, &message).await,
            };
            if let Err((error, delay)) = failure {
                let mut unhandled = vec![message.unhandled(&error, delay)];
                for later in lane {
                    let left = self.leave(batch, &later, "an earlier one of its order failed", delay).await;
                    unhandled.extend(left.err().map(|(error, delay)| later.unhandled(&error, delay)));
                }
                return unhandled;
            }
        }
        Vec::new()
    }

    /// Does not start a message: it comes back after `delay`, unless this was its last receive.
    async fn leave(
        &self,
        batch: &Batch<'_>,
        message: &Prepared,
        error: &str,
        delay: Duration,
    ) -> Result<(), (String, Duration)> {
        let began = (batch.ports.clock.now(), batch.ports.clock.monotonic());
        match self.exhausted(batch, message, error).await {
            Some(failure) => {
                self.report(batch.ports, message, began, &Outcome::Failed(failure), DEAD_LETTERED);
                Ok(())
            }
            None => Err((error.to_owned(), delay)),
        }
    }

    /// `Err` says what is wrong, and how long to wait before the message is tried again.
    async fn handle_message(&self, batch: &Batch<'_>, message: &Prepared) -> Result<(), (String, Duration)> {
        let (ports, queue) = (batch.ports, batch.queue);
        let began = (ports.clock.now(), ports.clock.monotonic());
        let mut outcome = self.outcome(message, &batch.found).await;
        if let Outcome::Failed(Failure::Terminal { reason, error, field }) = &outcome {
            let error = field.as_ref().map_or_else(|| error.clone(), |field| format!("{field}: {error}"));
            let letter = message.dead_letter(self.settings.name, *reason, error, ports.clock.now());
            if let Err(error) = queue.send(&letter).await {
                outcome = Outcome::Failed(Failure::retry(&error));
            }
        } else if let Outcome::Failed(Failure::Retry { error, .. }) = &outcome
            && let Some(failure) = self.exhausted(batch, message, error).await
        {
            outcome = Outcome::Failed(failure);
        }
        self.report(ports, message, began, &outcome, DEAD_LETTERED);
        match outcome {
            Outcome::Failed(Failure::Retry { after, error }) => {
                Err((error, self.delay(after, message.delivery.receive_count, ports)))
            }
            _ => Ok(()),
        }
    }

    /// The one line of a delivery.
    pub(crate) fn report(
        &self,
        ports: &Ports,
        message: &Prepared,
        (began, since): (chrono::DateTime<chrono::Utc>, Duration),
        outcome: &Outcome,
        terminal: &'static str,
    ) {
        let (label, reason) = outcome.label(terminal);
        let unreadable = message.event.is_err().then(|| message.delivery.unreadable(began, ports));
        let readable = message.event.as_ref().ok().map(|(_, call)| &call.event);
        let Some(event) = readable.or(unreadable.as_ref()) else { return };
        let duration = ports.clock.monotonic().saturating_sub(since);
        let (subject, attempt) = (&event.subject, message.delivery.receive_count);
        Hop { settings: &self.settings, event, subject, attempt, duration }.report(label, reason.as_deref());
    }

    /// Handles one event once, whatever brought it.
    pub(crate) async fn outcome(&self, message: &Prepared, found: &HashMap<LedgerKey, LedgerRecord>) -> Outcome {
        let (envelope, call) = match &message.event {
            Ok(event) => event,
            Err(failure) => return Outcome::Failed(failure.clone()),
        };
        let Some(handler) = self.handlers.get(&envelope.event_type) else {
            let known = self.event_types().collect::<Vec<_>>().join(", ");
            let error = format!("no handler for this type; {} handles {known}", self.settings.name);
            return Outcome::Failed(Failure::terminal(Reason::UnknownEventType, error));
        };
        if let Some(failure) = &message.refused {
            return Outcome::Failed(failure.clone());
        }
        let context = Context { dependencies: Arc::clone(&self.dependencies), call: Arc::clone(call) };
        let start = || {
            let schema_refused = |error| Failure::terminal(Reason::SchemaRefused, error);
            (handler.run)(envelope, context.clone()).map_err(schema_refused)
        };
        let by_text = || envelope.fingerprint_of_text();
        let execution = Execution::new(&self.settings, Arc::clone(call), envelope.fingerprint(), by_text);
        execution.run(found, start).await
    }

    /// What the handler or a lease asks for, with the first step of the backoff on top; otherwise the backoff.
    fn delay(&self, after: Option<Duration>, attempt: u32, ports: &Ports) -> Duration {
        let attempt = if after.is_some() { 1 } else { attempt };
        after.unwrap_or_default() + self.settings.backoff.after(attempt, ports.randomness.as_ref())
    }
}

/// The records of these keys, as far as they can be read.
async fn read_ahead(ports: &Ports, keys: Vec<LedgerKey>) -> HashMap<LedgerKey, LedgerRecord> {
    if keys.is_empty() {
        return HashMap::new();
    }
    ports.ledger.find(&keys).await.unwrap_or_else(|error| {
        tracing::warn!(error = chain(&error), "the ledger could not be read ahead; each commit will tell");
        HashMap::new()
    })
}

/// Best effort: without it the messages come back after the queue's visibility timeout.
async fn postpone(queue: &dyn SourceQueue, failed: &[Unhandled]) {
    let postponable = failed.iter().filter(|unhandled| !unhandled.receipt_handle.is_empty());
    let postponements: Vec<_> = postponable
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
