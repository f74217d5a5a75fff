//! The pollers of an SQS event source mapping.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Listed, SOURCE_RETRY_DELAY,
    batch_response::{Verdict, ignored, verdict},
    common_settings, event,
    filter::Filter,
    fitting, lost,
    source::QueueSource,
    sqs_event,
};
use crate::{
    lambda::{
        error::LambdaError,
        pool::{ENVIRONMENTS_MAX, Permit, Pool, Request},
        service::{Lambda, REQUEST_BYTES_MAX},
        spec::SqsMapping,
        tasks::stopped,
    },
    sqs::{Receive, Received, RedrivePolicy, Sqs},
};

/// Invocations at once of a mapping that does not say `MaximumConcurrency`.
pub const CONCURRENCY_DEFAULT: usize = 4;
/// Messages that a debugger looks at are hidden for this long at a time; a message that failed comes back within it.
pub const ATTACHED_VISIBILITY: Duration = Duration::from_secs(15);
/// How often they are hidden anew.
const ATTACHED_VISIBILITY_INTERVAL: Duration = Duration::from_secs(5);
/// Most messages of one `ReceiveMessage`.
const RECEIVE_MAX: usize = 10;
/// One long poll where pollers may outnumber the slots: not longer, so that those without a slot get their turn.
pub(super) const POLL_WAIT: Duration = Duration::from_secs(5);
/// SQS's longest long poll; a batching window may be longer.
const WINDOW_POLL_MAX: Duration = Duration::from_secs(20);

impl Lambda {
    /// Invokes `mapping.function` with the messages of `mapping.queue_arn`, until the shutdown. The function must exist.
    pub fn map_sqs(&self, sqs: Sqs, mapping: SqsMapping) -> Result<(), LambdaError> {
        let pool = self.pool(&mapping.function)?;
        let (function, sink, failures) = (pool.spec.name.clone(), pool.sink.clone(), Arc::clone(&pool.failures));
        sqs.watch(&mapping.queue_arn, move |moved| {
            let (message, notice) = failures.notice(&function, moved);
            sink.notify(&function, "ERROR", &message, notice);
        });
        self.map_queue(Arc::new(sqs), mapping)
    }

    /// The same for a queue wherever it is.
    pub(crate) fn map_queue(&self, source: Arc<dyn QueueSource>, mapping: SqsMapping) -> Result<(), LambdaError> {
        let pool = self.pool(&mapping.function)?;
        let filter = Filter::parse(&mapping.filters, &mapping.function, &mapping.queue_arn)?;
        let fifo = is_fifo(&mapping.queue_arn);
        let pollers = mapping.maximum_concurrency.unwrap_or(CONCURRENCY_DEFAULT).clamp(1, ENVIRONMENTS_MAX);
        self.list_mapping(Listed::new(pool.function_arn(), mapping.queue_arn.clone(), settings(&mapping)));
        let poller = Poller { pool, source, mapping: Arc::new(mapping), filter, fifo };
        for _ in 0..pollers {
            self.tasks().spawn(poller.clone().run(self.tasks().stop()));
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct Poller {
    pool: Arc<Pool>,
    source: Arc<dyn QueueSource>,
    mapping: Arc<SqsMapping>,
    filter: Filter,
    fifo: bool,
}

/// A message and its record.
struct Item {
    message: Received,
    record: Value,
    json: String,
}

impl Item {
    fn receive_count(&self) -> u32 {
        self.message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or_default()
    }
}

impl Poller {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                () = self.round() => {}
            }
        }
    }

    /// Waits for messages, and has them handled.
    async fn round(&self) {
        self.pool.ready().await;
        let mut standby = self.pool.slots.standby().await;
        // A receive that is dropped here takes nothing: that is the source's promise.
        let received = tokio::select! {
            biased;
            () = self.pool.unready() => return,
            received = self.receive(self.mapping.batch_size, self.poll_wait()) => received,
            () = standby.called_back() => return,
        };
        let messages = match received {
            Some(messages) if messages.is_empty() => return,
            Some(messages) => messages,
            None => {
                drop(standby);
                sleep(SOURCE_RETRY_DELAY).await;
                return;
            }
        };
        let permit = standby.take();
        let messages = self.gather(messages).await;
        self.handle(permit, messages).await;
    }

