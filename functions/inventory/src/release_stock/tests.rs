use onceward_testing::Harness;

use super::*;
use crate::sample::{order, stock};

/// Three of ten pieces of tea are set aside for the order `o-1`.
fn reserved() -> Harness {
    let order = order("o-1", &[("tea", 3)]);
    let reservation = Reservation { order_id: order.order_id, lines: order.lines, status: ReservationStatus::Held };
    Harness::new().given(&stock("tea", 7, 3)).given(&reservation)
}

fn declined() -> PaymentDeclined {
    PaymentDeclined { order_id: "o-1".to_owned(), reason: "card_declined".to_owned() }
}

fn released() -> StockReleased {
    StockReleased { order_id: "o-1".to_owned(), reason: "card_declined".to_owned() }
}

#[tokio::test]
async fn a_declined_payment_that_is_delivered_twice_gives_the_stock_back_once() {
    let harness = reserved();

    harness.deliver_twice(&function(), &declined()).await;

    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 10, 0)));
    let reservation = harness.load::<Reservation>(&Reservation::key_of("o-1")).unwrap();
    assert_eq!(reservation.status, ReservationStatus::Released);
    assert_eq!(harness.published::<StockReleased>(), [released()]);
}

#[tokio::test]
async fn a_release_after_a_release_gives_nothing_back() {
    let harness = reserved();

    for _ in 0..2 {
        harness.deliver(&function(), &declined()).await.acknowledged();
    }

    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 10, 0)));
    assert_eq!(harness.published::<StockReleased>(), [released(), released()]);
}

#[tokio::test]
async fn an_order_that_holds_nothing_is_released_at_once() {
    let harness = Harness::new().given(&stock("tea", 7, 3));

    harness.deliver(&function(), &declined()).await.acknowledged();

    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 7, 3)));
    assert_eq!(harness.published::<StockReleased>(), [released()]);
}
