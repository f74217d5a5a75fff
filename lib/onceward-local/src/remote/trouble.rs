//! What goes wrong for a while is said once, and once more when it is over.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::RemoteError;
use crate::lambda::LogSink;

/// Whose voice it is in the log.
const VOICE: &str = "other-cloud";
/// The whole cloud, among the names of what troubles.
const ALL: &str = "";

/// What goes wrong now, by what it is about.
#[derive(Debug)]
pub(super) struct Troubles {
    endpoint: String,
    log: LogSink,
    now: Mutex<BTreeSet<String>>,
}

impl Troubles {
    pub(super) fn new(endpoint: String, log: LogSink) -> Self {
        Self { endpoint, log, now: Mutex::default() }
    }

    /// `about` did not go well; it will be tried again.
    pub(super) fn begin(&self, about: &str, error: &RemoteError) {
        let about = if matches!(error, RemoteError::Unreachable { .. }) { ALL } else { about };
        if self.locked().insert(about.to_owned()) {
            let about = if about.is_empty() { String::new() } else { format!("{about}: ") };
            self.say(&format!("{about}{error}; tried again until it does well"));
        }
    }

    /// `about` went well.
    pub(super) fn end(&self, about: &str) {
        let mut now = self.locked();
        if now.is_empty() {
            return;
        }
        if now.remove(ALL) {
            self.say(&format!("{} answers again", self.endpoint));
        }
        if now.remove(about) {
            self.say(&format!("{about} goes well again"));
        }
    }

    /// What will not be tried again.
    pub(super) fn say(&self, message: &str) {
        self.log.report(VOICE, 0, "WARN", message);
    }

    fn locked(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
