use onceward::Event;
use serde::{Deserialize, Serialize};

use crate::Order;

/// The order's total is authorized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentAuthorized {
    /// The order.
    pub order: Order,
    /// The gateway's id of the payment.
    pub payment_id: String,
}

/// The means of payment was declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentDeclined {
    /// Which order.
    pub order_id: String,
    /// The gateway's code, such as `card_declined`.
    pub reason: String,
}

impl Event for PaymentAuthorized {
    const TYPE: &'static str = "payment.authorized";

    fn subject(&self) -> String {
        self.order.order_id.clone()
    }
}

impl Event for PaymentDeclined {
    const TYPE: &'static str = "payment.declined";

    fn subject(&self) -> String {
        self.order_id.clone()
    }
}
