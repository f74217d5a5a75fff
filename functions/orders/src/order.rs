use contracts::Order;
use onceward::{Entity, Key};
use serde::{Deserialize, Serialize};

/// What has become of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not settled yet.
    Placed,
    /// Stock, payment and shipment are settled.
    Confirmed,
    /// It came to nothing.
    Cancelled,
}

/// An order and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// As it was placed.
    pub order: Order,
    /// What has become of it.
    pub status: Status,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Counts the changes of this row, from 1.
    pub version: u64,
}

impl OrderRow {
    /// Where the order's row is.
    pub fn key_of(order_id: &str) -> Key {
        Key::new("order_id", order_id).sort("entry", "order")
    }
}

impl Entity for OrderRow {
    const TABLE: &'static str = "orders";

    fn key(&self) -> Key {
        Self::key_of(&self.order.order_id)
    }
}
