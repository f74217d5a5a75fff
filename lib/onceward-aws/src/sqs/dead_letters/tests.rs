//! What is sent to the dead-letter queue: whatever a letter holds, SQS takes it.

use aws_sdk_sqs::Client;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use onceward::Reason;
use serde_json::{Value, json};

use super::*;
use crate::scripted::{Answer, Scripted};

const DEAD_URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders-dead";

/// A name and a value that go along with a body in base64.
const ENCODING_BYTES: usize = "encoding".len() + "String".len() + "base64".len();

fn letter(body: impl Into<String>) -> DeadLetter {
    DeadLetter {
        body: body.into(),
        is_base64: false,
        group: None,
        message_id: "m1".to_owned(),
        reason: Reason::MalformedEvent,
        error: "e".repeat(5_000),
        function: "place-order".to_owned(),
        source: "arn:aws:kinesis:eu-central-1:123456789012:stream/orders".to_owned(),
        attempts: 1,
        first_failed_at: DateTime::UNIX_EPOCH,
        last_failed_at: DateTime::UNIX_EPOCH,
        event: None,
    }
}

/// What SQS is asked to store.
async fn sent_to(queue_url: &str, letter: &DeadLetter) -> Value {
    let server = Scripted::start().await;
    server.answer("SendMessage", [Answer::ok(json!({"MessageId": "1"}))]);
    let queues = SqsQueues::new(Client::new(&server.config().await), "", queue_url);
    queues.send(letter).await.expect("sent");
    let [request] = server.requests("SendMessage").try_into().expect("one request");
    let bytes = bytes(&request);
    assert!((1..=MESSAGE_BYTES_MAX).contains(&bytes), "SQS refuses {bytes} bytes");
    request
}

/// What counts as the message's size.
fn bytes(request: &Value) -> usize {
    let attributes = request["MessageAttributes"].as_object().into_iter().flatten();
    let attributes = attributes
        .map(|(name, attribute)| name.len() + "String".len() + attribute["StringValue"].as_str().expect("text").len());
    body(request).len() + attributes.sum::<usize>()
}

fn body(request: &Value) -> &str {
    request["MessageBody"].as_str().expect("a body")
}

