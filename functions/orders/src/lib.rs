//! Orders: takes them in, follows what the other contexts do for them, and settles them.

pub mod cancel_order;
pub mod confirm_order;
pub mod get_order;
mod order;
pub mod place_order;
mod timeline;
pub mod track_order;

pub use order::{OrderRow, Status};
pub use timeline::TimelineEntry;

/// This context's name: the `source` of its events.
const SOURCE: &str = "orders";
