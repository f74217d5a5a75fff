use contracts::Address;
use onceward::{Entity, Key};
use serde::{Deserialize, Serialize};

/// One order's shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    /// Which order: it has one shipment.
    pub order_id: String,
    /// `shp_…`.
    pub shipment_id: String,
    /// Where it goes.
    pub address: Address,
}

impl Shipment {
    /// Where the order's row is.
    pub fn key_of(order_id: &str) -> Key {
        Key::new("order_id", order_id)
    }
}

impl Entity for Shipment {
    const TABLE: &'static str = "shipments";

    fn key(&self) -> Key {
        Self::key_of(&self.order_id)
    }
}
