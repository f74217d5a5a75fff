//! Authorizes the payment of an order whose stock is reserved.

use contracts::{PaymentAuthorized, PaymentDeclined, StockReserved};
use onceward::{
    CircuitBreaker, CircuitBreakerError, Context, Function, HandlerError, HandlerResult, UnitOfWork, absent,
};

use crate::{Authorization, GatewayError, Payment, PaymentGateway, PaymentRequest, SOURCE};

/// The Lambda function.
///
/// Guarded: a charge cannot join the transaction. No two deliveries ask at once, and the gateway gets the same key
/// from each. While the gateway is down, orders wait in the queue for the breaker's next try.
pub fn function(gateway: impl PaymentGateway + 'static, breaker: &CircuitBreaker) -> Function<Dependencies> {
    let dependencies = Dependencies { gateway: Box::new(gateway), breaker: breaker.clone() };
    let function = Function::with("authorize-payment", dependencies).source(SOURCE).guarded();
    let function = function.writes::<Payment>().publishes::<PaymentAuthorized>().publishes::<PaymentDeclined>();
    function.circuit_breaker(breaker).on(authorize_payment)
}

/// What the handler calls.
#[derive(Debug)]
pub struct Dependencies {
    gateway: Box<dyn PaymentGateway>,
    breaker: CircuitBreaker,
}

/// Asks the gateway and puts its decision on record.
pub async fn authorize_payment(event: StockReserved, context: Context<Dependencies>) -> HandlerResult {
    let Dependencies { gateway, breaker } = context.dependencies();
    let order = event.order;
    let request = PaymentRequest {
        amount: order.total,
        currency: &order.currency,
        payment_token: &order.payment_token,
        reference: &order.order_id,
        capture: false,
    };
    let call = || gateway.authorize(&request, context.idempotency_key());
    match breaker.call_with(&context, GatewayError::is_outage, call).await {
        Ok(Authorization::Authorized { payment_id }) => {
            let payment = Payment {
                order_id: order.order_id.clone(),
                payment_id: payment_id.clone(),
                amount: order.total,
                currency: order.currency.clone(),
            };
            let unit = UnitOfWork::new().put(&payment, absent());
            Ok(unit.publish(&PaymentAuthorized { order, payment_id }))
        }
        Ok(Authorization::Declined { code }) => {
            Ok(UnitOfWork::new().publish(&PaymentDeclined { order_id: order.order_id, reason: code }))
        }
        Err(CircuitBreakerError::Failed(error @ GatewayError::Unavailable { retry_after: Some(after), .. })) => {
            Err(HandlerError::retry_after(error, after))
        }
        Err(CircuitBreakerError::Failed(error @ GatewayError::Refused { .. })) => {
            Err(HandlerError::terminal(error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
