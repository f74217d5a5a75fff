use onceward::{DeadLetter, Reason};

use super::trial::{LONG, attributes, fifo, letter, letters, sent, standard};
use crate::contract::{Cloud, cloud_cases};

cloud_cases![
    a_dead_letter_has_the_body_and_all_that_is_known,
    a_dead_letter_leaves_out_what_is_not_known,
    a_dead_letter_says_that_its_body_is_in_base64,
    a_dead_letter_may_have_the_largest_body,
    a_dead_letter_keeps_odd_characters_of_the_body,
    an_error_of_odd_characters_is_told,
    a_long_error_is_told_from_its_beginning,
    dead_letters_of_a_fifo_queue_keep_group_and_order,
    a_dead_letter_sent_again_to_a_fifo_queue_is_there_once,
    a_fifo_queue_takes_a_dead_letter_without_a_group,
    a_group_of_a_standard_queue_is_no_obstacle,
];

/// The largest message, attributes included:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>.
const MESSAGE_BYTES_MAX: usize = 1_048_576;

/// Every character that a group's id may have beside letters and digits:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
const GROUP_PUNCTUATION: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;

/// The edges of what a message may hold, and what a protocol might escape wrongly; see the same page.
const ODD_CHARACTERS: &str =
    "\t\r\n \u{20}~\u{7f}\u{85}\u{a0}é日本\u{2028}\u{d7ff}\u{e000}\u{fffd}\u{10000}😀\u{10ffff}<&>\"'\\%41+&amp;{} ";

async fn a_dead_letter_has_the_body_and_all_that_is_known(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let arrived = sent(&*probe, &letter("{\"not\": an event")).await;
    let expected = attributes([
        ("attempts", "3"),
        ("error", "quantity: expected a number"),
        ("event_id", "e-1"),
        ("event_type", "order.placed.v1"),
        ("first_failed_at", "2025-12-31T23:58:59.004Z"),
        ("function", "reserve-stock"),
        ("last_failed_at", "2026-01-01T00:00:00.004Z"),
        ("reason", "SchemaRefused"),
        ("source", "arn:aws:sqs:us-east-1:000000000000:reserve-stock"),
    ]);
    assert_eq!(arrived.body, "{\"not\": an event");
    assert_eq!((arrived.attributes, arrived.group), (expected, None));
}

async fn a_dead_letter_leaves_out_what_is_not_known(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let letter = DeadLetter { event: None, reason: Reason::MalformedEvent, ..letter("?") };
    let arrived = sent(&*probe, &letter).await;
    let names: Vec<_> = arrived.attributes.keys().map(String::as_str).collect();
    assert_eq!(names, ["attempts", "error", "first_failed_at", "function", "last_failed_at", "reason", "source"]);
    assert_eq!(arrived.attributes["reason"], "MalformedEvent");
}

async fn a_dead_letter_says_that_its_body_is_in_base64(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let arrived = sent(&*probe, &DeadLetter { is_base64: true, ..letter("/w==") }).await;
    assert_eq!((arrived.body.as_str(), arrived.attributes["encoding"].as_str()), ("/w==", "base64"));
    assert_eq!(arrived.attributes.len(), 10, "{:?}", arrived.attributes);
}

/// Whatever a queue has delivered fits its dead-letter queue; the explanation gives way.
async fn a_dead_letter_may_have_the_largest_body(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    for spare in [0, 1, 64] {
        let body = "x".repeat(MESSAGE_BYTES_MAX - spare);
        assert!(sent(&*probe, &letter(body.as_str())).await.body == body, "not as received, {spare} bytes to spare");
    }
}

async fn a_dead_letter_keeps_odd_characters_of_the_body(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    for body in [ODD_CHARACTERS, "\n", " leading and trailing ", "\u{feff}{}", "%", "\r\n\r\n"] {
        assert_eq!(sent(&*probe, &letter(body)).await.body, body);
    }
}

/// A queue may take less than a text holds: what it cannot take is left out, and the letter arrives.
async fn an_error_of_odd_characters_is_told(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let error = format!("a\u{0}b\u{b}c\u{1f}d\u{fffe}e\u{ffff}f{ODD_CHARACTERS}");
    let id = "\u{0}\u{1}".to_owned();
    let arrived = sent(&*probe, &DeadLetter { error, event: Some((id, "é.v1".to_owned())), ..letter("?") }).await;
    let forbidden = ['\u{0}', '\u{b}', '\u{1f}', '\u{fffe}', '\u{ffff}'];
    assert_eq!(arrived.attributes["error"].replace(forbidden, ""), format!("abcdef{ODD_CHARACTERS}"));
    assert_eq!(arrived.attributes["event_type"], "é.v1");
}

async fn a_long_error_is_told_from_its_beginning(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let error = "é😀".repeat(MESSAGE_BYTES_MAX);
    let arrived = sent(&*probe, &DeadLetter { error: error.clone(), ..letter("?") }).await;
    let told = &arrived.attributes["error"];
    assert!(told.len() >= 100 && error.starts_with(told), "{} bytes", told.len());
}

async fn dead_letters_of_a_fifo_queue_keep_group_and_order(cloud: &dyn Cloud) {
    let probe = fifo(cloud).await;
    let groups = [GROUP_PUNCTUATION, "g".repeat(128).as_str()].map(|group| Some(group.to_owned()));
    for place in 0..6 {
        let (group, message_id) = (groups[place % 2].clone(), format!("m-{place}"));
        probe.adapter().send(&DeadLetter { group, message_id, ..letter(place.to_string()) }).await.unwrap();
    }
    let arrived = letters(&*probe, 6).await;
    for (group, expected) in groups.iter().zip([["0", "2", "4"], ["1", "3", "5"]]) {
        let of_group = arrived.iter().filter(|letter| letter.group == *group);
        assert!(of_group.clone().map(|letter| &letter.body).eq(&expected), "{of_group:?}");
    }
}

/// The message was not acknowledged, perhaps because the process died after it had sent the letter.
async fn a_dead_letter_sent_again_to_a_fifo_queue_is_there_once(cloud: &dyn Cloud) {
    let probe = fifo(cloud).await;
    for (message_id, attempts) in [("m-1", 1), ("m-1", 2), ("m-2", 1)] {
        let (group, message_id) = (Some("g".to_owned()), message_id.to_owned());
        let letter = DeadLetter { body: message_id.clone(), group, message_id, attempts, ..letter("") };
        probe.adapter().send(&letter).await.unwrap();
    }
    let bodies: Vec<_> = letters(&*probe, 2).await.into_iter().map(|letter| letter.body).collect();
    assert_eq!(bodies, ["m-1", "m-2"]);
}

/// What was not received from a FIFO queue may be given up to one.
async fn a_fifo_queue_takes_a_dead_letter_without_a_group(cloud: &dyn Cloud) {
    let probe = fifo(cloud).await;
    assert_eq!(sent(&*probe, &letter("body")).await.body, "body");
}

/// There a group makes the queue fair and orders nothing; a deduplication id would be refused:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
async fn a_group_of_a_standard_queue_is_no_obstacle(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let arrived = sent(&*probe, &DeadLetter { group: Some("tenant-1".to_owned()), ..letter("body") }).await;
    assert_eq!((arrived.body.as_str(), arrived.attributes["reason"].as_str()), ("body", "SchemaRefused"));
}
