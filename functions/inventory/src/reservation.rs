use contracts::OrderLine;
use onceward::{Entity, Key};
use serde::{Deserialize, Serialize};

/// Whether a reservation still holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// The stock is set aside.
    Held,
    /// It can be ordered again.
    Released,
}

/// What is set aside for one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Which order.
    pub order_id: String,
    /// What and how many.
    pub lines: Vec<OrderLine>,
    /// Whether it still holds.
    pub status: ReservationStatus,
}

impl Reservation {
    /// Where the order's row is.
    pub fn key_of(order_id: &str) -> Key {
        Key::new("pk", format!("reservation#{order_id}"))
    }
}

impl Entity for Reservation {
    const TABLE: &'static str = "inventory";

    fn key(&self) -> Key {
        Self::key_of(&self.order_id)
    }
}
