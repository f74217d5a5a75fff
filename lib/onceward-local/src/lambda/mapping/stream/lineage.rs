//! Which shards of a stream are read, and when: a shard's children after it, so that an item's records stay in order.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing>

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use super::{
    Reading,
    lane::Lane,
    position::{self, Position},
    router::{Assignments, Router},
    source::{Listed, Shard, list},
};
use crate::{
    lambda::{
        RECORDS_AHEAD_MAX, SourceError, StreamSource,
        mapping::filter::Filter,
        pool::Pool,
        service::Lambda,
        spec::{StartingPosition, StreamMapping},
        tasks::stopped,
    },
    store::Store,
};

/// How often a stream of another cloud is asked for new shards. `DynamoDB` has new ones about every four hours.
const SHARDS_INTERVAL: Duration = Duration::from_secs(10);

/// The shards of one mapping's stream.
#[derive(Debug)]
pub(super) struct Lineage {
    pub(super) lambda: Lambda,
    pub(super) pool: Arc<Pool>,
    pub(super) source: Arc<dyn StreamSource>,
    pub(super) mapping: StreamMapping,
    pub(super) filter: Filter,
    pub(super) store: Store,
    pub(super) stream_arn: String,
    /// Wakes a reader; without it the stream is polled.
    pub(super) changes: Option<watch::Receiver<u64>>,
    /// The shards that were begun, and whether they are done.
    pub(super) shards: BTreeMap<String, bool>,
    pub(super) ended: (mpsc::UnboundedSender<String>, mpsc::UnboundedReceiver<String>),
}

/// Says that a shard is done, when nobody works on it any more.
#[derive(Debug)]
pub(super) struct Ended {
    shard_id: String,
    sender: mpsc::UnboundedSender<String>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.sender.send(std::mem::take(&mut self.shard_id));
    }
}

impl Lineage {
    /// Begins with the shards there are: all from their start, or those that are open from now on.
    pub(super) async fn begin(&mut self) -> Result<(), SourceError> {
        let kind = match self.mapping.starting_position {
            StartingPosition::TrimHorizon => return self.next().await,
            StartingPosition::Latest => "LATEST",
        };
        for shard in list(&self.source, &self.stream_arn).await? {
            if shard.is_closed {
                self.shards.insert(shard.id, true);
            } else {
                self.open(shard.id, kind).await?;
            }
        }
        Ok(())
    }

    /// Follows the stream until the shutdown.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                () = self.round() => {}
            }
        }
    }

    async fn round(&mut self) {
        tokio::select! {
            biased;
            Some(shard_id) = self.ended.1.recv() => drop(self.shards.insert(shard_id, true)),
            () = sleep(SHARDS_INTERVAL) => {}
        }
        if let Err(error) = self.next().await {
            let StreamMapping { function, table, .. } = &self.mapping;
            let message = format!("stream of {table} -> {function}: could not look for new shards: {error}");
            self.pool.sink.report(function, 0, "ERROR", &message);
        }
    }

    /// Begins with every shard that is new and has no parent that is still read.
    async fn next(&mut self) -> Result<(), SourceError> {
        let listed = list(&self.source, &self.stream_arn).await?;
        let ids: BTreeSet<&str> = listed.iter().map(|shard| shard.id.as_str()).collect();
        for Listed { id, parent, .. } in &listed {
            let is_done = |parent: &str| self.shards.get(parent).copied().unwrap_or(!ids.contains(parent));
            if !self.shards.contains_key(id) && parent.as_deref().is_none_or(is_done) {
                self.open(id.clone(), "TRIM_HORIZON").await?;
            }
        }
        Ok(())
    }

    async fn open(&mut self, id: String, kind: &'static str) -> Result<(), SourceError> {
        let after = position::stored(&self.store, &self.mapping.function, &self.stream_arn, &id);
        let region = self.lambda.account().region.clone();
        let source = Arc::clone(&self.source);
        let shard = Shard::open(source, self.stream_arn.clone(), id.clone(), (kind, after), region).await?;
        self.shards.insert(id.clone(), false);
        let reading = Reading {
            pool: Arc::clone(&self.pool),
            mapping: self.mapping.clone(),
            destinations: self.lambda.destinations().clone(),
            stream_arn: self.stream_arn.clone(),
            position: Position::new(self.store.clone(), &self.mapping.function, &self.stream_arn, &id),
            _ended: Ended { shard_id: id.clone(), sender: self.ended.0.clone() },
            shard_id: id,
        };
        self.read(Arc::new(reading), shard);
        Ok(())
    }

    fn read(&self, reading: Arc<Reading>, shard: Shard) {
        let factor = reading.mapping.parallelization_factor.max(1);
        let assignments = Assignments::new(factor);
        let tasks = self.lambda.tasks();
        let mut inboxes = Vec::new();
        for _ in 0..factor {
            let (sender, inbox) = mpsc::channel(RECORDS_AHEAD_MAX);
            inboxes.push(sender);
            let lane = Lane::new(Arc::clone(&reading), inbox, assignments.clone());
            tasks.spawn(lane.run(tasks.stop()));
        }
        let (filter, changes) = (self.filter.clone(), self.changes.clone());
        let router = Router { reading, filter, shard, changes, assignments, inboxes };
        tasks.spawn(router.run(tasks.stop()));
    }
}
