//! What a customer sees of an order.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    cloud::SharedCloud,
    on_any_cloud,
    system::{System, eventually, order},
};

pub(crate) fn trials(cloud: &Arc<SharedCloud>) -> Vec<Trial> {
    vec![
        on_any_cloud(cloud, "orders::an_order_is_confirmed", an_order_is_confirmed),
        on_any_cloud(cloud, "orders::a_declined_payment_cancels_and_gives_the_stock_back", declined),
        on_any_cloud(cloud, "orders::an_order_beyond_the_stock_is_cancelled", beyond_the_stock),
        on_any_cloud(cloud, "orders::a_hundred_orders_one_after_another", a_hundred),
        on_any_cloud(cloud, "orders::an_unknown_order_is_not_found", unknown),
    ]
}

fn types(order: &Value) -> Vec<&str> {
    let entries = order["timeline"].as_array().expect("a timeline");
    entries.iter().filter_map(|entry| entry["type"].as_str()).collect()
}

async fn an_order_is_confirmed(system: System) {
    let product = system.own("p");
    system.receive(&product, 100).await;
    let order_id = system.place(&order(&product, 3)).await;
    system.settled(&order_id).await;
    let confirmed = async || types(&system.order(&order_id).await).contains(&"confirmation.sent");
    eventually("the timeline is complete", confirmed).await;
    let order = system.order(&order_id).await;
    assert_eq!(order["status"], "confirmed");
    assert_eq!((&order["total"], &order["currency"]), (&json!(3750), &json!("EUR")));
    assert_eq!(order["lines"], json!([{"product_id": product, "quantity": 3, "unit_price": 1250}]));
    assert_eq!(
        types(&order),
        [
            "order.placed",
            "stock.reserved",
            "payment.authorized",
            "shipment.scheduled",
            "order.confirmed",
            "confirmation.sent"
        ]
    );
    assert_eq!(system.stock(&product).await, json!({"product_id": product, "available": 97, "reserved": 3}));
    let charges = system.charges(&order_id);
    assert_eq!((charges.len(), &charges[0]["amount"]), (1, &json!(3750)));
    system.drained().await;
    assert_eq!(system.confirmations(&order_id).await.len(), 1);
}

async fn declined(system: System) {
    let product = system.own("p");
    system.receive(&product, 5).await;
    let mut declined = order(&product, 5);
    declined["payment_token"] = json!("tok_declined");
    let order_id = system.place(&declined).await;
    let order = system.settled(&order_id).await;
    // At once, not eventually: a cancelled order holds nothing.
    assert_eq!(system.stock(&product).await, json!({"product_id": product, "available": 5, "reserved": 0}));
    assert_eq!((&order["status"], &order["reason"]), (&json!("cancelled"), &json!("card_declined")));
    assert_eq!(system.charges(&order_id), Vec::<Value>::new());
}

async fn beyond_the_stock(system: System) {
    let product = system.own("p");
    system.receive(&product, 5).await;
    let order_id = system.place(&order(&product, 6)).await;
    let order = system.settled(&order_id).await;
    assert_eq!(order["status"], "cancelled");
    assert_eq!(order["reason"], format!("insufficient_stock: {product}: 6 ordered, 5 available"));
    assert_eq!(system.stock(&product).await, json!({"product_id": product, "available": 5, "reserved": 0}));
    assert_eq!(system.charges(&order_id), Vec::<Value>::new());
}

/// Prints how long they took; machines differ, so nothing is asserted about it.
async fn a_hundred(system: System) {
    let product = system.own("p");
    system.receive(&product, 100).await;
    let mut took: Vec<Duration> = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        let order_id = system.place(&order(&product, 1)).await;
        assert_eq!(system.settled(&order_id).await["status"], "confirmed");
        took.push(began.elapsed());
    }
    took.sort_unstable();
    println!("100 orders to confirmation: median {:?}, p95 {:?}, worst {:?}", took[49], took[94], took[99]);
    system.drained().await;
    assert_eq!(system.stock(&product).await, json!({"product_id": product, "available": 0, "reserved": 100}));
}

async fn unknown(system: System) {
    let (status, answer) = system.get("/orders/ord_nothing").await;
    assert_eq!((status.as_u16(), &answer["error"]["code"]), (404, &json!("NotFound")));
    for product in ["p-unheard-of", &"p".repeat(3_000)] {
        let (status, _) = system.get(&format!("/stock/{product}")).await;
        assert_eq!(status.as_u16(), 404);
    }
}
