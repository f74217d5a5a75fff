//! The reader of a `DynamoDB` stream: one per shard, one batch at a time, so that a function sees an item's changes in
//! order. <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html>
//!
//! How far it has read is kept in memory only: a cloud that starts again has an empty table too.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use super::{
    SOURCE_RETRY_DELAY,
    batch_response::{Verdict, verdict},
    event,
    filter::Filter,
    fitting,
    stream_source::{Record, Shard},
};
use crate::{
    dynamodb::DynamoDb,
    lambda::{
        error::LambdaError,
        pool::Pool,
        service::{Lambda, REQUEST_BYTES_MAX},
        spec::StreamMapping,
        tasks::stopped,
    },
};

/// First pause before a batch that failed is tried again; doubles up to [`BATCH_RETRY_DELAY_MAX`].
pub const BATCH_RETRY_DELAY_MIN: Duration = Duration::from_millis(100);
/// Longest pause before a batch that failed is tried again.
pub const BATCH_RETRY_DELAY_MAX: Duration = Duration::from_secs(10);

impl Lambda {
    /// Invokes `mapping.function` with the records of `mapping.table`'s stream, until the shutdown. Function and table
    /// must exist. Where to start is settled when this returns: what is written later is read.
    #[expect(clippy::needless_pass_by_value, reason = "services are handles, passed by value everywhere")]
    pub fn map_stream(&self, dynamodb: DynamoDb, mapping: StreamMapping) -> Result<(), LambdaError> {
        let pool = self.pool(&mapping.function)?;
        let filter = Filter::parse(&mapping.filters, &mapping.function, &mapping.table)?;
        let region = &self.account().region;
        let opened = Shard::open(&dynamodb, &mapping.table, mapping.starting_position, region);
        let shards = opened.map_err(|reason| LambdaError::NoStream {
            function: mapping.function.clone(),
            table: mapping.table.clone(),
            reason,
        })?;
        let mapping = Arc::new(mapping);
        for shard in shards {
            let reader = Reader {
                pool: Arc::clone(&pool),
                mapping: Arc::clone(&mapping),
                filter: filter.clone(),
                shard,
                changes: dynamodb.changes(),
                pending: VecDeque::new(),
                batch_max: mapping.batch_size.max(1),
                failures: 0,
                attempts: 0,
            };
            self.tasks().spawn(reader.run(self.tasks().stop()));
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Reader {
    pool: Arc<Pool>,
    mapping: Arc<StreamMapping>,
    filter: Filter,
    shard: Shard,
    changes: watch::Receiver<u64>,
    /// Read, passed by the filter, and not yet done.
    pending: VecDeque<Record>,
    /// Most records of the next batch: smaller while a failing batch is bisected.
    batch_max: usize,
    /// Failures since something was done; for the pause.
    failures: u32,
    /// Failed attempts that count towards `MaximumRetryAttempts`.
    attempts: u32,
}

/// How a batch ended.
enum Outcome {
    Done,
    /// The records before this position are done.
    FailedAt(usize, String),
    /// The function did not run: that is no attempt.
    NotRun(String),
}

impl Reader {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                () = self.round() => {}
            }
        }
    }

    async fn round(&mut self) {
        if self.pending.is_empty() {
            self.read().await;
            return;
        }
        self.pool.up().await;
        let sizes = self.pending.iter().take(self.batch_max).map(|record| record.json.len());
        let count = fitting(sizes, REQUEST_BYTES_MAX);
        match self.invoke(count).await {
            Outcome::Done => self.advance(count),
            Outcome::FailedAt(position, reason) => {
                if position > 0 {
                    self.advance(position);
                }
                let delay = self.failed(count - position, &reason);
                sleep(delay).await;
            }
            Outcome::NotRun(reason) => {
                self.report(&format!("{count} records not handled: {reason}"));
                sleep(SOURCE_RETRY_DELAY).await;
            }
        }
    }

    /// Reads the next page, or waits until there may be one.
    async fn read(&mut self) {
        // Marked as seen before the read: a write during it wakes the wait.
        self.changes.borrow_and_update();
        match self.shard.read(self.mapping.batch_size).await {
            Ok(records) if records.is_empty() => {
                if self.changes.changed().await.is_err() {
                    // The database is gone; only the shutdown is left to wait for.
                    std::future::pending::<()>().await;
                }
            }
            Ok(records) => {
                self.pending = records.into_iter().filter(|record| self.filter.passes(&record.value)).collect();
            }
            Err(reason) => {
                self.report(&format!("could not read the stream: {reason}"));
                sleep(SOURCE_RETRY_DELAY).await;
            }
        }
    }

    async fn invoke(&self, count: usize) -> Outcome {
        let batch = || self.pending.iter().take(count);
        let payload = event(batch().map(|record| record.json.as_str()));
        let permit = self.pool.slots.acquire_unbounded().await;
        let invocation = match self.pool.run(permit, payload, None).await {
            Ok(finished) => finished.invocation,
            Err(error) => return Outcome::NotRun(error.to_string()),
        };
        if invocation.function_error.is_some() {
            return Outcome::FailedAt(0, String::from_utf8_lossy(&invocation.payload).into_owned());
        }
        if !self.mapping.report_batch_item_failures {
            return Outcome::Done;
        }
        let identifiers: Vec<&str> = batch().map(Record::sequence_number).collect();
        match verdict(&invocation.payload, &identifiers) {
            Verdict::Succeeded => Outcome::Done,
            Verdict::Failed(positions) => {
                let lowest = positions.first().copied().unwrap_or(0);
                Outcome::FailedAt(lowest, format!("the function reports {} as failed", identifiers[lowest]))
            }
            Verdict::Unreadable(reason) => Outcome::FailedAt(0, reason),
        }
    }

    fn advance(&mut self, count: usize) {
        self.pending.drain(..count);
        self.batch_max = self.mapping.batch_size.max(1);
        self.failures = 0;
        self.attempts = 0;
    }

    /// The first `count` records failed. Decides how they are tried again, and after which pause.
    fn failed(&mut self, count: usize, reason: &str) -> Duration {
        self.failures += 1;
        let (first, last) = (self.sequence_number(0), self.sequence_number(count - 1));
        let records = format!("{count} records, {first} to {last}");
        if self.mapping.bisect && count > 1 {
            // Splitting does not count as an attempt.
            self.batch_max = count / 2;
        } else {
            self.attempts += 1;
            if self.mapping.maximum_retry_attempts.is_some_and(|attempts| self.attempts > attempts) {
                let attempts = self.attempts;
                self.report(&format!(
                    "SKIPPED after {attempts} attempts, with no on-failure destination: {records}: {reason}"
                ));
                self.advance(count);
                return Duration::ZERO;
            }
        }
        let delay = retry_delay(self.failures);
        self.report(&format!("failed, next try in {} ms: {records}: {reason}", delay.as_millis()));
        delay
    }

    fn sequence_number(&self, position: usize) -> String {
        self.pending.get(position).map(|record| record.sequence_number().to_owned()).unwrap_or_default()
    }

    fn report(&self, message: &str) {
        let StreamMapping { function, table, .. } = &*self.mapping;
        self.pool.sink.report(function, 0, "ERROR", &format!("stream of {table} -> {function}: {message}"));
    }
}

fn retry_delay(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    BATCH_RETRY_DELAY_MIN.saturating_mul(doubled).min(BATCH_RETRY_DELAY_MAX)
}
