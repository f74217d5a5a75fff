//! What `award-points` does, in memory.

use onceward::Reason;
use onceward_testing::Harness;
use points::{Account, OrderConfirmed, PointsAwarded, function};

fn confirmed(total: i64) -> OrderConfirmed {
    OrderConfirmed { customer_id: "ada".to_owned(), total }
}

#[tokio::test]
async fn an_order_that_is_delivered_twice_earns_its_points_once() {
    let harness = Harness::new().given(&Account { customer_id: "ada".to_owned(), points: 5 });

    harness.deliver_twice(&function(), &confirmed(2_599)).await;

    let account = harness.load::<Account>(&Account::key_of("ada"));
    assert_eq!(account, Some(Account { customer_id: "ada".to_owned(), points: 30 }));
    assert_eq!(harness.published::<PointsAwarded>(), [PointsAwarded { customer_id: "ada".to_owned(), points: 25 }]);
}

#[tokio::test]
async fn a_negative_total_is_kept_as_a_dead_letter_with_its_reason() {
    let harness = Harness::new();

    let letter = harness.deliver(&function(), &confirmed(-1)).await.dead_lettered();

    assert_eq!((letter.reason, letter.error.as_str()), (Reason::Terminal, "total: must not be negative"));
    assert_eq!(harness.published::<PointsAwarded>(), []);
}
