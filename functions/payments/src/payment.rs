use onceward::{Entity, Key};
use serde::{Deserialize, Serialize};

/// An authorized payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Which order: it has one payment.
    pub order_id: String,
    /// The gateway's id.
    pub payment_id: String,
    /// In minor units.
    pub amount: i64,
    /// ISO 4217.
    pub currency: String,
}

impl Payment {
    /// Where the order's row is.
    pub fn key_of(order_id: &str) -> Key {
        Key::new("order_id", order_id)
    }
}

impl Entity for Payment {
    const TABLE: &'static str = "payments";

    fn key(&self) -> Key {
        Self::key_of(&self.order_id)
    }
}
