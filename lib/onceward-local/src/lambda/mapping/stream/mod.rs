//! The readers of a `DynamoDB` stream. <https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>
//!
//! - *lineage*: which shards are read, and when. *source*: a shard, read in order. *router*: hands its records to *lanes*, of which there are as many as
//!   `ParallelizationFactor` says; all records of one item take the same lane while any of them is under way.
//! - *lane*: one batch at a time. *segment*: what is left of a batch, and how it goes on when it fails.
//! - *window*: tumbling windows and their state. *discard*: what is told of records given up.
//!
//! - *position*: how far everything is done; it outlives the process if the table does.

mod discard;
mod lane;
mod lineage;
mod position;
mod router;
mod segment;
mod source;
#[cfg(test)]
mod tests;
mod window;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

pub use self::window::{STATE_BYTES_MAX, WINDOW_GRACE};
use self::{
    lineage::{Ended, Lineage},
    position::Position,
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
    _ended: Ended,
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
        let store = self.destinations().services().map(|services| services.store.clone()).unwrap_or_default();
        let opened = source::stream_arn(&source, &mapping.table).await;
        let stream_arn = opened.map_err(|reason| no_stream(&mapping, reason))?;
        self.list_mapping(Listed::new(pool.function_arn(), stream_arn.clone(), settings(&mapping)));
        let readers = self.mappings().iter().filter(|listed| listed.source_arn == stream_arn).count();
        if readers > READERS_MAX {
            let StreamMapping { function, table, .. } = &mapping;
            let message = format!("{readers} readers of one stream: DynamoDB may throttle more than {READERS_MAX}");
            pool.sink.report(function, 0, "WARN", &format!("stream of {table} -> {function}: {message}"));
        }
        // A stream of this process has one shard for good.
        let has_more = changes.is_none();
        let mut lineage = Lineage {
            lambda: self.clone(),
            pool,
            source,
            mapping: mapping.clone(),
            filter,
            store,
            stream_arn,
            changes,
            shards: BTreeMap::new(),
            ended: mpsc::unbounded_channel(),
        };
        lineage.begin().await.map_err(|error| no_stream(&mapping, error.to_string()))?;
        if has_more {
            self.tasks().spawn(lineage.run(self.tasks().stop()));
        }
        Ok(())
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
