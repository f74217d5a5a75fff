//! Shipping: puts paid orders on the carrier's list.

pub mod schedule_shipment;
mod shipment;

pub use shipment::Shipment;

/// This context's name: the `source` of its events.
const SOURCE: &str = "shipping";
