//! Settles an order that cannot be fulfilled.

use contracts::{OrderCancelled, StockRejected, StockReleased};
use onceward::{Context, Function, HandlerError, HandlerResult, UnitOfWork, Update, absent, version};

use crate::{OrderRow, SOURCE, Status, TimelineEntry};

/// The Lambda function.
///
/// After a declined payment it waits for the stock to be released, so that a cancelled order holds nothing.
pub fn function() -> Function {
    let function = Function::new("cancel-order").source(SOURCE);
    function.writes::<OrderRow>().publishes::<OrderCancelled>().on(cancel_rejected).on(cancel_released)
}

/// There was not enough stock.
pub async fn cancel_rejected(event: StockRejected, context: Context) -> HandlerResult {
    cancel(event.order_id, event.reason, &context).await
}

/// What was set aside is free again.
pub async fn cancel_released(event: StockReleased, context: Context) -> HandlerResult {
    cancel(event.order_id, event.reason, &context).await
}

async fn cancel(order_id: String, reason: String, context: &Context) -> HandlerResult {
    let key = OrderRow::key_of(&order_id);
    let Some(row) = context.load::<OrderRow>(&key).await? else {
        return Err(HandlerError::terminal(format!("there is no order {order_id}")));
    };
    if row.status != Status::Placed {
        return Ok(UnitOfWork::new());
    }
    let next = row.version + 1;
    let cancelled = Update::new().set("status", Status::Cancelled).set("reason", &reason).set("version", next);
    let entry = TimelineEntry::of::<OrderCancelled>(&order_id, context.now(), &context.event().id);
    let unit = UnitOfWork::new().update::<OrderRow>(key, cancelled, version(row.version)).put(&entry, absent());
    Ok(unit.publish_at(&OrderCancelled { order_id, reason }, next))
}

#[cfg(test)]
mod tests;
