use onceward::Event;
use serde::{Deserialize, Serialize};

/// The customer was told that the order is confirmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmationSent {
    /// Which order.
    pub order_id: String,
    /// The topic's id of the message.
    pub message_id: String,
}

impl Event for ConfirmationSent {
    const TYPE: &'static str = "confirmation.sent";

    fn subject(&self) -> String {
        self.order_id.clone()
    }
}