    /// Where the slots are few, pollers take turns.
    fn poll_wait(&self) -> Duration {
        let few = self.pool.spec.reserved_concurrency.is_some();
        if few { POLL_WAIT } else { self.source.poll_wait() }
    }

    async fn receive(&self, wanted: usize, wait: Duration) -> Option<Vec<Received>> {
        let request = Receive { max: wanted.clamp(1, RECEIVE_MAX), wait, visibility: None };
        match self.source.receive(&self.mapping.queue_arn, request).await {
            Ok(messages) => Some(messages),
            Err(error) => {
                self.report("ERROR", &format!("could not receive: {error}"));
                None
            }
        }
    }

    /// Adds messages until the batch is full or its window is over.
    async fn gather(&self, mut messages: Vec<Received>) -> Vec<Received> {
        let until = Instant::now() + self.mapping.batching_window;
        loop {
            let missing = self.mapping.batch_size.saturating_sub(messages.len());
            let left = until.saturating_duration_since(Instant::now());
            let bytes: usize = messages.iter().map(|message| message.body.len()).sum();
            if missing == 0 || left.is_zero() || bytes >= REQUEST_BYTES_MAX {
                return messages;
            }
            match self.receive(missing, left.min(WINDOW_POLL_MAX)).await {
                Some(more) => messages.extend(more),
                None => return messages,
            }
        }
    }

    /// Invokes the function, in several pieces if one payload cannot hold the batch.
    async fn handle(&self, permit: Permit, messages: Vec<Received>) {
        let mut items = self.filtered(messages).await;
        let mut permit = Some(permit);
        while !items.is_empty() {
            let count = fitting(items.iter().map(|item| item.json.len()), REQUEST_BYTES_MAX);
            let rest = items.split_off(count);
            let slot = match permit.take() {
                Some(permit) => permit,
                None => self.pool.slots.acquire_unbounded().await,
            };
            let done = self.invoke(slot, items).await;
            if self.fifo && !done {
                // What follows in the same message group must not overtake what failed.
                return;
            }
            items = rest;
        }
    }

    /// Messages that no pattern matches are deleted, as Lambda does.
    async fn filtered(&self, messages: Vec<Received>) -> Vec<Item> {
        let mut items = Vec::with_capacity(messages.len());
        let mut unwanted = Vec::new();
        for message in messages {
            let record = sqs_event::record(&message, &self.mapping.queue_arn, &self.pool.account.region);
            if self.filter.passes(&record) {
                let json = record.to_string();
                items.push(Item { message, record, json });
            } else {
                unwanted.push(message);
            }
        }
        self.delete(&unwanted.iter().collect::<Vec<_>>()).await;
        items
    }

    /// Deletes what succeeded; says whether that was all. The rest comes back after its visibility timeout.
    async fn invoke(&self, permit: Permit, items: Vec<Item>) -> bool {
        let payload = event(items.iter().map(|item| item.json.as_str()));
        let running = self.pool.run(permit, Request::new(payload, None));
        let invocation = match self.hiding(&items, running).await {
            Ok(finished) => finished.invocation,
            Err(error) => {
                self.note_failed(&items, &error.to_string());
                self.report("ERROR", &format!("{} messages not handled: {error}", items.len()));
                return false;
            }
        };
        if invocation.function_error.is_some() {
            let error = String::from_utf8_lossy(&invocation.payload);
            self.note_failed(&items, &error_message(&error));
            self.report_failed(&items, &error);
            return false;
        }
        let identifiers: Vec<&str> = items.iter().filter_map(|item| item.record["messageId"].as_str()).collect();
        if !self.mapping.report_batch_item_failures {
            self.delete(&items.iter().map(|item| &item.message).collect::<Vec<_>>()).await;
            self.report_ignored(&ignored(&invocation.payload, &identifiers), &identifiers);
            return true;
        }
        let failed = match verdict(&invocation.payload, &identifiers) {
            Verdict::Succeeded => Vec::new(),
            Verdict::Failed(positions) => {
                self.note_failed(
                    positions.iter().map(|position| &items[*position]),
                    "the function reported it as failed",
                );
                positions
            }
            Verdict::Unreadable(reason) => {
                self.note_failed(&items, &reason);
                self.report_failed(&items, &reason);
                return false;
            }
        };
        let done = items.iter().enumerate().filter(|(position, _)| !failed.contains(position));
        self.delete(&done.map(|(_, item)| &item.message).collect::<Vec<_>>()).await;
        failed.is_empty()
    }

