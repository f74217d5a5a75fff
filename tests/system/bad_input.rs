//! Whatever is sent, the answer is clear, nothing is lost, and the process stays up.

use std::sync::Arc;

use aws_sdk_sqs::types::Message;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    cloud::SharedCloud,
    on_any_cloud,
    system::{System, envelope, order},
};

pub(crate) fn trials(cloud: &Arc<SharedCloud>) -> Vec<Trial> {
    vec![
        on_any_cloud(cloud, "bad_input::requests_are_refused_by_field", requests),
        on_any_cloud(cloud, "bad_input::messages_become_dead_letters_with_reason_and_bytes", messages),
        on_any_cloud(cloud, "bad_input::a_message_as_large_as_possible_is_not_lost", as_large_as_possible),
    ]
}

fn with(pointer: &str, value: Value) -> String {
    let mut body = order("p-1", 1);
    *body.pointer_mut(pointer).expect("the field exists") = value;
    body.to_string()
}

async fn requests(system: System) {
    let process = process(&system, "onceward-place-order").await;
    let large = format!(r#"{{"customer_id":"{}"}}"#, "x".repeat(1_048_576));
    for (body, field, message) in [
        (b"{".to_vec(), None, "EOF"),
        (b"".to_vec(), None, "EOF"),
        (b"null".to_vec(), None, "invalid type: null"),
        (b"{\"customer_id\":\"\xff\xfe\"}".to_vec(), None, "not UTF-8: the first bad byte is at 16"),
        (large.into_bytes(), None, "at most 262144"),
        (with("/lines/0/quantity", json!(-1)).into_bytes(), Some("lines[0].quantity"), "invalid value: integer `-1`"),
        (with("/lines/0/quantity", json!(0)).into_bytes(), Some("lines[0].quantity"), "must be 1 to 10000, not 0"),
        (
            with("/lines/0/quantity", json!(9_223_372_036_854_775_808_u64)).into_bytes(),
            Some("lines[0].quantity"),
            "9223372036854775808",
        ),
        (
            with("/lines/0/unit_price", json!(9_223_372_036_854_775_808_u64)).into_bytes(),
            Some("lines[0].unit_price"),
            "9223372036854775808",
        ),
        (
            with("/lines/0/unit_price", json!(i64::MAX)).into_bytes(),
            Some("lines[0].unit_price"),
            "the total exceeds 1000000000000",
        ),
        (with("/currency", json!("euro")).into_bytes(), Some("currency"), "ISO 4217"),
        (with("/lines", json!([])).into_bytes(), Some("lines"), "1 to 50 lines, not 0"),
        (with("/shipping_address", json!({})).into_bytes(), Some("shipping_address"), "missing field `name`"),
        (with("/customer_id", json!("")).into_bytes(), Some("customer_id"), "1 to 200 bytes"),
    ] {
        let (status, answer) = system.post(body, None).await;
        let error = &answer["error"];
        assert_eq!(status.as_u16(), 400, "{answer}");
        assert_eq!(error["field"].as_str(), field, "{answer}");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(message)), "{answer}");
    }
    let (status, answer) = system.post(order("p-1", 1).to_string(), Some(&"k".repeat(256))).await;
    assert_eq!((status.as_u16(), &answer["error"]["field"]), (400, &json!("Idempotency-Key")), "{answer}");
    survived(&system, "onceward-place-order", process);
}

async fn messages(system: System) {
    let process = process(&system, "onceward-reserve-stock").await;
    let event = |event_type, data| envelope(event_type, "e-1", data).to_string();
    let mut no_id = envelope("order.placed.v1", "", &json!({}));
    no_id.as_object_mut().expect("an object").remove("id");
    let mut negative = json!({"order": order("p-1", 1)});
    negative["order"]["order_id"] = json!("ord_1");
    negative["order"]["total"] = json!(1250);
    negative["order"]["lines"][0]["quantity"] = json!(-1);
    let mut huge = negative.clone();
    huge["order"]["lines"][0]["quantity"] = json!(9_223_372_036_854_775_808_u64);
    for (body, reason, error) in [
        ("not json".to_owned(), "MalformedEvent", "line 1 column 2"),
        ("[]".to_owned(), "MalformedEvent", "it is a list, and an object is expected"),
        ("\u{e000}".to_owned(), "MalformedEvent", "expected value"),
        (no_id.to_string(), "MalformedEvent", "missing field `id`"),
        (event("parcel.lost.v1", &json!({})), "UnknownEventType", "reserve-stock handles order.placed.v1"),
        (event("order.placed.v1", &json!({"order": 1})), "SchemaRefused", "order: invalid type"),
        (event("order.placed.v1", &negative), "SchemaRefused", "order.lines[0].quantity: invalid value: integer `-1`"),
        (event("order.placed.v1", &huge), "SchemaRefused", "order.lines[0].quantity: invalid value"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(1_000_000)), "MalformedEvent", "missing field"),
    ] {
        system.send(&system.name("reserve-stock"), &body).await;
        let letters = system.dead_letters("reserve-stock").await;
        assert_eq!(letters.len(), 1, "{reason}: one letter, and none of the tests before");
        assert!(letters[0].body.as_ref() == Some(&body), "the bytes are kept: {reason}");
        assert_eq!(text(&letters[0], "reason"), reason);
        assert!(text(&letters[0], "error").contains(error), "{}", text(&letters[0], "error"));
        assert_eq!((text(&letters[0], "function"), text(&letters[0], "attempts")), ("reserve-stock", "1"));
        system.delete(&system.name("reserve-stock-dlq"), &letters[0]).await;
    }
    survived(&system, "onceward-reserve-stock", process);
}

/// There is no room for a reason beside the body: the bytes are kept, and the log says why.
async fn as_large_as_possible(system: System) {
    let process = process(&system, "onceward-confirm-order").await;
    let body = "x".repeat(1_048_576);
    system.send(&system.name("confirm-order"), &body).await;
    let letters = system.dead_letters("confirm-order").await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].body.as_ref() == Some(&body), "the bytes are kept");
    assert!(letters[0].message_attributes.is_none());
    survived(&system, "onceward-confirm-order", process);
}

fn text<'a>(letter: &'a Message, attribute: &str) -> &'a str {
    let attributes = letter.message_attributes.as_ref().expect("attributes");
    attributes[attribute].string_value.as_deref().expect("text")
}

/// The function's first process, which has to survive. Other clouds do not show theirs: there, the next answer says it.
async fn process(system: &System, function: &str) -> Option<u32> {
    let lambda = system.embedded()?.lambda();
    lambda.start(function).await.expect("the function starts");
    Some(lambda.processes(function).expect("the function exists")[0])
}

fn survived(system: &System, function: &str, process: Option<u32>) {
    let Some(cloud) = system.embedded() else { return };
    let processes = cloud.lambda().processes(function).expect("the function exists");
    assert!(process.is_some_and(|process| processes.contains(&process)));
}
