//! Why a data folder cannot be used.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::STATE_FILE;

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
    /// It is no folder.
    #[error("the data folder {} is a file: name a folder, or a path where nothing is yet", folder.display())]
    File {
        /// The path.
        folder: PathBuf,
    },
    /// Its files cannot be opened for writing.
    #[error("cannot write in the data folder {}: {reason}; it has to be yours and writable", folder.display())]
    NotWritable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        reason: String,
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
    /// A file of it is no database any more.
    #[error(
        "the data folder {} is damaged: {}: {reason}; it is left as it is: put a copy in its place, or name another folder",
        folder.display(), file
    )]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// Which of its files.
        file: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// One of its two files is gone.
    #[error(
        "the data folder {} has {there} and no {missing}: what is left would be half of what was stored; put the other \
         file back, or name another folder", folder.display()
    )]
    Half {
        /// The folder.
        folder: PathBuf,
        /// The file that is there.
        there: &'static str,
        /// The file that is not.
        missing: &'static str,
    },
    /// It cannot be read.
    #[error("cannot read the data folder {}: {reason}", folder.display())]
    Reading {
        /// The folder.
        folder: PathBuf,
        /// What `SQLite` said.
        reason: String,
    },
    /// One of its files was deleted.
    #[error("{} was deleted while it was in use; nothing since is kept", file.display())]
    Gone {
        /// The file.
        file: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write to the data folder {}: {reason}; nothing since is kept", folder.display())]
    Writing {
        /// The folder.
        folder: PathBuf,
        /// What `SQLite` said.
        reason: String,
    },
}

impl StoreError {
    pub(super) fn opening(folder: &Path, error: &rusqlite::Error) -> Self {
        let (folder, reason) = (folder.to_owned(), reason(error));
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse { folder },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::Damaged { folder, file: STATE_FILE, reason }
            }
            Some(
                ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::SystemIoFailure,
            ) => {
                // SQLite does not tell why; the system does.
                let opened = OpenOptions::new().append(true).create(true).open(folder.join(STATE_FILE));
                let reason = opened.err().map_or(reason, |error| error.to_string());
                Self::NotWritable { folder, reason }
            }
            _ => Self::Reading { folder, reason },
        }
    }

    pub(super) fn writing(folder: &Path, error: &rusqlite::Error) -> Self {
        Self::Writing { folder: folder.to_owned(), reason: reason(error) }
    }
}

/// What `SQLite` says, without the number and the general text that come as its cause.
fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(reason)) => reason.clone(),
        other => other.to_string(),
    }
}
