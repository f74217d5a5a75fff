use onceward::Event;
use serde::{Deserialize, Serialize};

use crate::Order;

/// The warehouse took goods in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoodsReceived {
    /// Which product.
    pub product_id: String,
    /// How many, at least 1.
    pub quantity: u32,
}

/// Goods can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReceived {
    /// Which product.
    pub product_id: String,
    /// How many more.
    pub quantity: u32,
}

/// All of an order's products are set aside for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReserved {
    /// The order.
    pub order: Order,
}

/// Not all of an order's products are there; none is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockRejected {
    /// Which order.
    pub order_id: String,
    /// What is missing.
    pub reason: String,
}

/// What was set aside for an order can be ordered again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockReleased {
    /// Which order.
    pub order_id: String,
    /// Why the order does not need it any more.
    pub reason: String,
}

impl Event for GoodsReceived {
    const TYPE: &'static str = "goods.received";

    fn subject(&self) -> String {
        self.product_id.clone()
    }
}

impl Event for StockReceived {
    const TYPE: &'static str = "stock.received";

    fn subject(&self) -> String {
        self.product_id.clone()
    }
}

impl Event for StockReserved {
    const TYPE: &'static str = "stock.reserved";

    fn subject(&self) -> String {
        self.order.order_id.clone()
    }
}

impl Event for StockRejected {
    const TYPE: &'static str = "stock.rejected";

    fn subject(&self) -> String {
        self.order_id.clone()
    }
}

impl Event for StockReleased {
    const TYPE: &'static str = "stock.released";

    fn subject(&self) -> String {
        self.order_id.clone()
    }
}
