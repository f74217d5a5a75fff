use onceward_testing::Harness;

use super::*;
use crate::sample::stock;

fn goods(product_id: &str, quantity: u32) -> GoodsReceived {
    GoodsReceived { product_id: product_id.to_owned(), quantity }
}

#[tokio::test]
async fn the_first_goods_of_a_product_make_its_row() {
    let harness = Harness::new();

    harness.deliver_twice(&function(), &goods("tea", 3)).await;

    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 3, 0)));
    let received = StockReceived { product_id: "tea".to_owned(), quantity: 3 };
    assert_eq!(harness.published::<StockReceived>(), [received]);
}

#[tokio::test]
async fn more_goods_are_added_to_what_is_there() {
    let harness = Harness::new().given(&stock("tea", 2, 5));

    harness.deliver(&function(), &goods("tea", 3)).await.acknowledged();

    assert_eq!(harness.load(&Stock::key_of("tea")), Some(stock("tea", 5, 5)));
}

#[tokio::test]
async fn goods_without_a_product_or_a_quantity_are_given_up() {
    let harness = Harness::new();
    for (goods, error) in
        [(goods("", 1), "product_id: must not be empty"), (goods("tea", 0), "quantity: must be at least 1")]
    {
        let letter = harness.deliver(&function(), &goods).await.dead_lettered();
        assert_eq!(letter.error, error);
    }
    assert!(harness.envelopes().is_empty());
}
