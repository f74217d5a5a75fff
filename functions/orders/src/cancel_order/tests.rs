use onceward::Reason;
use onceward_testing::Harness;

use super::*;
use crate::sample::row;

fn rejected() -> StockRejected {
    StockRejected { order_id: "o-1".to_owned(), reason: "insufficient_stock".to_owned() }
}

fn released() -> StockReleased {
    StockReleased { order_id: "o-1".to_owned(), reason: "card_declined".to_owned() }
}

fn cancelled(reason: &str) -> OrderCancelled {
    OrderCancelled { order_id: "o-1".to_owned(), reason: reason.to_owned() }
}

fn load(harness: &Harness) -> OrderRow {
    harness.load(&OrderRow::key_of("o-1")).unwrap()
}

#[tokio::test]
async fn an_order_without_stock_is_cancelled_once() {
    let harness = Harness::new().given(&row(Status::Placed));

    harness.deliver_twice(&function(), &rejected()).await;

    let reason = Some("insufficient_stock".to_owned());
    assert_eq!(load(&harness), OrderRow { reason, version: 2, ..row(Status::Cancelled) });
    assert_eq!(harness.published::<OrderCancelled>(), [cancelled("insufficient_stock")]);
    assert_eq!(harness.envelopes()[0].sequence(), Some(2), "the event says which version of the order it made");
    assert_eq!(harness.rows::<TimelineEntry>(&TimelineEntry::prefix("o-1"))[0].event_type, "order.cancelled");
}

#[tokio::test]
async fn an_order_that_is_not_paid_is_cancelled_when_its_stock_is_released() {
    let harness = Harness::new().given(&row(Status::Placed));

    harness.deliver(&function(), &released()).await.acknowledged();

    assert_eq!(load(&harness).status, Status::Cancelled);
    assert_eq!(harness.published::<OrderCancelled>(), [cancelled("card_declined")]);
}

#[tokio::test]
async fn a_cancelled_order_keeps_its_first_reason() {
    let harness = Harness::new().given(&row(Status::Placed));

    harness.deliver(&function(), &rejected()).await.acknowledged();
    harness.deliver(&function(), &released()).await.acknowledged();

    assert_eq!(load(&harness).reason.as_deref(), Some("insufficient_stock"));
    assert_eq!(harness.published::<OrderCancelled>().len(), 1);
}

#[tokio::test]
async fn a_confirmed_order_stays_confirmed() {
    let harness = Harness::new().given(&row(Status::Confirmed));

    harness.deliver(&function(), &released()).await.acknowledged();

    assert_eq!(load(&harness), row(Status::Confirmed));
    assert!(harness.envelopes().is_empty());
}

#[tokio::test]
async fn an_order_that_nobody_knows_is_given_up() {
    let letter = Harness::new().deliver(&function(), &rejected()).await.dead_lettered();
    assert_eq!((letter.reason, letter.error.as_str()), (Reason::Terminal, "there is no order o-1"));
}
