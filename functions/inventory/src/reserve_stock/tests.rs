use onceward::Reason;
use onceward_testing::Harness;

use super::*;
use crate::sample::{order, stock};

#[tokio::test]
async fn an_order_that_is_delivered_twice_is_reserved_once() {
    let harness = Harness::new().given(&stock("tea", 10, 0)).given(&stock("cup", 5, 1));
    let order = order("o-1", &[("tea", 3), ("cup", 5)]);

    harness.deliver_twice(&function(), &OrderPlaced { order: order.clone() }).await;

    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 7, 3)));
    assert_eq!(harness.load(&Stock::key_of("cup")), Some(stock("cup", 0, 6)));
    let reservation = harness.load::<Reservation>(&Reservation::key_of("o-1")).unwrap();
    assert_eq!((reservation.lines, reservation.status), (order.lines.clone(), ReservationStatus::Held));
    assert_eq!(harness.published::<StockReserved>(), [StockReserved { order }]);
}

#[tokio::test]
async fn an_order_that_lacks_one_product_reserves_none() {
    let harness = Harness::new().given(&stock("tea", 10, 0)).given(&stock("cup", 1, 0));

    let placed = OrderPlaced { order: order("o-1", &[("tea", 3), ("cup", 2)]) };
    harness.deliver(&function(), &placed).await.acknowledged();

    let reason = "insufficient_stock: cup: 2 ordered, 1 available".to_owned();
    assert_eq!(harness.published::<StockRejected>(), [StockRejected { order_id: "o-1".to_owned(), reason }]);
    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 10, 0)));
    assert_eq!(harness.load::<Reservation>(&Reservation::key_of("o-1")), None);
}

#[tokio::test]
async fn a_product_that_nobody_knows_is_missing() {
    let harness = Harness::new();

    harness.deliver(&function(), &OrderPlaced { order: order("o-1", &[("tea", 1)]) }).await.acknowledged();

    let [rejected] = harness.published::<StockRejected>().try_into().unwrap();
    assert_eq!(rejected.reason, "insufficient_stock: tea: 1 ordered, 0 available");
}

#[tokio::test]
async fn the_last_piece_goes_to_one_order() {
    let harness = Harness::new().given(&stock("tea", 1, 0));

    for order_id in ["o-1", "o-2"] {
        harness.deliver(&function(), &OrderPlaced { order: order(order_id, &[("tea", 1)]) }).await.acknowledged();
    }

    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 0, 1)));
    assert_eq!((harness.published::<StockReserved>().len(), harness.published::<StockRejected>().len()), (1, 1));
}

#[tokio::test]
async fn an_order_of_nothing_is_given_up() {
    let harness = Harness::new().given(&stock("tea", 1, 0));

    let placed = OrderPlaced { order: order("o-1", &[("tea", 0)]) };
    let letter = harness.deliver(&function(), &placed).await.dead_lettered();

    assert_eq!((letter.reason, letter.error.as_str()), (Reason::Terminal, "order.lines.quantity: must be at least 1"));
    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 1, 0)));
}
