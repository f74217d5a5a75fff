//! What a lane decides, without functions. How it reads and invokes is in `lambda/tests/streams.rs`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::{
    router::Assignments,
    segment::{Next, Segment},
    source::Record,
    window::{self, WINDOW_GRACE, Window},
};
use crate::lambda::spec::{StartingPosition, StreamMapping};

fn record(key: &str, number: u32, written: DateTime<Utc>) -> Record {
    let value = json!({ "dynamodb": { "Keys": { "pk": { "S": key } }, "SequenceNumber": number.to_string() } });
    Record { json: value.to_string(), value, written }
}

fn records(count: u32) -> Vec<Record> {
    (0..count).map(|number| record("a", number, Utc::now())).collect()
}

fn mapping() -> StreamMapping {
    StreamMapping::new("f", "things", StartingPosition::TrimHorizon)
}

#[test]
fn without_a_limit_a_batch_is_tried_until_it_works_with_growing_pauses() {
    let mut segment = Segment::new(records(3));
    let pauses: Vec<Next> = (0..9).map(|_| segment.failed(&mapping(), 0)).collect();
    let expected = [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000];
    assert_eq!(pauses, expected.map(|ms| Next::Retry(Duration::from_millis(ms))));
}

#[test]
fn maximum_retry_attempts_counts_retries_and_not_the_first_attempt() {
    let mapping = StreamMapping { maximum_retry_attempts: Some(2), ..mapping() };
    let mut segment = Segment::new(records(3));
    assert!(matches!(segment.failed(&mapping, 0), Next::Retry(_)));
    assert!(matches!(segment.failed(&mapping, 0), Next::Retry(_)));
    assert_eq!(segment.failed(&mapping, 0), Next::GiveUp);
    let none = StreamMapping { maximum_retry_attempts: Some(0), ..mapping };
    assert_eq!(Segment::new(records(3)).failed(&none, 0), Next::GiveUp);
}

#[test]
fn splitting_uses_up_no_attempts() {
    let mapping = StreamMapping { maximum_retry_attempts: Some(0), bisect: true, ..mapping() };
    let mut segment = Segment::new(records(5));
    assert!(matches!(segment.failed(&mapping, 0), Next::Split(2, _)));
    let (mut first, mut rest) = segment.split(2);
    assert_eq!((first.records.len(), rest.records.len()), (2, 3));
    assert!(matches!(first.failed(&mapping, 0), Next::Split(1, _)));
    assert!(matches!(rest.failed(&mapping, 0), Next::Split(1, _)));
    assert_eq!(Segment::new(records(1)).failed(&mapping, 0), Next::GiveUp);
}

#[test]
fn a_batch_that_reports_where_it_failed_is_split_there() {
    let mapping = StreamMapping { maximum_retry_attempts: Some(0), bisect: true, ..mapping() };
    let mut segment = Segment::new(records(4));
    assert!(matches!(segment.failed(&mapping, 2), Next::Retry(_)), "the rest is retried, whole");
    let without = StreamMapping { bisect: false, ..mapping };
    assert_eq!(Segment::new(records(4)).failed(&without, 2), Next::GiveUp, "no retry is left for the rest");
}

#[test]
fn progress_gives_the_rest_all_its_attempts() {
    let mapping = StreamMapping { maximum_retry_attempts: Some(1), ..mapping() };
    let mut segment = Segment::new(records(4));
    assert!(matches!(segment.failed(&mapping, 0), Next::Retry(_)));
    assert!(matches!(segment.failed(&mapping, 1), Next::Retry(_)));
    assert_eq!(segment.failed(&mapping, 0), Next::GiveUp);
}

#[test]
fn records_older_than_the_maximum_age_are_given_up_and_younger_ones_are_not() {
    let now = Utc::now();
    let aged = |seconds| record("a", 1, now - TimeDelta::seconds(seconds));
    let segment = Segment::new(vec![aged(70), aged(61), aged(59)]);
    assert_eq!(segment.expired(&mapping(), now), 0);
    let mapping = StreamMapping { maximum_record_age: Some(Duration::from_mins(1)), ..mapping() };
    assert_eq!(segment.expired(&mapping, now), 2);
    assert_eq!(segment.expires_in(&mapping, now), Some(Duration::ZERO));
    let young = Segment::new(vec![aged(20)]);
    assert_eq!(young.expires_in(&mapping, now), Some(Duration::from_secs(40)));
}

#[test]
fn records_of_one_item_share_a_lane_and_others_take_the_idlest() {
    let assignments = Assignments::new(2);
    let of = |key: &str| record(key, 1, Utc::now());
    let a = assignments.assign(&of("a"));
    let b = assignments.assign(&of("b"));
    assert_ne!(a, b);
    assert_eq!(assignments.assign(&of("a")), a);
    assert_eq!(assignments.assign(&of("c")), b);
    // Once nothing of an item is under way, it may go anywhere.
    for key in ["a", "a", "b", "c"] {
        assignments.done(&of(key));
    }
    assert_eq!(assignments.assign(&of("d")), 0);
    assert_eq!(assignments.assign(&of("a")), 1);
}

#[test]
fn windows_are_counted_from_the_epoch() {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let window = Window::around(at("2026-11-21T17:03:12.5Z"), Duration::from_mins(5));
    assert_eq!((window.start, window.end), (at("2026-11-21T17:00:00Z"), at("2026-11-21T17:05:00Z")));
    assert!(window.holds(&record("a", 1, at("2026-11-21T17:04:59Z"))));
    assert!(!window.holds(&record("a", 1, at("2026-11-21T17:05:00Z"))));
    assert_eq!(window.closes_in(at("2026-11-21T17:04:00Z")), Duration::from_mins(1) + WINDOW_GRACE);
    assert_eq!(window.closes_in(at("2026-11-21T18:00:00Z")), Duration::ZERO);
}

#[test]
fn a_window_needs_a_state_and_not_too_large_a_one() {
    assert_eq!(window::state(br#"{"state":{"n":1},"batchItemFailures":[]}"#).unwrap(), json!({ "n": 1 }));
    assert!(window::state(br#"{"batchItemFailures":[]}"#).is_err());
    assert!(window::state(b"null").is_err());
    assert!(window::is_too_large(&json!("x".repeat(window::STATE_BYTES_MAX))));
    assert!(!window::is_too_large(&json!("x".repeat(1_000))));
}
