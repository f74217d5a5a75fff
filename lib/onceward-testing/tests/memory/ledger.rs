//! The ledger.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use onceward::memory::MemoryLedger;
use onceward_testing::contract;

#[tokio::test]
async fn passes_the_contract() {
    let ledger = Arc::new(MemoryLedger::new());
    let mut broken = Vec::new();
    for (name, case) in contract::ledger_cases() {
        if AssertUnwindSafe(case(ledger.clone())).catch_unwind().await.is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "broken: {broken:#?}");
}

#[test]
fn no_two_cases_share_a_name() {
    let mut names: Vec<_> = contract::ledger_cases().into_iter().map(|(name, _)| name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