fn encoding(request: &Value) -> Option<&str> {
    request["MessageAttributes"]["encoding"]["StringValue"].as_str()
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The locator in place of a body.
fn locator(request: &Value) -> Value {
    assert_eq!(encoding(request), Some("locator"));
    serde_json::from_str(body(request)).expect("JSON")
}

#[tokio::test]
async fn a_body_that_sqs_takes_is_sent_as_it_is() {
    for text in ["{}", "\t\r\n \u{7f}\u{85}\u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}"] {
        let request = sent_to(DEAD_URL, &letter(text)).await;
        assert_eq!((body(&request), encoding(&request)), (text, None));
    }
}

#[tokio::test]
async fn a_body_with_what_sqs_refuses_is_sent_in_base64_and_one_in_base64_as_it_is() {
    for text in ["{\"a\":\u{0}}", "\u{1b}[2J", "\u{fffe}", "é\u{ffff}"] {
        let request = sent_to(DEAD_URL, &letter(text)).await;
        assert_eq!(BASE64_STANDARD.decode(body(&request)).expect("base64"), text.as_bytes());
        assert_eq!(encoding(&request), Some("base64"));
    }
    let request = sent_to(DEAD_URL, &DeadLetter { is_base64: true, ..letter("AP8=") }).await;
    assert_eq!((body(&request), encoding(&request)), ("AP8=", Some("base64")));
    // A source that breaks its word: to decode it would give something else.
    let request = sent_to(DEAD_URL, &DeadLetter { is_base64: true, ..letter("no base64") }).await;
    assert_eq!((body(&request), encoding(&request)), ("no base64", None));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_named_by_where_it_is() {
    let large = "x".repeat(2 * MESSAGE_BYTES_MAX);
    let request = sent_to(DEAD_URL, &DeadLetter { group: Some("p-1".to_owned()), ..letter(large.as_str()) }).await;
    let expected = json!({
        "source": "arn:aws:kinesis:eu-central-1:123456789012:stream/orders", "message_id": "m1", "ordering_key": "p-1",
        "bytes": 2 * MESSAGE_BYTES_MAX, "sha256": sha256(&large),
    });
    assert_eq!(locator(&request), expected);
    assert_eq!(request["MessageAttributes"]["reason"]["StringValue"], "MalformedEvent", "there is room again");

    let bytes = vec![0xff; MESSAGE_BYTES_MAX];
    let large = DeadLetter { is_base64: true, ..letter(BASE64_STANDARD.encode(&bytes)) };
    let locator = locator(&sent_to(DEAD_URL, &large).await);
    assert_eq!((&locator["bytes"], &locator["sha256"]), (&json!(bytes.len()), &json!(sha256(&bytes))), "as received");
    assert_eq!(locator.get("ordering_key"), None);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_sent_and_one_byte_more_is_not() {
    let largest = "x".repeat(MESSAGE_BYTES_MAX);
    let request = sent_to(DEAD_URL, &letter(largest.as_str())).await;
    assert!(body(&request) == largest && encoding(&request).is_none(), "not as received");
    locator(&sent_to(DEAD_URL, &letter(largest + "x")).await);
}

#[tokio::test]
async fn a_body_in_base64_always_has_its_encoding_beside_it() {
    let room = (MESSAGE_BYTES_MAX - ENCODING_BYTES) / 4 * 4;
    let base64 = |bytes: usize| DeadLetter { is_base64: true, ..letter("AAAA".repeat(bytes / 4)) };
    let request = sent_to(DEAD_URL, &base64(room)).await;
    assert_eq!((body(&request).len(), encoding(&request)), (room, Some("base64")));
    locator(&sent_to(DEAD_URL, &base64(room + 4)).await);
}

#[tokio::test]
async fn an_empty_body_is_named_by_where_it_is() {
    for is_base64 in [false, true] {
        let locator = locator(&sent_to(DEAD_URL, &DeadLetter { is_base64, ..letter("") }).await);
        assert_eq!((&locator["bytes"], &locator["sha256"]), (&json!(0), &json!(sha256(""))));
    }
}

#[tokio::test]
async fn a_locator_is_sent_whatever_the_source_calls_it() {
    let odd = "\u{0}\u{fffe}\u{ffff}\"\\é😀";
    let named = DeadLetter { group: Some(odd.to_owned()), message_id: odd.to_owned(), ..letter("") };
    let request = sent_to(DEAD_URL, &named).await;
    assert!(body(&request).chars().all(is_sendable));
    let found = locator(&request);
    assert_eq!((&found["ordering_key"], &found["message_id"]), (&json!(odd), &json!(odd)));

    let long = "\u{0}".repeat(MESSAGE_BYTES_MAX);
    let named = DeadLetter { group: Some(long.clone()), message_id: long.clone(), source: long, ..letter("") };
    let found = locator(&sent_to(DEAD_URL, &named).await);
    assert_eq!((found.get("ordering_key"), found["bytes"].as_u64()), (None, Some(0)));
}

#[tokio::test]
async fn attributes_hold_nothing_that_sqs_refuses() {
    let named = DeadLetter { source: "b\u{0}:9092".to_owned(), error: "\u{1}no".to_owned(), ..letter("{}") };
    let request = sent_to(DEAD_URL, &named).await;
    let attributes = &request["MessageAttributes"];
    let text = |name: &str| attributes[name]["StringValue"].as_str();
    assert_eq!((text("source"), text("error")), (Some("b:9092"), Some("no")));
}

/// Group and deduplication id.
async fn ids(letter: &DeadLetter) -> (String, String) {
    let request = sent_to(&format!("{DEAD_URL}.fifo"), letter).await;
    let text = |name: &str| request[name].as_str().expect("there is one").to_owned();
    (text("MessageGroupId"), text("MessageDeduplicationId"))
}

#[tokio::test]
async fn the_group_of_a_fifo_queue_is_whatever_of_its_names_sqs_takes() {
    let named = |group: Option<&str>, id: &str| DeadLetter {
        group: group.map(str::to_owned),
        message_id: id.to_owned(),
        ..letter("{}")
    };
    let long = "g".repeat(129);
    for (letter, expected) in [
        (named(Some("orders/7!"), "m1"), "orders/7!"),
        (named(Some("no group"), "m1"), "m1"),
        (named(None, "m1"), "m1"),
        (named(Some(""), "an id"), &sha256("an id")),
        (named(None, &long), &sha256(&long)),
        (named(None, ""), &sha256("")),
    ] {
        assert_eq!(ids(&letter).await.0, expected);
    }
}

#[tokio::test]
async fn letters_that_differ_are_no_duplicates_and_one_that_is_sent_again_is() {
    let one = letter("{}");
    let (_, id) = ids(&one).await;
    assert_eq!(id.len(), 64);
    let again = DeadLetter { attempts: 2, error: "later".to_owned(), last_failed_at: DateTime::<Utc>::MAX_UTC, ..one };
    assert_eq!(ids(&again).await.1, id);
    let moved = DeadLetter { message_id: "m".to_owned(), ..letter("1{}") };
    for other in [
        letter("{ }"),
        moved,
        DeadLetter { message_id: "m2".to_owned(), ..letter("{}") },
        DeadLetter { source: "s".to_owned(), ..letter("{}") },
        DeadLetter { function: "f".to_owned(), ..letter("{}") },
    ] {
        assert_ne!(ids(&other).await.1, id);
    }
}

fn names(body_bytes: usize) -> Vec<&'static str> {
    let letter = letter("x".repeat(body_bytes));
    let form = Form::of(&letter);
    attributes(&letter, &form).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn a_large_body_keeps_the_attributes_that_fit_beside_it() {
    let all = ["reason", "function", "attempts", "last_failed_at", "error", "source", "first_failed_at"];
    assert_eq!(names(10), all);
    assert_eq!(names(MESSAGE_BYTES_MAX - 120), ["reason", "function", "attempts", "last_failed_at"]);
    assert_eq!(names(MESSAGE_BYTES_MAX), [""; 0]);
    assert_eq!(names(0)[0], "encoding");
}

#[test]
fn a_message_group_is_what_sqs_takes_as_one() {
    assert!(is_group("orders/7!") && is_group(&"x".repeat(128)));
    assert!(!is_group("") && !is_group("a b") && !is_group("ä") && !is_group(&"x".repeat(129)));
}

#[test]
fn what_sqs_refuses_is_left_out_of_an_explanation() {
    assert_eq!(sendable("a\u{0}b\u{ffff}c\u{1f600}"), "abc\u{1f600}");
}
