//! `DynamoDB` and its streams, on the `dynoxide-rs` crate, in memory or in the file of a data folder.
//!
//! What that crate (3.2) leaves to its host is done here: tables expire their items, ARNs name the account's region, a
//! stream keeps its speed as it grows, and stream pollers are woken by writes. Transactions run one after another, so
//! `TransactionConflict` never occurs.

mod failure;
mod operation;
mod rename;
mod table_arn;
#[cfg(test)]
mod tests;
mod unchanged;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dynoxide::Database;
use dynoxide::storage::Storage;
use tokio::sync::watch;

pub use self::failure::{DynamoDbError, DynamoDbFailure};
use crate::account::Account;
use crate::store::Store;
use crate::wire::{AwsRequest, AwsResponse};

/// How often expired items are looked for. AWS promises days; a developer wants to see it happen.
const TTL_SWEEP_INTERVAL: Duration = Duration::from_secs(30);

/// The crate looks up a stream's last record on every write and its next ones on every poll, and keeps no index for it:
/// without this one each write reads the whole stream.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS onceward_stream_position \
     ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// The tables of one local cloud. Clones share them.
#[derive(Clone)]
pub struct DynamoDb {
    shared: Arc<Shared>,
}

struct Shared {
    account: Account,
    database: Database,
    writes: watch::Sender<u64>,
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDb").field("account", &self.shared.account).finish_non_exhaustive()
    }
}

impl DynamoDb {
    /// An empty database in memory.
    pub fn new(account: Account) -> Result<Self, DynamoDbError> {
        Self::open(account, &Store::memory())
    }

    /// The database of `store`, in which it is kept.
    pub fn open(account: Account, store: &Store) -> Result<Self, DynamoDbError> {
        let file = store.tables_file();
        let database = match &file {
            None => open(&format!("file:onceward-{}?mode=memory&cache=shared", uuid::Uuid::new_v4())),
            // Without this each write waits for the disk; it is the crate's name for SQLite's `synchronous = NORMAL`.
            Some(file) => open(&file.to_string_lossy()).and_then(|database| {
                database.disable_bulk_loading()?;
                Ok(database)
            }),
        };
        let database = database.map_err(|source| DynamoDbError::Open { file, source })?;
        Ok(Self { shared: Arc::new(Shared { account, database, writes: watch::channel(0).0 }) })
    }

    /// Runs one action (`CreateTable`, `GetRecords`, …): JSON in, JSON out, both as on the wire.
    ///
    /// Blocks the calling thread, usually for less than a millisecond; [`handle`](Self::handle) does not.
    pub fn execute(&self, action: &str, body: &[u8]) -> Result<Vec<u8>, DynamoDbFailure> {
        let Shared { account, database, writes } = &*self.shared;
        let answer = operation::run(database, account, action, body)?;
        if operation::writes(action) {
            writes.send_modify(|count| *count += 1);
        }
        Ok(answer)
    }

    /// Changes after every write, so that stream pollers wake at once. The number itself means nothing.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.writes.subscribe()
    }

    /// Answers one request of `DynamoDB_20120810` or `DynamoDBStreams_20120810`.
    pub async fn handle(&self, request: AwsRequest) -> AwsResponse {
        // A blocking thread costs 0.03 ms a request, a runtime thread stuck behind a scan costs everybody the scan.
        let database = self.clone();
        let outcome = tokio::task::spawn_blocking(move || database.execute(&request.action, &request.body)).await;
        let (status, body) = match outcome {
            Ok(Ok(answer)) => (200, Bytes::from(answer)),
            Ok(Err(failure)) => (failure.status, Bytes::from(failure.body)),
            Err(panic) => {
                let failure = DynamoDbFailure::internal(&panic);
                (failure.status, Bytes::from(failure.body))
            }
        };
        AwsResponse { status, content_type: "application/x-amz-json-1.0", headers: Vec::new(), body }
    }

    /// Deletes expired items, at intervals, until dropped. Their deletion is a stream record by `dynamodb.amazonaws.com`.
    pub async fn expire_items(self) {
        let mut interval = tokio::time::interval(TTL_SWEEP_INTERVAL);
        loop {
            interval.tick().await;
            let database = self.clone();
            // A sweep that fails has deleted what it reached; the next one starts over.
            let _ = tokio::task::spawn_blocking(move || database.sweep()).await;
        }
    }

    /// Deletes what has expired by now and says how many items that were.
    pub fn sweep(&self) -> Result<usize, DynamoDbFailure> {
        let deleted = self.shared.database.sweep_ttl()?;
        if deleted > 0 {
            self.shared.writes.send_modify(|count| *count += 1);
        }
        Ok(deleted)
    }
}

/// A database with [`STREAM_INDEX`] and [`unchanged::NO_RECORD`]. The crate gives its connection away only before it is
/// a `Database`, so they come from a second connection to the same memory or file, which is closed again.
fn open(path: &str) -> dynoxide::Result<Database> {
    let database = Database::new(path)?;
    let storage = Storage::new(path)?;
    storage.conn().execute_batch(&[STREAM_INDEX, unchanged::NO_RECORD].join(";"))?;
    Ok(database)
}
