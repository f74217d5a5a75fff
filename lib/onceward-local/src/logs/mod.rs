//! The local `CloudWatch` Logs: what functions print, for `aws logs tail` and its kind. Reading only.
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html>
//!
//! - *store*: the lines, bounded for each function. *pattern*: filter patterns of plain terms. *wire*: the protocol.

mod error;
mod pattern;
mod store;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;

use self::store::Store;
pub use self::{
    error::LogsError,
    store::{LOG_BYTES_MAX, LOG_EVENTS_MAX, LOG_STREAMS_MAX},
};
use crate::{
    account::Account,
    wire::{AwsRequest, AwsResponse},
};

/// The log groups of one account. Clones share them.
#[derive(Debug, Clone)]
pub struct Logs {
    account: Account,
    store: Arc<Mutex<Store>>,
}

impl Logs {
    /// No groups yet.
    pub fn new(account: Account) -> Self {
        Self { account, store: Arc::default() }
    }

    /// Makes a group known, if it is not.
    pub fn create_group(&self, group: &str) {
        self.locked().create_group(group, now_ms());
    }

    /// Adds a line that `function` printed. Its oldest lines make room.
    pub fn put(&self, group: &str, function: &str, stream: &str, message: &str) {
        self.locked().put(group, function, stream, message, now_ms());
    }

    /// Answers one request of the `Logs_20140328` protocol.
    // Nothing here waits; async is what the endpoint expects of every service.
    #[allow(clippy::unused_async)]
    pub async fn handle(&self, request: AwsRequest) -> AwsResponse {
        wire::handle(self, &request)
    }

    fn locked(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
}
