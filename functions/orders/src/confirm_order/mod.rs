//! Settles an order whose shipment is scheduled.

use contracts::{OrderConfirmed, ShipmentScheduled};
use onceward::{Context, Function, HandlerError, HandlerResult, UnitOfWork, Update, absent, version};

use crate::{OrderRow, SOURCE, Status, TimelineEntry};

/// The Lambda function.
pub fn function() -> Function {
    let function = Function::new("confirm-order").source(SOURCE);
    function.writes::<OrderRow>().publishes::<OrderConfirmed>().on(confirm_order)
}

/// Confirms the order, if it is still open.
pub async fn confirm_order(event: ShipmentScheduled, context: Context) -> HandlerResult {
    let order_id = &event.order.order_id;
    let key = OrderRow::key_of(order_id);
    let Some(row) = context.load::<OrderRow>(&key).await? else {
        return Err(HandlerError::terminal(format!("there is no order {order_id}")));
    };
    if row.status != Status::Placed {
        return Ok(UnitOfWork::new());
    }
    let next = row.version + 1;
    let confirmed = Update::new().set("status", Status::Confirmed).set("version", next);
    let entry = TimelineEntry::of::<OrderConfirmed>(order_id, context.now(), &context.event().id);
    let unit = UnitOfWork::new().update::<OrderRow>(key, confirmed, version(row.version)).put(&entry, absent());
    Ok(unit.publish_at(&OrderConfirmed { order: event.order }, next))
}

#[cfg(test)]
mod tests;
