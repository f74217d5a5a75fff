//! Tells a customer that the order is confirmed.

use std::fmt::Debug;

use async_trait::async_trait;
use contracts::{ConfirmationSent, Order, OrderConfirmed};
use onceward::{Context, Function, HandlerError, HandlerResult, UnitOfWork};
use onceward_aws::SnsTopic;

use crate::SOURCE;

/// Whom it is told.
#[async_trait]
pub trait Topic: Debug + Send + Sync {
    /// Publishes a message, with the key as an attribute; answers the topic's id of it.
    async fn publish(&self, subject: &str, message: &str, idempotency_key: &str) -> Result<String, HandlerError>;
}

#[async_trait]
impl Topic for SnsTopic {
    async fn publish(&self, subject: &str, message: &str, idempotency_key: &str) -> Result<String, HandlerError> {
        Ok(SnsTopic::publish(self, subject, message, idempotency_key).await?)
    }
}

/// The Lambda function.
///
/// Guarded: a message cannot join the transaction. SNS has no idempotency key for standard topics, so a run that dies
/// between message and commit sends it again; the attribute `idempotency_key` lets a subscriber tell.
pub fn function(topic: impl Topic + 'static) -> Function<Box<dyn Topic>> {
    Function::with("send-confirmation", Box::new(topic) as Box<dyn Topic>)
        .source(SOURCE)
        .guarded()
        .publishes::<ConfirmationSent>()
        .on(send_confirmation)
}

/// Publishes the message to the topic.
pub async fn send_confirmation(event: OrderConfirmed, context: Context<Box<dyn Topic>>) -> HandlerResult {
    let order = event.order;
    let subject = format!("Order {} is confirmed", order.order_id);
    let key = context.idempotency_key();
    let message_id = context.dependencies().publish(&subject, &text(&order), key).await?;
    Ok(UnitOfWork::new().publish(&ConfirmationSent { order_id: order.order_id, message_id }))
}

/// The message for the customer. Amounts are in minor units of the currency: how many digits those are is not known
/// here, so none are guessed.
fn text(order: &Order) -> String {
    let lines = order.lines.iter().map(|line| format!("{} × {}", line.quantity, line.product_id));
    let lines = lines.collect::<Vec<_>>().join(", ");
    let Order { order_id, total, currency, shipping_address, .. } = order;
    format!(
        "Your order {order_id} is confirmed: {lines}. Total: {total} ({currency}, minor units). It goes to {}.",
        shipping_address.city
    )
}

#[cfg(test)]
mod tests;
