use std::{sync::Arc, time::Duration};

use super::FunctionError;
use crate::{Backoff, CircuitBreaker, batch::GROUP_ACTIONS_MAX, declarations::Declarations};

/// How many records of a batch are handled at a time.
const CONCURRENCY: usize = 10;

/// How many records commit in one transaction.
const COMMITS_GROUPED: usize = 1;

/// How long the ledger remembers: a day longer than the longest retention of a queue.
const RETENTION: Duration = Duration::from_hours(15 * 24);

/// The longest name, in bytes, of a Lambda function and so of ours:
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>.
const NAME_BYTES_MAX: usize = 64;

/// What the ledger's keys of circuit breakers begin with.
const RESERVED_NAME: &str = "breaker";

/// What a function does with each event.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) guarded: bool,
    pub(crate) concurrency: usize,
    pub(crate) commits_grouped: usize,
    pub(crate) backoff: Backoff,
    pub(crate) retention: Duration,
    /// The header that holds the idempotency key, for events whose handler does not make one.
    pub(crate) key_header: Option<&'static str>,
    /// No handler runs while one of them is open.
    pub(crate) circuit_breakers: Vec<CircuitBreaker>,
    /// What it says that it does.
    pub(crate) declared: Arc<Declarations>,
}

impl Settings {
    pub(crate) fn new(name: &'static str) -> Self {
        let (concurrency, backoff, retention) = (CONCURRENCY, Backoff::MESSAGES, RETENTION);
        Self {
            name,
            source: name,
            guarded: false,
            concurrency,
            commits_grouped: COMMITS_GROUPED,
            backoff,
            retention,
            key_header: None,
            circuit_breakers: Vec::new(),
            declared: Arc::default(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), FunctionError> {
        let name = self.name;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(FunctionError::Name { name });
        }
        if name == RESERVED_NAME {
            return Err(FunctionError::Setting {
                name,
                setting: "name",
                expected: "another: circuit breakers have it",
            });
        }
        if self.source.is_empty() {
            return Err(FunctionError::Setting { name, setting: "source", expected: "a name that is not empty" });
        }
        if self.concurrency == 0 {
            return Err(FunctionError::Setting { name, setting: "concurrency", expected: "1 record at least" });
        }
        if !(1..=GROUP_ACTIONS_MAX).contains(&self.commits_grouped) {
            return Err(FunctionError::Setting { name, setting: "commits_grouped", expected: "1 to 100 records" });
        }
        if self.retention.is_zero() {
            return Err(FunctionError::Setting { name, setting: "retention", expected: "longer than nothing" });
        }
        if self.key_header.is_some_and(str::is_empty) {
            let expected = "a name that is not empty";
            return Err(FunctionError::Setting { name, setting: "idempotency_header", expected });
        }
        Ok(())
    }
}
