//! What every adapter must do, as named cases that any test runner can report one by one.
//!
//! A case uses keys and rows of its own, also in each run: all cases can share one set of tables, at once and again.
//! Queues and buses are made for each case by a [`Cloud`], which also shows what arrived in them.

#![expect(clippy::unwrap_used, reason = "a case fails by a panic")]

mod circuits;
mod cloud;
mod commits;
mod conditions;
mod events;
mod groups;
mod leases;
mod limits;
mod operations;
mod origins;
mod publisher;
mod reads;
mod source_queue;
mod trial;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use onceward::{Ledger, LedgerKey, memory::MemoryLedger};

pub use cloud::{BusProbe, Cloud, Letter, QueueProbe, QueueSettings, Received};

/// The logical table with the string keys `pk` and `sk`.
pub const TABLE: &str = "contract";

/// The logical table with the string key `pk` alone.
pub const SIMPLE_TABLE: &str = "contract-simple";

/// The adapter of a ledger, and what a case does to see its effects.
#[async_trait]
pub trait LedgerProbe: Send + Sync {
    /// The adapter under test.
    fn ledger(&self) -> &dyn Ledger;

    /// The envelopes that the commit under this key has left to publish, as JSON, in order. Those of other commits may be
    /// among them: a case looks at its own.
    async fn outbox(&self, key: &LedgerKey) -> Vec<String>;
}

#[async_trait]
impl LedgerProbe for MemoryLedger {
    fn ledger(&self) -> &dyn Ledger {
        self
    }

    async fn outbox(&self, _key: &LedgerKey) -> Vec<String> {
        self.outbox().iter().map(|envelope| serde_json::to_string(envelope).unwrap()).collect()
    }
}

/// A case's name, and what runs it: it panics if the ledger breaks the contract.
pub type LedgerCase = (&'static str, fn(Arc<dyn LedgerProbe>) -> BoxFuture<'static, ()>);

/// The contract of a [`Ledger`]. Its tables [`TABLE`] and [`SIMPLE_TABLE`] must exist.
///
/// ```
/// use std::sync::Arc;
///
/// use onceward::memory::MemoryLedger;
/// use onceward_testing::contract;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ledger = Arc::new(MemoryLedger::new());
/// for (name, case) in contract::ledger_cases() {
///     println!("{name}");
///     case(ledger.clone()).await;
/// }
/// # }
/// ```
pub fn ledger_cases() -> Vec<LedgerCase> {
    let suites = [
        commits::cases,
        events::cases,
        conditions::cases,
        operations::cases,
        limits::cases,
        groups::cases,
        leases::cases,
        origins::cases,
        reads::cases,
        circuits::cases,
    ];
    suites.into_iter().flat_map(|cases| cases()).collect()
}

/// A case's name, and what runs it: it panics if an adapter for this cloud breaks the contract.
pub type CloudCase = (&'static str, fn(Arc<dyn Cloud>) -> BoxFuture<'static, ()>);

/// The contract of a [`SourceQueue`](onceward::SourceQueue): dead letters and postponed messages.
pub fn source_queue_cases() -> Vec<CloudCase> {
    source_queue::cases()
}

/// The contract of a [`Publisher`](onceward::Publisher), alone and under the [`Relay`](onceward::Relay).
pub fn publisher_cases() -> Vec<CloudCase> {
    publisher::cases()
}

/// Names each case after its function.
macro_rules! cloud_cases {
    ($($case:ident),* $(,)?) => {
        pub(super) fn cases() -> Vec<crate::contract::CloudCase> {
            vec![$((stringify!($case), |cloud| Box::pin(async move { $case(&*cloud).await }))),*]
        }
    };
}
use cloud_cases;

/// Names each case after its function.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        pub(super) fn cases() -> Vec<super::LedgerCase> {
            vec![$((stringify!($case), |probe| {
                Box::pin($case(super::trial::Trial::new(probe, stringify!($case))))
            })),*]
        }
    };
}
use cases;
