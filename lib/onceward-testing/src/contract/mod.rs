//! What every adapter must do, as named cases that any test runner can report one by one.
//!
//! A case uses keys and rows of its own, also in each run: all cases can share one set of tables, at once and again.

#![expect(clippy::unwrap_used, reason = "a case fails by a panic")]

mod circuits;
mod commits;
mod conditions;
mod leases;
mod operations;
mod reads;
mod trial;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use onceward::Ledger;

/// The logical table with the string keys `pk` and `sk`.
pub const TABLE: &str = "contract";

/// The logical table with the string key `pk` alone.
pub const SIMPLE_TABLE: &str = "contract-simple";

/// A case's name, and what runs it: it panics if the ledger breaks the contract.
pub type LedgerCase = (&'static str, fn(Arc<dyn Ledger>) -> BoxFuture<'static, ()>);

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
    let of_records = [commits::cases(), conditions::cases(), operations::cases(), leases::cases(), reads::cases()];
    [of_records.concat(), circuits::cases()].concat()
}

/// Names each case after its function.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        pub(super) fn cases() -> Vec<super::LedgerCase> {
            vec![$((stringify!($case), |ledger| {
                Box::pin($case(super::trial::Trial::new(ledger, stringify!($case))))
            })),*]
        }
    };
}
use cases;
