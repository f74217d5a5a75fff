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
    batch_response::{Verdict, verdict},
    common_settings, event,
    filter::Filter,
    fitting, sqs_event,
};
use crate::{
    lambda::{
        error::LambdaError,
        pool::{ENVIRONMENTS_MAX, Permit, Pool, Request},
        service::{Lambda, REQUEST_BYTES_MAX},
        spec::SqsMapping,
        tasks::stopped,
    },
    sqs::{Receive, Received, Sqs},
};

/// Invocations at once of a mapping that does not say `MaximumConcurrency`.
pub const CONCURRENCY_DEFAULT: usize = 4;
/// Most messages of one `ReceiveMessage`.
const RECEIVE_MAX: usize = 10;
/// One long poll. Not longer, so that pollers without a slot get their turn where they outnumber the slots.
const POLL_WAIT: Duration = Duration::from_secs(5);
/// SQS's longest long poll; a batching window may be longer.
const WINDOW_POLL_MAX: Duration = Duration::from_secs(20);

impl Lambda {
    /// Invokes `mapping.function` with the messages of `mapping.queue_arn`, until the shutdown. The function must exist.
    pub fn map_sqs(&self, sqs: Sqs, mapping: SqsMapping) -> Result<(), LambdaError> {
        let pool = self.pool(&mapping.function)?;
        let filter = Filter::parse(&mapping.filters, &mapping.function, &mapping.queue_arn)?;
        let fifo = is_fifo(&mapping.queue_arn);
        let pollers = mapping.maximum_concurrency.unwrap_or(CONCURRENCY_DEFAULT).clamp(1, ENVIRONMENTS_MAX);
        self.list_mapping(Listed::new(pool.function_arn(), mapping.queue_arn.clone(), settings(&mapping)));
        let poller = Poller { pool, sqs, mapping: Arc::new(mapping), filter, fifo };
        for _ in 0..pollers {
            self.tasks().spawn(poller.clone().run(self.tasks().stop()));
        }
        Ok(())
    }
}

#[derive(Debug, Clone)]
struct Poller {
    pool: Arc<Pool>,
    sqs: Sqs,
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
        self.pool.up().await;
        let mut standby = self.pool.slots.standby().await;
        // A receive that is dropped here has taken nothing yet: it takes when it is ready, and then it is not dropped.
        let received = tokio::select! {
            biased;
            () = self.pool.down() => return,
            received = self.receive(self.mapping.batch_size, POLL_WAIT) => received,
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

    async fn receive(&self, wanted: usize, wait: Duration) -> Option<Vec<Received>> {
        let request = Receive { max: wanted.clamp(1, RECEIVE_MAX), wait, visibility: None };
        match self.sqs.receive(&self.mapping.queue_arn, request).await {
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
        let mut items = self.filtered(messages);
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
    fn filtered(&self, messages: Vec<Received>) -> Vec<Item> {
        let mut items = Vec::with_capacity(messages.len());
        for message in messages {
            let record = sqs_event::record(&message, &self.mapping.queue_arn, &self.pool.account.region);
            if self.filter.passes(&record) {
                let json = record.to_string();
                items.push(Item { message, record, json });
            } else {
                self.delete(&message);
            }
        }
        items
    }

    /// Deletes what succeeded; says whether that was all. The rest comes back after its visibility timeout.
    async fn invoke(&self, permit: Permit, items: Vec<Item>) -> bool {
        let payload = event(items.iter().map(|item| item.json.as_str()));
        let invocation = match self.pool.run(permit, Request::new(payload, None)).await {
            Ok(finished) => finished.invocation,
            Err(error) => {
                self.report("ERROR", &format!("{} messages not handled: {error}", items.len()));
                return false;
            }
        };
        if invocation.function_error.is_some() {
            let reason = String::from_utf8_lossy(&invocation.payload);
            self.report("ERROR", &format!("{} messages failed, they come back: {reason}", items.len()));
            return false;
        }
        let identifiers: Vec<&str> = items.iter().filter_map(|item| item.record["messageId"].as_str()).collect();
        let failed = match self.mapping.report_batch_item_failures.then(|| verdict(&invocation.payload, &identifiers)) {
            None | Some(Verdict::Succeeded) => Vec::new(),
            Some(Verdict::Failed(positions)) => positions,
            Some(Verdict::Unreadable(reason)) => {
                self.report("ERROR", &format!("{} messages count as failed, they come back: {reason}", items.len()));
                return false;
            }
        };
        for (_, item) in items.iter().enumerate().filter(|(position, _)| !failed.contains(position)) {
            self.delete(&item.message);
        }
        failed.is_empty()
    }

    fn delete(&self, message: &Received) {
        if let Err(error) = self.sqs.delete(&self.mapping.queue_arn, &message.receipt_handle) {
            self.report("ERROR", &format!("message {} is handled but not deleted: {error}", message.message_id));
        }
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

#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "the end of an ARN, which is no file")]
fn is_fifo(queue_arn: &str) -> bool {
    queue_arn.ends_with(".fifo")
}
