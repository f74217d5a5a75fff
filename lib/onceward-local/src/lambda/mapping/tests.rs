use super::{
    batch_response::{Verdict, verdict},
    event, fitting,
};

#[test]
fn a_response_without_failures_is_success() {
    for response in ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
        assert_eq!(verdict(response.as_bytes(), &["a", "b"]), Verdict::Succeeded, "{response}");
    }
}

#[test]
fn failures_are_positions_in_the_batch() {
    let response = br#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"b"},{"itemIdentifier":"c"}]}"#;
    assert_eq!(verdict(response, &["a", "b", "c"]), Verdict::Failed(vec![1, 2]));
}

#[test]
fn a_response_that_is_none_fails_the_whole_batch() {
    for response in [
        "{",
        r#""done""#,
        r#"{"batchItemFailures":"a"}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
        r#"{"batchItemFailures":[{"itemIdentifier":"z"}]}"#,
        r#"{"batchItemFailures":[{"id":"a"}]}"#,
    ] {
        assert!(matches!(verdict(response.as_bytes(), &["a", "b"]), Verdict::Unreadable(_)), "{response}");
    }
}

#[test]
fn a_payload_takes_what_fits_and_at_least_one_record() {
    assert_eq!(fitting([100, 100, 100].into_iter(), 250), 2);
    assert_eq!(fitting([100, 100, 100].into_iter(), 1_000), 3);
    assert_eq!(fitting([300, 100].into_iter(), 250), 1);
    assert_eq!(event(["1", "2"].into_iter()), r#"{"Records":[1,2]}"#);
}
