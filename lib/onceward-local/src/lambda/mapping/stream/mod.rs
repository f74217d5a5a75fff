//! The readers of a `DynamoDB` stream. <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
//!
//! - *source*: a shard, read in order. *router*: hands its records to *lanes*, of which there are as many as
//!   `ParallelizationFactor` says; all records of one item take the same lane while any of them is under way.
//! - *lane*: one batch at a time. *segment*: what is left of a batch, and how it goes on when it fails.
//! - *window*: tumbling windows and their state. *discard*: what is told of records given up.
//!
//! - *position*: how far everything is done; it outlives the process if the table does.

mod discard;
mod lane;
mod position;
mod router;
mod segment;
mod source;
#[cfg(test)]
mod tests;
mod window;

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

pub use self::window::{STATE_BYTES_MAX, WINDOW_GRACE};
use self::{
    lane::Lane,
    position::Position,
    router::{Assignments, Router},
    source::Shard,
};
use super::{Listed, filter::Filter};
use crate::{
    destination::Destinations,
    dynamodb::DynamoDb,
    lambda::{
        StreamSource,
        error::LambdaError,
        pool::Pool,
        service::Lambda,
        spec::{StartingPosition, StreamMapping},
    },
};

/// First pause before a batch that failed is tried again; doubles up to [`BATCH_RETRY_DELAY_MAX`].
pub const BATCH_RETRY_DELAY_MIN: Duration = Duration::from_millis(100);
/// Longest pause before a batch that failed is tried again.
pub const BATCH_RETRY_DELAY_MAX: Duration = Duration::from_secs(10);
/// Records that are read ahead of what a lane can take into its batch.
pub const RECORDS_AHEAD_MAX: usize = 1_000;
/// Readers that `DynamoDB` serves a shard without throttling them.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-dynamodb-simultaneous-readers>
const READERS_MAX: usize = 2;

/// What the lanes of one shard share.
#[derive(Debug)]
struct Reading {
    pool: Arc<Pool>,
    mapping: StreamMapping,
    destinations: Destinations,
    stream_arn: String,
    shard_id: String,
    position: Position,
}

impl Reading {
    fn report(&self, level: &str, message: &str) {
        let StreamMapping { function, table, .. } = &self.mapping;
        self.pool.sink.report(function, 0, level, &format!("stream of {table} -> {function}: {message}"));
    }
}

impl Lambda {
    /// Invokes `mapping.function` with the records of `mapping.table`'s stream, until the shutdown. Function and table
    /// must exist. Where to start is settled when this returns: what is written later is read.
    #[expect(clippy::needless_pass_by_value, reason = "services are handles, passed by value everywhere")]
    pub fn map_stream(&self, dynamodb: DynamoDb, mapping: StreamMapping) -> Result<(), LambdaError> {
        let opening = self.map_table(Arc::new(dynamodb.clone()), mapping.clone(), Some(dynamodb.changes()));
        // The services of this process answer at once.
        opening.now_or_never().unwrap_or_else(|| Err(no_stream(&mapping, "the tables do not answer".to_owned())))
    }

    /// The same for a table wherever it is; `changes` wakes a reader, without it the stream is polled.
    pub(crate) async fn map_table(
        &self,
        source: Arc<dyn StreamSource>,
        mapping: StreamMapping,
        changes: Option<watch::Receiver<u64>>,
    ) -> Result<(), LambdaError> {
        let pool = self.pool(&mapping.function)?;
        let filter = Filter::parse(&mapping.filters, &mapping.function, &mapping.table)?;
        let region = &self.account().region;
        let store = self.destinations().services().map(|services| services.store).unwrap_or_default();
        let after = |stream_arn: &str, id: &str| position::stored(&store, &mapping.function, stream_arn, id);
        let opened = Shard::open(&source, &mapping.table, mapping.starting_position, region, after).await;
        let shards = opened.map_err(|reason| no_stream(&mapping, reason))?;
        for shard in shards {
            let reading = Arc::new(Reading {
                pool: Arc::clone(&pool),
                mapping: mapping.clone(),
                destinations: self.destinations().clone(),
                stream_arn: shard.stream_arn.clone(),
                shard_id: shard.id.clone(),
                position: Position::new(store.clone(), &mapping.function, &shard.stream_arn, &shard.id),
            });
            self.list_mapping(Listed::new(pool.function_arn(), shard.stream_arn.clone(), settings(&mapping)));
            let readers = self.mappings().iter().filter(|listed| listed.source_arn == shard.stream_arn).count();
            if readers > READERS_MAX {
                reading.report(
                    "WARN",
                    &format!("{readers} readers of one stream: DynamoDB may throttle more than {READERS_MAX}"),
                );
            }
            self.read(changes.clone(), reading, filter.clone(), shard);
        }
        Ok(())
    }

    fn read(&self, changes: Option<watch::Receiver<u64>>, reading: Arc<Reading>, filter: Filter, shard: Shard) {
        let factor = reading.mapping.parallelization_factor.max(1);
        let assignments = Assignments::new(factor);
        let mut inboxes = Vec::new();
        for _ in 0..factor {
            let (sender, inbox) = mpsc::channel(RECORDS_AHEAD_MAX);
            inboxes.push(sender);
            let lane = Lane::new(Arc::clone(&reading), inbox, assignments.clone());
            self.tasks().spawn(lane.run(self.tasks().stop()));
        }
        let router = Router { reading, filter, shard, changes, assignments, inboxes };
        self.tasks().spawn(router.run(self.tasks().stop()));
    }
}

fn no_stream(mapping: &StreamMapping, reason: String) -> LambdaError {
    LambdaError::NoStream { function: mapping.function.clone(), table: mapping.table.clone(), reason }
}

/// What only a stream's mapping has, as `GetEventSourceMapping` words it.
fn settings(mapping: &StreamMapping) -> Value {
    let seconds = |duration: Duration| duration.as_secs();
    let mut settings = json!({
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": seconds(mapping.batching_window),
        "ParallelizationFactor": mapping.parallelization_factor.max(1),
        "StartingPosition": match mapping.starting_position {
            StartingPosition::TrimHorizon => "TRIM_HORIZON",
            StartingPosition::Latest => "LATEST",
        },
        "MaximumRecordAgeInSeconds": mapping.maximum_record_age.map_or(json!(-1), |age| json!(seconds(age))),
        "MaximumRetryAttempts": mapping.maximum_retry_attempts.map_or(json!(-1), |attempts| json!(attempts)),
        "BisectBatchOnFunctionError": mapping.bisect,
        "TumblingWindowInSeconds": mapping.tumbling_window.map_or(0, seconds),
        "DestinationConfig": match &mapping.on_failure_arn {
            Some(arn) => json!({ "OnFailure": { "Destination": arn } }),
            None => json!({ "OnFailure": {} }),
        },
    });
    super::common_settings(&mut settings, mapping.report_batch_item_failures, &mapping.filters);
    settings
}
