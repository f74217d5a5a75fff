//! Payments: asks the payment gateway for each order's total.

pub mod authorize_payment;
mod breaker;
mod gateway;
mod payment;

pub use breaker::{OpenTimeError, breaker};
pub use gateway::{Authorization, Gateway, GatewayError, PaymentGateway, PaymentRequest};
pub use payment::Payment;

/// This context's name: the `source` of its events.
const SOURCE: &str = "payments";
