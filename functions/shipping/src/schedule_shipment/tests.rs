use contracts::{Address, Order, OrderLine};
use onceward::Reason;
use onceward_testing::Harness;

use super::*;

fn order() -> Order {
    Order {
        order_id: "o-1".to_owned(),
        customer_id: "customer".to_owned(),
        currency: "EUR".to_owned(),
        total: 300,
        payment_token: "token".to_owned(),
        lines: vec![OrderLine { product_id: "tea".to_owned(), quantity: 3, unit_price: 100 }],
        shipping_address: Address {
            name: "Ada Lovelace".to_owned(),
            line1: "12 St James's Square".to_owned(),
            city: "London".to_owned(),
            postal_code: "SW1Y 4LB".to_owned(),
            country: "GB".to_owned(),
        },
    }
}

#[tokio::test]
async fn a_paid_order_that_is_delivered_twice_is_shipped_once() {
    let harness = Harness::new();
    let order = order();

    let paid = PaymentAuthorized { order: order.clone(), payment_id: "p-1".to_owned() };
    harness.deliver_twice(&function(), &paid).await;

    let shipment = harness.load::<Shipment>(&Shipment::key_of("o-1")).unwrap();
    assert_eq!(shipment.address, order.shipping_address);
    assert!(shipment.shipment_id.starts_with("shp_"), "{}", shipment.shipment_id);
    let scheduled = ShipmentScheduled { order, shipment_id: shipment.shipment_id };
    assert_eq!(harness.published::<ShipmentScheduled>(), [scheduled]);
}

#[tokio::test]
async fn an_order_gets_no_second_shipment() {
    let harness = Harness::new();
    let paid = PaymentAuthorized { order: order(), payment_id: "p-1".to_owned() };

    harness.deliver(&function(), &paid).await.acknowledged();
    let letter = harness.deliver(&function(), &paid).await.dead_lettered();

    assert_eq!(letter.reason, Reason::ConditionCannotHold);
    assert!(letter.error.contains("shipments/o-1 exists"), "{}", letter.error);
    assert_eq!(harness.published::<ShipmentScheduled>().len(), 1);
}
