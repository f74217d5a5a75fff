use contracts::{OrderPlaced, StockRejected};
use onceward_testing::Harness;
use serde_json::json;

use super::*;
use crate::sample::row;

#[tokio::test]
async fn an_order_is_answered_with_its_timeline() {
    let harness = Harness::new();
    let now = harness.now();
    let harness = harness
        .given(&OrderRow { reason: Some("insufficient_stock".to_owned()), ..row(Status::Cancelled) })
        .given(&TimelineEntry::of::<StockRejected>("o-1", now + std::time::Duration::from_secs(1), "e-2"))
        .given(&TimelineEntry::of::<OrderPlaced>("o-1", now, "e-1"));

    let answer = harness.query(&function(), "id", "o-1").await;

    let expected = json!({
        "order_id": "o-1",
        "status": "cancelled",
        "reason": "insufficient_stock",
        "total": 300,
        "currency": "EUR",
        "lines": [{ "product_id": "tea", "quantity": 3, "unit_price": 100 }],
        "timeline": [
            { "at": "2026-01-01T00:00:00.000Z", "type": "order.placed" },
            { "at": "2026-01-01T00:00:01.000Z", "type": "stock.rejected" },
        ],
    });
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[tokio::test]
async fn an_order_that_nobody_knows_is_not_found() {
    let answer = Harness::new().query(&function(), "id", "o-1").await;
    assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("NotFound")));
}
