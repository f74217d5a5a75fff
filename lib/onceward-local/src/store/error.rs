//! Why a data folder cannot be used.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why a data folder cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The folder is not there and cannot be made.
    #[error("cannot make the data folder {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// Another process has it.
    #[error("the data folder {} is in use by another process: stop that one, or name another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// Another version wrote it.
    #[error(
        "the data folder {} was written in format {version}, this version reads format {supported}: use the version \
         that wrote it, or name another folder", folder.display()
    )]
    Format {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        version: u32,
        /// Ours.
        supported: u32,
    },
    /// A record does not read.
    #[error("the data folder {} holds a record that does not read, {collection} {key}: {reason}", folder.display())]
    Record {
        /// The folder.
        folder: PathBuf,
        /// What kind of record.
        collection: &'static str,
        /// Which.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It cannot be read.
    #[error("cannot read the data folder {}: {source}", folder.display())]
    Reading {
        /// The folder.
        folder: PathBuf,
        /// What `SQLite` said.
        source: Arc<rusqlite::Error>,
    },
    /// One of its files was deleted.
    #[error("{} was deleted while it was in use; nothing since is kept", file.display())]
    Gone {
        /// The file.
        file: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write to the data folder {}: {source}; nothing since is kept", folder.display())]
    Writing {
        /// The folder.
        folder: PathBuf,
        /// What `SQLite` said.
        source: Arc<rusqlite::Error>,
    },
}

impl StoreError {
    pub(super) fn opening(folder: &Path, source: rusqlite::Error) -> Self {
        let folder = folder.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { folder },
            _ => Self::Reading { folder, source: Arc::new(source) },
        }
    }

    pub(super) fn writing(folder: &Path, source: rusqlite::Error) -> Self {
        Self::Writing { folder: folder.to_owned(), source: Arc::new(source) }
    }
}
