use onceward_testing::Harness;
use serde_json::{Value, json};

use super::*;

/// A request for two pieces of tea and a cup.
fn body() -> Value {
    json!({
        "customer_id": "customer",
        "currency": "EUR",
        "payment_token": "token",
        "lines": [
            { "product_id": "tea", "quantity": 2, "unit_price": 450 },
            { "product_id": "cup", "quantity": 1, "unit_price": 1200 },
        ],
        "shipping_address": {
            "name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London", "postal_code": "SW1Y 4LB",
            "country": "GB",
        },
    })
}

/// The same with another value under a JSON pointer.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = body();
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

#[tokio::test]
async fn an_order_is_put_on_record_and_published() {
    let harness = Harness::new();

    let answer = harness.request(&function(), &body(), "key").await;

    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("placed")));
    let order_id = answer.body["order_id"].as_str().unwrap();
    let row = harness.load::<OrderRow>(&OrderRow::key_of(order_id)).unwrap();
    assert_eq!((row.order.total, row.status, row.version), (2_100, Status::Placed, 1));
    assert_eq!(harness.published::<OrderPlaced>(), [OrderPlaced { order: row.order }]);
    let timeline = harness.rows::<TimelineEntry>(&TimelineEntry::prefix(order_id));
    assert_eq!(timeline.iter().map(|entry| entry.event_type.as_str()).collect::<Vec<_>>(), ["order.placed"]);
}

#[tokio::test]
async fn a_repeated_request_is_one_order() {
    let harness = Harness::new();

    let first = harness.request(&function(), &body(), "key").await;
    let second = harness.request(&function(), &body(), "key").await;

    assert_eq!(first, second);
    assert_eq!(harness.published::<OrderPlaced>().len(), 1);
}

#[tokio::test]
async fn a_key_with_another_order_is_a_conflict() {
    let harness = Harness::new();

    harness.request(&function(), &body(), "key").await;
    let other = harness.request(&function(), &with("/lines/0/quantity", json!(3)), "key").await;

    assert_eq!((other.status, &other.body["error"]["code"]), (409, &json!("IdempotencyKeyReused")));
    assert_eq!(harness.published::<OrderPlaced>().len(), 1);
}

#[tokio::test]
async fn requests_without_a_key_are_orders_each() {
    let harness = Harness::new();

    for _ in 0..2 {
        assert_eq!(harness.request(&function(), &body(), None).await.status, 202);
    }

    assert_eq!(harness.published::<OrderPlaced>().len(), 2);
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let line =
        |quantity: i64, unit_price: i64| json!({ "product_id": "x", "quantity": quantity, "unit_price": unit_price });
    let lines = |count: usize| {
        let line = |n| json!({ "product_id": format!("p-{n}"), "quantity": 1, "unit_price": 1 });
        Value::Array((0..count).map(line).collect())
    };
    let long = "x".repeat(201);
    let cases = [
        ("/customer_id", json!(""), "customer_id"),
        ("/customer_id", json!(long), "customer_id"),
        ("/customer_id", json!("a\u{0}b"), "customer_id"),
        ("/customer_id", json!(7), "customer_id"),
        ("/payment_token", json!(""), "payment_token"),
        ("/currency", json!("eur"), "currency"),
        ("/currency", json!("EURO"), "currency"),
        ("/shipping_address/country", json!("GBR"), "shipping_address.country"),
        ("/shipping_address/city", json!("London\n"), "shipping_address.city"),
        ("/lines", lines(0), "lines"),
        ("/lines", lines(51), "lines"),
        ("/lines", json!([line(1, 0)]), "lines"),
        ("/lines/1/product_id", json!("tea"), "lines[1].product_id"),
        ("/lines/1/quantity", json!(0), "lines[1].quantity"),
        ("/lines/1/quantity", json!(-1), "lines[1].quantity"),
        ("/lines/1/quantity", json!(10_001), "lines[1].quantity"),
        ("/lines/1/quantity", json!(u64::MAX), "lines[1].quantity"),
        ("/lines/1/quantity", json!(1.5), "lines[1].quantity"),
        ("/lines/1/unit_price", json!(-1), "lines[1].unit_price"),
        ("/lines/1/unit_price", json!(1_u64 << 63), "lines[1].unit_price"),
        ("/lines/1", line(10_000, i64::MAX), "lines[1].unit_price"),
        ("/lines/1", line(1, 999_999_999_101), "lines[1].unit_price"),
    ];
    for (pointer, value, field) in cases {
        let harness = Harness::new();
        let answer = harness.request(&function(), &with(pointer, value.clone()), "key").await;
        assert_eq!((answer.status, answer.refused_field()), (400, Some(field)), "{pointer} {value}: {}", answer.body);
        assert!(harness.envelopes().is_empty());
    }
}

#[tokio::test]
async fn a_field_at_its_limit_is_accepted() {
    let cases = [
        ("/customer_id", json!("x".repeat(200))),
        ("/lines/1/quantity", json!(10_000)),
        ("/lines/1/unit_price", json!(0)),
        ("/lines/1/unit_price", json!(999_999_999_100_u64)),
    ];
    for (pointer, value) in cases {
        let answer = Harness::new().request(&function(), &with(pointer, value.clone()), "key").await;
        assert_eq!(answer.status, 202, "{pointer} {value}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_field_that_nobody_knows_is_refused() {
    let mut body = body();
    body["coupon"] = json!("SAVE10");

    let answer = Harness::new().request(&function(), &body, "key").await;

    assert_eq!((answer.status, answer.refused_field()), (400, Some("coupon")));
}
