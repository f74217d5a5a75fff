//! Notifications: tells customers what became of their orders.

pub mod send_confirmation;

/// This context's name: the `source` of its events.
const SOURCE: &str = "notifications";
