use std::time::Duration;

use onceward_testing::Harness;

use super::*;
use crate::sample::order;

fn timeline(harness: &Harness) -> Vec<(String, String)> {
    let entries = harness.rows::<TimelineEntry>(&TimelineEntry::prefix("o-1"));
    entries.into_iter().map(|entry| (entry.at, entry.event_type)).collect()
}

#[tokio::test]
async fn what_happened_is_told_in_its_order_however_it_arrives() {
    let harness = Harness::new();
    let reserved = harness.message(&StockReserved { order: order() });
    harness.advance(Duration::from_millis(250));
    let paid = harness.message(&PaymentAuthorized { order: order(), payment_id: "p-1".to_owned() });

    for message in [&paid, &reserved, &paid, &reserved] {
        harness.deliver_message(&function(), message).await.acknowledged();
    }

    let entry = |at: &str, event_type: &str| (at.to_owned(), event_type.to_owned());
    let expected =
        [entry("2026-01-01T00:00:00.000Z", "stock.reserved"), entry("2026-01-01T00:00:00.250Z", "payment.authorized")];
    assert_eq!(timeline(&harness), expected);
}

#[tokio::test]
async fn every_event_of_the_other_contexts_leaves_an_entry() {
    let harness = Harness::new();
    let (order, order_id, reason) = (order(), "o-1".to_owned(), "a reason".to_owned());
    let function = function();

    harness.deliver(&function, &StockReserved { order: order.clone() }).await.acknowledged();
    let rejected = StockRejected { order_id: order_id.clone(), reason: reason.clone() };
    harness.deliver(&function, &rejected).await.acknowledged();
    let released = StockReleased { order_id: order_id.clone(), reason: reason.clone() };
    harness.deliver(&function, &released).await.acknowledged();
    let paid = PaymentAuthorized { order: order.clone(), payment_id: "p-1".to_owned() };
    harness.deliver(&function, &paid).await.acknowledged();
    harness.deliver(&function, &PaymentDeclined { order_id: order_id.clone(), reason }).await.acknowledged();
    harness.deliver(&function, &ShipmentScheduled { order, shipment_id: "s-1".to_owned() }).await.acknowledged();
    harness.deliver(&function, &ConfirmationSent { order_id, message_id: "m-1".to_owned() }).await.acknowledged();

    let mut types: Vec<_> = timeline(&harness).into_iter().map(|(_, event_type)| format!("{event_type}.v1")).collect();
    types.sort();
    assert_eq!(types, function.event_types().collect::<Vec<_>>());
}
