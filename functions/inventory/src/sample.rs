//! What the tests of this context begin with.

use contracts::{Address, Order, OrderLine};

use crate::Stock;

/// An order with a line for each product and its quantity.
pub(crate) fn order(order_id: &str, products: &[(&str, u32)]) -> Order {
    let line = |(product_id, quantity): &(&str, u32)| OrderLine {
        product_id: (*product_id).to_owned(),
        quantity: *quantity,
        unit_price: 100,
    };
    Order {
        order_id: order_id.to_owned(),
        customer_id: "customer".to_owned(),
        currency: "EUR".to_owned(),
        total: products.iter().map(|(_, quantity)| i64::from(*quantity) * 100).sum(),
        payment_token: "token".to_owned(),
        lines: products.iter().map(line).collect(),
        shipping_address: Address {
            name: "Ada Lovelace".to_owned(),
            line1: "12 St James's Square".to_owned(),
            city: "London".to_owned(),
            postal_code: "SW1Y 4LB".to_owned(),
            country: "GB".to_owned(),
        },
    }
}

/// A product's row.
pub(crate) fn stock(product_id: &str, available: i64, reserved: i64) -> Stock {
    Stock { product_id: product_id.to_owned(), available, reserved }
}
