use onceward::Event;
use serde::{Deserialize, Serialize};

use crate::Order;

/// An order's shipment is on the carrier's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShipmentScheduled {
    /// The order.
    pub order: Order,
    /// `shp_…`.
    pub shipment_id: String,
}

impl Event for ShipmentScheduled {
    const TYPE: &'static str = "shipment.scheduled";

    fn subject(&self) -> String {
        self.order.order_id.clone()
    }
}
