//! Inventory: what is there, what is set aside, and for which order.

pub mod get_stock;
pub mod receive_stock;
pub mod release_stock;
mod reservation;
pub mod reserve_stock;
mod stock;

pub use reservation::{Reservation, ReservationStatus};
pub use stock::Stock;

/// This context's name: the `source` of its events.
const SOURCE: &str = "inventory";
