use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use crate::{Ledger, Shutdown};

/// Where time comes from.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The wall clock. It may jump, in both directions.
    fn now(&self) -> DateTime<Utc>;

    /// Time since a fixed point of the process: it only goes forward, and at the pace of time.
    fn monotonic(&self) -> Duration;

    /// Returns after `duration` has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// Where randomness comes from: ids and jitter. It need not be secret.
pub trait Randomness: Send + Sync {
    /// The next 64 random bits.
    fn next_u64(&self) -> u64;
}

/// Everything outside the process that handling an event needs.
#[derive(Clone)]
pub struct Ports {
    /// State, idempotency records and outgoing events.
    pub ledger: Arc<dyn Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Ids and jitter.
    pub randomness: Arc<dyn Randomness>,
    /// Whether the process is about to be stopped.
    pub shutdown: Shutdown,
    /// As what it runs.
    pub deployment: Arc<Deployment>,
    /// Whether a handler that does what its function has not declared is refused, as in tests and on a local cloud.
    pub strict: bool,
}

/// The Lambda function that this process runs for, which every ledger record names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deployment {
    /// Its name, unique in its account and region. `None` where there is none, as in a test: then records do not say
    /// who wrote them, and are not asked.
    pub lambda: Option<String>,
    /// Other names under which the same function has run, or runs beside this one: a renamed stack. Their records are
    /// its own.
    pub former: Vec<String>,
}

impl Deployment {
    /// Whether a record that this Lambda function wrote is one of the same function.
    pub(crate) fn wrote(&self, writer: &str) -> bool {
        self.lambda.as_ref().is_none_or(|name| name == writer) || self.former.iter().any(|name| name == writer)
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

impl Ports {
    /// A random (version 4) UUID, RFC 9562.
    pub(crate) fn uuid(&self) -> uuid::Uuid {
        let bytes = (u128::from(self.randomness.next_u64()) << 64) | u128::from(self.randomness.next_u64());
        uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid()
    }

    /// Time until `at` on the wall clock; zero when it has passed.
    pub(crate) fn until(&self, at: DateTime<Utc>) -> Duration {
        (at - self.clock.now()).to_std().unwrap_or_default()
    }
}
