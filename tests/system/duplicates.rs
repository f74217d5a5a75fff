//! Everything that is delivered twice changes the world once.

use std::sync::Arc;

use libtest_mimic::Trial;
use serde_json::json;

use crate::{
    cloud::SharedCloud,
    on_any_cloud,
    system::{Delivery, Depth, System, envelope, eventually, order},
};

pub(crate) fn trials(cloud: &Arc<SharedCloud>) -> Vec<Trial> {
    vec![
        on_any_cloud(cloud, "duplicates::one_key_is_one_order", one_key_is_one_order),
        on_any_cloud(cloud, "duplicates::one_key_with_another_body_is_refused", another_body),
        on_any_cloud(cloud, "duplicates::a_message_delivered_twice_has_no_second_effect", message_twice),
        on_any_cloud(cloud, "duplicates::one_event_id_with_another_payload_is_a_dead_letter", another_payload),
    ]
}

const TABLES: [&str; 5] = ["ledger", "orders", "inventory", "payments", "shipments"];

async fn one_key_is_one_order(system: System) {
    let (product, key) = (system.own("p"), system.own("k"));
    system.receive(&product, 10).await;
    let body = order(&product, 1);
    let (first, second) =
        tokio::join!(system.post(body.to_string(), Some(&key)), system.post(body.to_string(), Some(&key)));
    // White space is no difference: a proxy may change it.
    let third = system.post(format!(" {body:#}"), Some(&key)).await;
    assert_eq!((first.0.as_u16(), second.0.as_u16(), third.0.as_u16()), (202, 202, 202));
    assert_eq!(first.1, second.1);
    assert_eq!(first.1, third.1);
    let order_id = first.1["order_id"].as_str().expect("an id");
    system.settled(order_id).await;
    system.drained().await;
    assert_eq!(system.stock(&product).await["reserved"], 1);
    assert_eq!(system.charges(order_id).len(), 1);
}

async fn another_body(system: System) {
    let (product, key) = (system.own("p"), system.own("k"));
    system.post(order(&product, 1).to_string(), Some(&key)).await;
    let (status, answer) = system.post(order(&product, 2).to_string(), Some(&key)).await;
    assert_eq!((status.as_u16(), &answer["error"]["code"]), (409, &json!("IdempotencyKeyReused")));
}

/// Each event of a whole order, sent again to each queue that had it.
async fn message_twice(system: System) {
    let product = system.own("p");
    system.receive(&product, 10).await;
    let order_id = system.place(&order(&product, 2)).await;
    system.settled(&order_id).await;
    system.drained().await;
    eventually("the confirmation is sent", async || {
        let order = system.order(&order_id).await;
        order["timeline"].as_array().is_some_and(|timeline| timeline.len() == 6)
    })
    .await;
    let before = system.world(&TABLES).await;
    let deliveries = system.deliveries(&system.rows(&system.name("ledger")).await);
    for Delivery { function, event_type, event, .. } in &deliveries {
        let body = format!(r#"{{"version":"0","detail-type":"{event_type}","detail":{event}}}"#);
        for _ in 0..2 {
            system.send(&system.name(function), &body).await;
        }
    }
    assert_eq!(deliveries.len(), 9, "each event of an order, to each of its queues");
    system.drained().await;
    assert_eq!(before, system.world(&TABLES).await);
    assert_eq!(system.charges(&order_id).len(), 1);
    assert_eq!(system.confirmations(&order_id).await.len(), 1);
    for Delivery { function, .. } in deliveries.iter().filter(|_| system.embedded().is_some()) {
        let letters = system.depth(&system.name(&format!("{function}-dlq"))).await;
        assert_eq!(letters, Depth::default(), "a duplicate is no fault: {function}");
    }
}

async fn another_payload(system: System) {
    let product = system.own("p");
    system.receive(&product, 10).await;
    let id = system.own("same-id");
    let goods = |quantity| envelope("goods.received.v1", &id, &json!({"product_id": product, "quantity": quantity}));
    system.publish("warehouse", "goods.received.v1", &goods(1)).await;
    eventually("the first counts", async || system.stock(&product).await["available"] == 11).await;
    system.publish("warehouse", "goods.received.v1", &goods(2)).await;
    let letters = system.dead_letters("receive-stock").await;
    let reason = &letters[0].message_attributes.as_ref().expect("attributes")["reason"];
    assert_eq!(reason.string_value.as_deref(), Some("IdempotencyKeyReused"));
    assert_eq!(system.stock(&product).await["available"], 11);
}
