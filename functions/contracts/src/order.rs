use onceward::Event;
use serde::{Deserialize, Serialize};

/// An order as its customer placed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// `ord_…`.
    pub order_id: String,
    /// Who ordered.
    pub customer_id: String,
    /// ISO 4217 code of all amounts.
    pub currency: String,
    /// Sum of the lines, in minor units.
    pub total: i64,
    /// What the payment gateway knows the means of payment by.
    pub payment_token: String,
    /// What was ordered: each product once.
    pub lines: Vec<OrderLine>,
    /// Where it goes.
    pub shipping_address: Address,
}

/// One product of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Which product.
    pub product_id: String,
    /// How many, at least 1.
    pub quantity: u32,
    /// Price of one, in minor units.
    pub unit_price: i64,
}

/// Where a shipment goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Who receives it.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// Town.
    pub city: String,
    /// As the country writes it.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
}

/// A customer placed an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// The order.
    pub order: Order,
}

/// Stock, payment and shipment of an order are settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// The order.
    pub order: Order,
}

/// An order came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// Which order.
    pub order_id: String,
    /// Why, for the customer.
    pub reason: String,
}

impl Event for OrderPlaced {
    const TYPE: &'static str = "order.placed";

    fn subject(&self) -> String {
        self.order.order_id.clone()
    }
}

impl Event for OrderConfirmed {
    const TYPE: &'static str = "order.confirmed";

    fn subject(&self) -> String {
        self.order.order_id.clone()
    }
}

impl Event for OrderCancelled {
    const TYPE: &'static str = "order.cancelled";

    fn subject(&self) -> String {
        self.order_id.clone()
    }
}