    /// Waits for `running`. While a debugger has the messages, their visibility timeout does not end.
    async fn hiding<T>(&self, items: &[Item], running: impl Future<Output = T>) -> T {
        if !self.pool.is_attached() {
            return running.await;
        }
        let mut running = std::pin::pin!(running);
        loop {
            for Item { message, .. } in items {
                // Refused after 12 hours; then it is delivered again.
                let (queue, receipt) = (&self.mapping.queue_arn, &message.receipt_handle);
                self.source.hide(queue, receipt, ATTACHED_VISIBILITY).await;
            }
            tokio::select! {
                biased;
                done = &mut running => return done,
                () = sleep(ATTACHED_VISIBILITY_INTERVAL) => {}
            }
        }
    }

    async fn delete(&self, messages: &[&Received]) {
        for (message_id, error) in self.source.delete(&self.mapping.queue_arn, messages).await {
            self.report("ERROR", &format!("message {message_id} is handled but not deleted: {error}"));
        }
    }

    /// Remembers why these messages failed, in case that nobody else can say it.
    fn note_failed<'i>(&self, items: impl IntoIterator<Item = &'i Item>, failure: &str) {
        items.into_iter().for_each(|item| self.pool.failures.of_message(&item.message.message_id, failure));
    }

    /// Says what becomes of messages that have all failed.
    fn report_failed(&self, items: &[Item], reason: &str) {
        let redrive = self.source.redrive(&self.mapping.queue_arn);
        let receives: Vec<u32> = items.iter().map(Item::receive_count).collect();
        self.report("ERROR", &format!("{}: {reason}", fate(&receives, redrive.as_ref())));
    }

    /// Says what is lost because the mapping does not ask which messages failed.
    fn report_ignored(&self, failed: &[usize], identifiers: &[&str]) {
        let SqsMapping { function, queue_arn, .. } = &*self.mapping;
        let failed: Vec<&str> = failed.iter().map(|position| identifiers[*position]).collect();
        let Some(notice) = lost::notice(function, queue_arn, &failed) else { return };
        let message = format!("{queue_arn} -> {function}: {}", lost::deleted(&failed, identifiers.len()));
        self.pool.sink.notify(function, "ERROR", &message, notice);
    }

    fn report(&self, level: &str, message: &str) {
        let SqsMapping { function, queue_arn, .. } = &*self.mapping;
        self.pool.sink.report(function, 0, level, &format!("{queue_arn} -> {function}: {message}"));
    }
}

/// What only a queue's mapping has, as `GetEventSourceMapping` words it.
fn settings(mapping: &SqsMapping) -> Value {
    let mut settings = json!({
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.batching_window.as_secs(),
    });
    if let Some(maximum) = mapping.maximum_concurrency {
        settings["ScalingConfig"] = json!({ "MaximumConcurrency": maximum });
    }
    common_settings(&mut settings, mapping.report_batch_item_failures, &mapping.filters);
    settings
}

/// What a failed invocation says, without its JSON around it.
fn error_message(payload: &str) -> String {
    let error = serde_json::from_str::<Value>(payload).unwrap_or_default();
    error["errorMessage"].as_str().map_or_else(|| payload.to_owned(), str::to_owned)
}

/// What becomes of failed messages that were received so often.
pub(super) fn fate(receives: &[u32], redrive: Option<&RedrivePolicy>) -> String {
    let (count, most) = (receives.len(), receives.iter().max().copied().unwrap_or_default());
    let Some(RedrivePolicy { dead_letter_arn, receives_max, .. }) = redrive else {
        return format!("{count} messages failed, received up to {most} times; they come back");
    };
    let spent = receives.iter().filter(|receives| *receives >= receives_max).count();
    if spent == 0 {
        return format!("{count} messages failed, received up to {most} of {receives_max} times; they come back");
    }
    format!(
        "{count} messages failed; {spent} of them, received {most} of {receives_max} times, go to {dead_letter_arn} next"
    )
}

#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "the end of an ARN, which is no file")]
fn is_fifo(queue_arn: &str) -> bool {
    queue_arn.ends_with(".fifo")
}
