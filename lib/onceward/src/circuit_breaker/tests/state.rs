use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    super::state::{Circuit, Phase, later},
    CircuitRecord, CircuitState, OPEN_TIME, PROBE_LEASE, Settings, TRUST,
};

const SETTINGS: Settings = Settings { failures_max: 2, open_time: OPEN_TIME, probe_lease: PROBE_LEASE, trust: TRUST };

fn at(second: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000) + TimeDelta::seconds(second)
}

fn open_at(second: i64) -> Circuit {
    let mut circuit = Circuit::default();
    assert!(!circuit.failed(0, &SETTINGS, at(second), || "early".to_owned()));
    assert!(circuit.failed(0, &SETTINGS, at(second), || "opened".to_owned()));
    circuit
}

#[test]
fn only_failures_in_a_row_open_a_circuit() {
    let mut circuit = Circuit::default();
    for _ in 0..3 {
        assert!(!circuit.failed(0, &SETTINGS, at(0), String::new));
        circuit.succeeded(0);
    }
    assert_eq!((circuit.phase(at(0)), circuit.unshared()), (Phase::Closed, None));
}

#[test]
fn an_open_circuit_refuses_until_its_time_and_is_then_due_for_one_probe() {
    let mut circuit = open_at(0);
    assert_eq!(circuit.phase(at(0)), Phase::Open { until: at(30) });
    assert_eq!(circuit.phase(at(29)), Phase::Open { until: at(30) });
    assert_eq!(circuit.phase(at(30)), Phase::Due);
    circuit.begin_probe(&SETTINGS, at(31), "probe".to_owned());
    assert_eq!(circuit.phase(at(60)), Phase::HalfOpen { since: at(31), until: at(61) });
    assert_eq!(circuit.phase(at(61)), Phase::Due, "the probe had no outcome");
    circuit.close();
    assert_eq!(circuit.phase(at(31)), Phase::Closed);
}

#[test]
fn each_failed_probe_doubles_the_open_time_up_to_its_cap() {
    let mut circuit = open_at(0);
    let mut open_times = Vec::new();
    for probe in 0..8 {
        circuit.begin_probe(&SETTINGS, at(1_000), format!("probe {probe}"));
        let until = circuit.reopen(&SETTINGS, at(1_000), format!("open {probe}"));
        open_times.push((until - at(1_000)).num_seconds());
    }
    assert_eq!(open_times, [60, 120, 240, 480, 900, 900, 900, 900]);
}

#[test]
fn a_probe_without_an_outcome_counts_as_a_failed_one() {
    let mut circuit = open_at(0);
    circuit.begin_probe(&SETTINGS, at(30), "died".to_owned());
    circuit.begin_probe(&SETTINGS, at(60), "second".to_owned());
    assert_eq!(circuit.reopen(&SETTINGS, at(60), "again".to_owned()), at(60 + 120));
}

#[test]
fn a_call_that_began_before_a_change_says_nothing_about_the_circuit_after_it() {
    let mut circuit = open_at(0);
    circuit.close();
    assert!(!circuit.failed(0, &SETTINGS, at(1), String::new));
    assert!(!circuit.failed(0, &SETTINGS, at(1), String::new));
    assert_eq!(circuit.phase(at(1)), Phase::Closed);
    let generation = circuit.generation();
    assert!(!circuit.failed(generation, &SETTINGS, at(1), String::new));
    circuit.succeeded(0);
    assert!(circuit.failed(generation, &SETTINGS, at(1), String::new), "a late success resets nothing");
}

#[test]
fn a_record_from_the_future_is_due_at_once_and_one_within_the_clocks_difference_is_believed() {
    for (ahead, phase) in [(5, Phase::Open { until: at(35) }), (6, Phase::Due), (100_000, Phase::Due)] {
        assert_eq!(open_at(ahead).phase(at(0)), phase, "{ahead} s ahead");
    }
}

#[test]
fn what_was_read_is_believed_for_a_while_and_not_when_the_clock_was_set_back() {
    let mut circuit = Circuit::default();
    assert!(circuit.is_stale(at(0), TRUST), "nothing was read");
    circuit.asked(at(0));
    let stale = [0, 4, 5, -1].map(|second| circuit.is_stale(at(second), TRUST));
    assert_eq!(stale, [false, false, true, true]);
}

#[test]
fn a_change_that_the_store_missed_is_told_again_unless_the_store_moved_on() {
    let mut circuit = open_at(0);
    let change = circuit.unshared().unwrap();
    assert_eq!(change.expected, None);
    circuit.learn(None);
    assert_eq!(circuit.unshared(), Some(change.clone()), "the store was not told");
    circuit.learn(change.next.clone());
    assert_eq!(circuit.unshared(), None, "it was, and the answer was lost");
    circuit.close();
    assert_eq!(circuit.unshared().unwrap().expected.as_deref(), Some("opened"));
    let state = CircuitState::Open { until: at(90) };
    let other = CircuitRecord { version: "other".to_owned(), changed_at: at(1), failed_probes: 1, state };
    circuit.learn(Some(other));
    assert_eq!((circuit.phase(at(1)), circuit.unshared()), (Phase::Open { until: at(90) }, None));
}

#[test]
fn times_beyond_the_calendar_are_its_end() {
    assert_eq!(later(at(0), Duration::MAX), DateTime::<Utc>::MAX_UTC);
}
