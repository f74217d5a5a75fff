//! What outlives the process: the folder of `onceward dev --data`.
//!
//! Two `SQLite` files: one that the `DynamoDB` engine keeps, and `state.sqlite`, in which every other service writes its
//! records before it answers the request that changed them. Both use a write-ahead log without waiting for the disk: what
//! was answered survives the death of the process, SIGKILL included; the loss of power may take the last moments.
//!
//! Services that change a lot keep a record for each thing; those that hold little keep themselves as one record.

mod error;
mod kept;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::fs::File;
use std::future::{Future, pending};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::SetOnce;

pub use self::error::StoreError;
pub(crate) use self::kept::{Kept, KeptGuard};

/// The layout of what is stored; a folder of another one is refused.
const FORMAT: u32 = 1;
/// Where the other services' records are.
const STATE_FILE: &str = "state.sqlite";
/// Where the tables are.
const TABLES_FILE: &str = "dynamodb.sqlite";
/// How a database file begins. <https://www.sqlite.org/fileformat.html>
const SQLITE_START: &[u8] = b"SQLite format 3\0";
/// How long a folder is waited for that another process is just about to leave.
const BUSY_MAX: Duration = Duration::from_millis(500);

/// The folder of one cloud, or nothing: then all is in memory. Clones are the same.
#[derive(Clone, Default)]
pub struct Store {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    folder: PathBuf,
    connection: Mutex<Connection>,
    /// The first write that failed. From then on memory and disk differ.
    failure: SetOnce<StoreError>,
}

/// Writes that are made together, or not at all.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    writes: Vec<Write>,
    /// Nothing outlives the process: then nothing is noted.
    void: bool,
}

#[derive(Debug)]
enum Write {
    Put { collection: &'static str, key: String, value: Vec<u8> },
    Delete { collection: &'static str, key: String },
    DeleteAll { collection: &'static str, prefix: String },
}

impl Store {
    /// Nothing outlives the process.
    pub fn memory() -> Self {
        Self::default()
    }

    /// Opens `folder`, which is made if it is missing. No other process may use it meanwhile.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        if folder.exists() && !folder.is_dir() {
            return Err(StoreError::File { folder: folder.to_owned() });
        }
        std::fs::create_dir_all(folder)
            .map_err(|source| StoreError::Folder { folder: folder.to_owned(), source: Arc::new(source) })?;
        let opening = |source| StoreError::opening(folder, &source);
        let connection = connect(folder).map_err(opening)?;
        // Only now: whoever has the folder open would lose its lock on a file that is opened and closed here.
        let has_tables = has_tables(folder)?;
        match version(&connection).map_err(opening)? {
            None if has_tables => {
                let folder = folder.to_owned();
                return Err(StoreError::Half { folder, there: TABLES_FILE, missing: STATE_FILE });
            }
            None => {
                connection.execute("INSERT INTO format (version) VALUES (?1)", [FORMAT]).map_err(opening)?;
            }
            Some(FORMAT) => {}
            Some(version) => {
                return Err(StoreError::Format { folder: folder.to_owned(), version, supported: FORMAT });
            }
        }
        let inner = Inner { folder: folder.to_owned(), connection: Mutex::new(connection), failure: SetOnce::new() };
        Ok(Self { inner: Some(Arc::new(inner)) })
    }

    /// Refuses records whose tables are gone: before the `DynamoDB` engine makes new ones.
    pub(crate) fn expect_tables(&self) -> Result<(), StoreError> {
        let Some(Inner { folder, connection, .. }) = self.inner.as_deref() else { return Ok(()) };
        let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let has_records = has_records(&connection).map_err(|source| StoreError::opening(folder, &source))?;
        if has_records && !has_tables(folder)? {
            return Err(StoreError::Half { folder: folder.clone(), there: STATE_FILE, missing: TABLES_FILE });
        }
        Ok(())
    }

    /// Whether anything outlives the process.
    pub fn is_durable(&self) -> bool {
        self.inner.is_some()
    }

    /// Where the `DynamoDB` engine keeps its file.
    pub(crate) fn tables_file(&self) -> Option<PathBuf> {
        self.inner.as_ref().map(|inner| inner.folder.join(TABLES_FILE))
    }

    /// The first write that failed. What was answered since is only in memory, so the cloud should answer no more.
    pub fn failure(&self) -> Option<&StoreError> {
        self.inner.as_ref()?.failure.get()
    }

    /// Waits for the first write that fails.
    pub(crate) async fn failed(&self) -> &StoreError {
        match &self.inner {
            Some(inner) => inner.failure.wait().await,
            None => pending().await,
        }
    }

    /// What `serve` answers, unless what it changed is not kept: after a write that failed, and without its files.
    pub(crate) async fn kept<T>(&self, serve: impl Future<Output = T>) -> Result<T, StoreError> {
        let Some(inner) = &self.inner else { return Ok(serve.await) };
        inner.check()?;
        let answer = serve.await;
        inner.check()?;
        Ok(answer)
    }

    /// Writes for this store. In memory they cost nothing.
    pub(crate) fn batch(&self) -> Batch {
        Batch { writes: Vec::new(), void: !self.is_durable() }
    }

    /// Writes `batch`. A failure is kept for [`failure`](Self::failure): whoever holds a lock on the state has no one to
    /// tell.
    pub(crate) fn write(&self, batch: &Batch) {
        let Some(inner) = self.inner.as_ref().filter(|_| !batch.writes.is_empty()) else { return };
        if let Err(source) = inner.write(batch) {
            let _ = inner.failure.set(StoreError::writing(&inner.folder, &source));
        }
    }

    /// Every record of a collection that was put as bytes, in the order of the keys.
    pub(crate) fn read_bytes(&self, collection: &'static str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let Some(inner) = &self.inner else { return Ok(Vec::new()) };
        inner.read(collection).map_err(|source| StoreError::opening(&inner.folder, &source))
    }

    /// Every record of a collection, in the order of the keys.
    pub(crate) fn read<T: DeserializeOwned>(&self, collection: &'static str) -> Result<Vec<(String, T)>, StoreError> {
        let Some(inner) = &self.inner else { return Ok(Vec::new()) };
        let rows = inner.read(collection).map_err(|source| StoreError::opening(&inner.folder, &source))?;
        rows.into_iter()
            .map(|(key, value)| match serde_json::from_slice(&value) {
                Ok(value) => Ok((key, value)),
                Err(source) => Err(StoreError::Record {
                    folder: inner.folder.clone(),
                    collection,
                    key,
                    reason: source.to_string(),
                }),
            })
            .collect()
    }
}

/// The records' file, locked, with what every version has in it.
fn connect(folder: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(folder.join(STATE_FILE))?;
    connection.busy_timeout(BUSY_MAX)?;
    // Locks the file with the first access, for as long as it is open: that is what keeps others out.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS records (
             collection TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (collection, key)
         ) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS format (version INTEGER NOT NULL)",
    )?;
    Ok(connection)
}

