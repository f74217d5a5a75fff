use onceward::Reason;
use onceward_testing::Harness;

use super::*;
use crate::sample::{order, row};

fn scheduled() -> ShipmentScheduled {
    ShipmentScheduled { order: order(), shipment_id: "s-1".to_owned() }
}

fn load(harness: &Harness) -> OrderRow {
    harness.load(&OrderRow::key_of("o-1")).unwrap()
}

#[tokio::test]
async fn an_order_with_a_shipment_is_confirmed_once() {
    let harness = Harness::new().given(&row(Status::Placed));

    harness.deliver_twice(&function(), &scheduled()).await;

    assert_eq!(load(&harness), OrderRow { version: 2, ..row(Status::Confirmed) });
    assert_eq!(harness.published::<OrderConfirmed>(), [OrderConfirmed { order: order() }]);
    assert_eq!(harness.envelopes()[0].sequence(), Some(2), "the event says which version of the order it made");
    assert_eq!(harness.rows::<TimelineEntry>(&TimelineEntry::prefix("o-1"))[0].event_type, "order.confirmed");
}

#[tokio::test]
async fn a_settled_order_stays_as_it_is() {
    for status in [Status::Confirmed, Status::Cancelled] {
        let harness = Harness::new().given(&row(status));

        harness.deliver(&function(), &scheduled()).await.acknowledged();

        assert_eq!(load(&harness), row(status));
        assert!(harness.envelopes().is_empty());
    }
}

#[tokio::test]
async fn an_order_that_nobody_knows_is_given_up() {
    let letter = Harness::new().deliver(&function(), &scheduled()).await.dead_lettered();
    assert_eq!((letter.reason, letter.error.as_str()), (Reason::Terminal, "there is no order o-1"));
}
