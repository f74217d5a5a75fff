use chrono::TimeDelta;
use futures_util::future::join;
use onceward::{CircuitRecord, CircuitState};

use super::{cases, trial::Trial};

cases![
    a_breaker_that_nobody_opened_has_no_record,
    an_open_circuit_is_read_as_it_was_written,
    a_half_open_circuit_is_read_as_it_was_written,
    a_circuit_changes_only_from_the_expected_version,
    a_circuit_is_opened_only_where_none_is,
    a_closed_circuit_has_no_record,
    a_closed_circuit_is_not_changed_from_its_last_version,
    a_change_told_twice_is_made,
    of_two_concurrent_changes_one_is_made,
    breakers_do_not_touch_each_other,
];

fn open(trial: &Trial, version: &str) -> CircuitRecord {
    CircuitRecord {
        version: version.to_owned(),
        changed_at: trial.now,
        failed_probes: 0,
        state: CircuitState::Open { until: trial.now + TimeDelta::milliseconds(30_001) },
    }
}

async fn swap(trial: &Trial, expected: Option<&str>, next: Option<&CircuitRecord>) -> bool {
    trial.ledger().swap_circuit(&trial.breaker("b"), expected, next).await.unwrap()
}

async fn circuit(trial: &Trial) -> Option<CircuitRecord> {
    trial.ledger().load_circuit(&trial.breaker("b")).await.unwrap()
}

async fn a_breaker_that_nobody_opened_has_no_record(trial: Trial) {
    assert_eq!(circuit(&trial).await, None);
}

async fn an_open_circuit_is_read_as_it_was_written(trial: Trial) {
    let record = CircuitRecord { failed_probes: u32::MAX, ..open(&trial, "1") };
    assert!(swap(&trial, None, Some(&record)).await);
    assert_eq!(circuit(&trial).await, Some(record));
}

async fn a_half_open_circuit_is_read_as_it_was_written(trial: Trial) {
    let state = CircuitState::HalfOpen { until: trial.now };
    let record = CircuitRecord { state, ..open(&trial, "1") };
    assert!(swap(&trial, None, Some(&record)).await);
    assert_eq!(circuit(&trial).await, Some(record));
}

async fn a_circuit_changes_only_from_the_expected_version(trial: Trial) {
    let [first, second, third] = ["1", "2", "3"].map(|version| open(&trial, version));
    assert!(swap(&trial, None, Some(&first)).await);
    assert!(!swap(&trial, Some("2"), Some(&third)).await);
    assert!(swap(&trial, Some("1"), Some(&second)).await);
    assert!(!swap(&trial, Some("1"), Some(&third)).await);
    assert!(!swap(&trial, Some("1"), None).await);
    assert_eq!(circuit(&trial).await, Some(second));
}

async fn a_circuit_is_opened_only_where_none_is(trial: Trial) {
    let [first, second] = ["1", "2"].map(|version| open(&trial, version));
    assert!(swap(&trial, None, Some(&first)).await);
    assert!(!swap(&trial, None, Some(&second)).await);
    assert!(!swap(&trial, None, None).await);
    assert_eq!(circuit(&trial).await, Some(first));
}

async fn a_closed_circuit_has_no_record(trial: Trial) {
    assert!(swap(&trial, None, Some(&open(&trial, "1"))).await);
    assert!(swap(&trial, Some("1"), None).await);
    assert_eq!(circuit(&trial).await, None);
    assert!(swap(&trial, None, Some(&open(&trial, "2"))).await);
}

async fn a_closed_circuit_is_not_changed_from_its_last_version(trial: Trial) {
    assert!(swap(&trial, None, Some(&open(&trial, "1"))).await);
    assert!(swap(&trial, Some("1"), None).await);
    assert!(!swap(&trial, Some("1"), Some(&open(&trial, "2"))).await);
    assert!(!swap(&trial, Some("1"), None).await);
    assert_eq!(circuit(&trial).await, None);
}

/// The answer to the first call may have been lost.
async fn a_change_told_twice_is_made(trial: Trial) {
    let [first, second] = ["1", "2"].map(|version| open(&trial, version));
    for _ in 0..2 {
        assert!(swap(&trial, None, Some(&first)).await);
    }
    for _ in 0..2 {
        assert!(swap(&trial, Some("1"), Some(&second)).await);
    }
    assert_eq!(circuit(&trial).await, Some(second));
}

async fn of_two_concurrent_changes_one_is_made(trial: Trial) {
    assert!(swap(&trial, None, Some(&open(&trial, "0"))).await);
    let [ada, bob] = ["ada", "bob"].map(|version| open(&trial, version));
    let made = join(swap(&trial, Some("0"), Some(&ada)), swap(&trial, Some("0"), Some(&bob))).await;
    let expected = if made.0 { ada } else { bob };
    assert!(made.0 != made.1, "{made:?}");
    assert_eq!(circuit(&trial).await, Some(expected));
}

async fn breakers_do_not_touch_each_other(trial: Trial) {
    assert!(swap(&trial, None, Some(&open(&trial, "1"))).await);
    let other = trial.breaker("other");
    assert_eq!(trial.ledger().load_circuit(&other).await.unwrap(), None);
    assert!(trial.ledger().swap_circuit(&other, None, Some(&open(&trial, "1"))).await.unwrap());
    assert!(trial.ledger().swap_circuit(&other, Some("1"), None).await.unwrap());
    assert_eq!(circuit(&trial).await, Some(open(&trial, "1")));
}