/// None: the folder is new.
fn version(connection: &Connection) -> rusqlite::Result<Option<u32>> {
    connection.query_row("SELECT version FROM format", [], |row| row.get(0)).optional()
}

fn has_records(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM records)", [], |row| row.get(0))
}

/// Whether the tables' file is there with something in it, which has to be a database.
fn has_tables(folder: &Path) -> Result<bool, StoreError> {
    let mut start = Vec::new();
    let read = File::open(folder.join(TABLES_FILE))
        .and_then(|file| file.take(SQLITE_START.len() as u64).read_to_end(&mut start));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::NotWritable { folder: folder.to_owned(), reason: error.to_string() }),
        Ok(0) => Ok(false),
        Ok(_) if start == SQLITE_START => Ok(true),
        Ok(_) => Err(StoreError::Damaged {
            folder: folder.to_owned(),
            file: TABLES_FILE,
            reason: "file is not a database".to_owned(),
        }),
    }
}

impl Inner {
    /// Whether everything is kept. `SQLite` writes on to files that were deleted, and says nothing.
    fn check(&self) -> Result<(), StoreError> {
        if let Some(missing) =
            [STATE_FILE, TABLES_FILE].map(|file| self.folder.join(file)).iter().find(|it| !it.exists())
        {
            let _ = self.failure.set(StoreError::Gone { file: missing.clone() });
        }
        self.failure.get().map_or(Ok(()), |failure| Err(failure.clone()))
    }

    fn write(&self, batch: &Batch) -> rusqlite::Result<()> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        for write in &batch.writes {
            match write {
                Write::Put { collection, key, value } => transaction
                    .prepare_cached("INSERT OR REPLACE INTO records (collection, key, value) VALUES (?1, ?2, ?3)")?
                    .execute(params![collection, key, value])?,
                Write::Delete { collection, key } => transaction
                    .prepare_cached("DELETE FROM records WHERE collection = ?1 AND key = ?2")?
                    .execute(params![collection, key])?,
                // No character sorts behind the last of Unicode, which no key holds.
                Write::DeleteAll { collection, prefix } => transaction
                    .prepare_cached(
                        "DELETE FROM records WHERE collection = ?1 AND key >= ?2 AND key < ?2 || char(1114111)",
                    )?
                    .execute(params![collection, prefix])?,
            };
        }
        transaction.commit()
    }

    fn read(&self, collection: &str) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare("SELECT key, value FROM records WHERE collection = ?1 ORDER BY key")?;
        let rows = statement.query_map([collection], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }
}

impl Batch {
    /// Stores `value` under `key`, in place of what is there.
    ///
    /// # Panics
    /// If `value` has a map whose keys are no text: a mistake in the code.
    pub(crate) fn put(&mut self, collection: &'static str, key: impl Into<String>, value: &impl Serialize) {
        if !self.void {
            let value = serde_json::to_vec(value).expect("records have text for keys");
            self.writes.push(Write::Put { collection, key: key.into(), value });
        }
    }

    /// Stores `value` as it is, for [`Store::read_bytes`].
    pub(crate) fn put_bytes(&mut self, collection: &'static str, key: impl Into<String>, value: &[u8]) {
        if !self.void {
            self.writes.push(Write::Put { collection, key: key.into(), value: value.to_vec() });
        }
    }

    /// Removes what is under `key`, if there is something.
    pub(crate) fn delete(&mut self, collection: &'static str, key: impl Into<String>) {
        self.writes.push(Write::Delete { collection, key: key.into() });
    }

    /// Removes everything whose key begins with `prefix`.
    pub(crate) fn delete_all(&mut self, collection: &'static str, prefix: impl Into<String>) {
        self.writes.push(Write::DeleteAll { collection, prefix: prefix.into() });
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("durable", &self.is_durable()).finish_non_exhaustive()
    }
}
