//! Publishes the events that commits have left in the ledger.

use onceward::Relay;

/// The Lambda function.
pub fn function() -> Relay {
    Relay::new("outbox-relay")
}
