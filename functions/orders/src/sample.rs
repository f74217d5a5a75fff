//! What the tests of this context begin with.

use contracts::{Address, Order, OrderLine};

use crate::{OrderRow, Status};

/// Three pieces of tea for 100 each.
pub(crate) fn order() -> Order {
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

/// The row of that order.
pub(crate) fn row(status: Status) -> OrderRow {
    OrderRow { order: order(), status, reason: None, version: 1 }
}
