//! Everything that is delivered twice changes the world once.

use libtest_mimic::Trial;
use onceward_local::sqs::Outgoing;
use serde_json::json;

use crate::{
    on_a_cloud,
    system::{System, envelope, eventually, order},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_a_cloud("duplicates::one_key_is_one_order", one_key_is_one_order),
        on_a_cloud("duplicates::one_key_with_another_body_is_refused", another_body),
        on_a_cloud("duplicates::a_message_delivered_twice_has_no_second_effect", message_twice),
        on_a_cloud("duplicates::one_event_id_with_another_payload_is_a_dead_letter", another_payload),
    ]
}

const TABLES: [&str; 5] =
    ["onceward-ledger", "onceward-orders", "onceward-inventory", "onceward-payments", "onceward-shipments"];

/// Every row of every table, in a fixed order.
fn world(system: &System) -> Vec<String> {
    let of = |table| system.rows(table).into_iter().map(move |row| format!("{table} {row}"));
    let mut rows: Vec<_> = TABLES.into_iter().flat_map(of).collect();
    rows.sort_unstable();
    rows
}

async fn one_key_is_one_order(system: System) {
    system.receive("p-1", 10).await;
    let body = order("p-1", 1);
    let (first, second) =
        tokio::join!(system.post(body.to_string(), Some("k")), system.post(body.to_string(), Some("k")));
    // White space is no difference: a proxy may change it.
    let third = system.post(format!(" {body:#}"), Some("k")).await;
    assert_eq!((first.0.as_u16(), second.0.as_u16(), third.0.as_u16()), (202, 202, 202));
    assert_eq!(first.1, second.1);
    assert_eq!(first.1, third.1);
    system.settled(first.1["order_id"].as_str().expect("an id")).await;
    system.drained().await;
    assert_eq!(system.stock("p-1").await["reserved"], 1);
    assert_eq!(system.cloud.gateway().charges().len(), 1);
}

async fn another_body(system: System) {
    system.post(order("p-1", 1).to_string(), Some("k")).await;
    let (status, answer) = system.post(order("p-1", 2).to_string(), Some("k")).await;
    assert_eq!((status.as_u16(), &answer["error"]["code"]), (409, &json!("IdempotencyKeyReused")));
}

/// Each event of a whole order, sent again to each queue that had it.
async fn message_twice(system: System) {
    system.receive("p-1", 10).await;
    let order_id = system.place(&order("p-1", 2)).await;
    system.settled(&order_id).await;
    system.drained().await;
    eventually("the confirmation is sent", async || {
        let order = system.order(&order_id).await;
        order["timeline"].as_array().is_some_and(|timeline| timeline.len() == 6)
    })
    .await;
    let before = world(&system);
    let deliveries = system.deliveries(&system.rows("onceward-ledger"));
    for (queue, event) in &deliveries {
        let body = json!({"version": "0", "detail-type": event["type"], "detail": event}).to_string();
        for _ in 0..2 {
            system.cloud.sqs().send(queue, Outgoing { body: body.clone(), ..Outgoing::default() }).expect("sent");
        }
    }
    assert_eq!(deliveries.len(), 9, "each event of an order, to each of its queues");
    system.drained().await;
    assert_eq!(before, world(&system));
    assert_eq!(system.cloud.gateway().charges().len(), 1);
    let inbox = system.cloud.sqs().depth("onceward-confirmation-inbox").expect("the inbox exists");
    assert_eq!(inbox.visible, 1, "one confirmation");
}

async fn another_payload(system: System) {
    system.receive("p-1", 10).await;
    let goods =
        |quantity| envelope("goods.received.v1", "same-id", &json!({"product_id": "p-1", "quantity": quantity}));
    system.publish("warehouse", "goods.received.v1", &goods(1));
    eventually("the first counts", async || system.stock("p-1").await["available"] == 11).await;
    system.publish("warehouse", "goods.received.v1", &goods(2));
    let letters = system.dead_letters("receive-stock").await;
    let reason = &letters[0].message_attributes["reason"];
    assert_eq!(format!("{:?}", reason.value), "Text(\"IdempotencyKeyReused\")");
    assert_eq!(system.stock("p-1").await["available"], 11);
}
