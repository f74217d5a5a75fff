use onceward_testing::Harness;
use serde_json::json;

use super::*;
use crate::sample::stock;

#[tokio::test]
async fn a_product_is_answered_with_its_stock() {
    let harness = Harness::new().given(&stock("tea", 7, 3));

    let answer = harness.query(&function(), "product_id", "tea").await;

    assert_eq!((answer.status, answer.body), (200, json!({ "product_id": "tea", "available": 7, "reserved": 3 })));
    assert_eq!(harness.query(&function(), "product_id", "cup").await.status, 404);
}
