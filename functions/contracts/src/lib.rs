//! The events that the bounded contexts publish for one another.
//!
//! An event carries what its consumers need of the order, so that none of them reads another context's tables.

mod inventory;
mod notification;
mod order;
mod payment;
mod shipping;

pub use inventory::{GoodsReceived, StockReceived, StockRejected, StockReleased, StockReserved};
pub use notification::ConfirmationSent;
pub use order::{Address, Order, OrderCancelled, OrderConfirmed, OrderLine, OrderPlaced};
pub use payment::{PaymentAuthorized, PaymentDeclined};
pub use shipping::ShipmentScheduled;
