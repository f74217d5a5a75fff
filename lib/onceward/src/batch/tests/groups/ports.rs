//! What a handler in a group reads is what one alone reads.

use std::slice::from_ref;

use super::*;
use crate::{
    CircuitBreakerStore as _, CircuitRecord, CircuitState, Claim, Lease, Ledger as _, LedgerKey, Origin,
    batch::group::GroupedLedger,
};

#[tokio::test]
async fn a_group_reads_rows_records_and_circuits_and_changes_circuits() {
    let (world, runs) = (World::new(), Runs::default());
    let function = counting(&runs);
    world.handle(&function, [world.delivery("1", 1)]).await;
    let grouped = GroupedLedger::new(&function.settings, &world.ports, world.invocation()).ports().ledger;

    let rows = grouped.query("counters", &row(1), 10).await.unwrap();
    assert_eq!(rows, world.ledger.query("counters", &row(1), 10).await.unwrap());
    assert_eq!(rows.len(), 1);

    let key = LedgerKey { function: "count".to_owned(), idempotency_key: "claimed".to_owned() };
    let lease = Lease { owner: "owner".to_owned(), origin: Origin::default(), expires_at: world.deadline() };
    let claim = Claim { key: key.clone(), lease, now: world.now(), expires_at: world.deadline() };
    world.ledger.claim(&claim).await.unwrap();
    let found = grouped.find(from_ref(&key)).await.unwrap();
    assert_eq!(found, world.ledger.find(from_ref(&key)).await.unwrap());
    assert_eq!(found.len(), 1);

    let state = CircuitState::Open { until: world.deadline() };
    let opened = CircuitRecord { version: "v-1".to_owned(), changed_at: world.now(), failed_probes: 0, state };
    assert!(grouped.swap_circuit("breaker", None, Some(&opened)).await.unwrap());
    assert!(!grouped.swap_circuit("breaker", None, None).await.unwrap(), "it is no longer as expected");
    assert_eq!(grouped.load_circuit("breaker").await.unwrap(), Some(opened.clone()));
    assert_eq!(world.ledger.load_circuit("breaker").await.unwrap(), Some(opened));
}

#[test]
fn records_that_commit_one_by_one_use_the_ledger_itself() {
    let (world, runs) = (World::new(), Runs::default());
    for (records_max, grouped) in [(1, false), (2, true)] {
        let function = counting(&runs).commits_grouped(records_max);
        let ledger = GroupedLedger::new(&function.settings, &world.ports, world.invocation()).ports().ledger;
        assert_eq!(std::sync::Arc::ptr_eq(&ledger, &world.ports.ledger), !grouped, "{records_max}");
    }
}
