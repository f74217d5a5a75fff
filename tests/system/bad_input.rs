//! Whatever is sent, the answer is clear, nothing is lost, and the process stays up.

use libtest_mimic::Trial;
use onceward_local::sqs::{AttributeValue, Outgoing, Received};
use serde_json::{Value, json};

use crate::{
    on_a_cloud,
    system::{System, envelope, order},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_a_cloud("bad_input::requests_are_refused_by_field", requests),
        on_a_cloud("bad_input::messages_become_dead_letters_with_reason_and_bytes", messages),
        on_a_cloud("bad_input::a_message_as_large_as_possible_is_not_lost", as_large_as_possible),
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
        ("[]".to_owned(), "MalformedEvent", "expected struct"),
        ("\u{e000}".to_owned(), "MalformedEvent", "expected value"),
        (no_id.to_string(), "MalformedEvent", "missing field `id`"),
        (event("parcel.lost.v1", &json!({})), "UnknownEventType", "reserve-stock handles order.placed.v1"),
        (event("order.placed.v1", &json!({"order": 1})), "SchemaRefused", "order: invalid type"),
        (event("order.placed.v1", &negative), "SchemaRefused", "order.lines[0].quantity: invalid value: integer `-1`"),
        (event("order.placed.v1", &huge), "SchemaRefused", "order.lines[0].quantity: invalid value"),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(1_000_000)), "MalformedEvent", "missing field"),
    ] {
        let message = Outgoing { body: body.clone(), ..Outgoing::default() };
        system.cloud.sqs().send("onceward-reserve-stock", message).expect("SQS takes it");
        let letters = system.dead_letters("reserve-stock").await;
        assert_eq!(letters.len(), 1, "{reason}: one letter, and none of the tests before");
        assert!(letters[0].body == body, "the bytes are kept: {reason}");
        assert_eq!(text(&letters[0], "reason"), reason);
        assert!(text(&letters[0], "error").contains(error), "{}", text(&letters[0], "error"));
        assert_eq!((text(&letters[0], "function"), text(&letters[0], "attempts")), ("reserve-stock", "1"));
        system.cloud.sqs().delete("onceward-reserve-stock-dlq", &letters[0].receipt_handle).expect("deleted");
    }
    survived(&system, "onceward-reserve-stock", process);
}

/// There is no room for a reason beside the body: the bytes are kept, and the log says why.
async fn as_large_as_possible(system: System) {
    let process = process(&system, "onceward-confirm-order").await;
    let body = "x".repeat(1_048_576);
    let message = Outgoing { body: body.clone(), ..Outgoing::default() };
    system.cloud.sqs().send("onceward-confirm-order", message).expect("SQS takes it");
    let letters = system.dead_letters("confirm-order").await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].body == body, "the bytes are kept");
    assert!(letters[0].message_attributes.is_empty());
    survived(&system, "onceward-confirm-order", process);
}

fn text<'a>(letter: &'a Received, attribute: &str) -> &'a str {
    match letter.message_attributes.get(attribute).map(|attribute| &attribute.value) {
        Some(AttributeValue::Text(text)) => text,
        other => panic!("{attribute} is {other:?}"),
    }
}

/// The function's first process, which has to survive.
async fn process(system: &System, function: &str) -> u32 {
    system.cloud.lambda().start(function).await.expect("the function starts");
    system.cloud.lambda().processes(function).expect("the function exists")[0]
}

fn survived(system: &System, function: &str, process: u32) {
    assert!(system.cloud.lambda().processes(function).expect("the function exists").contains(&process));
}
