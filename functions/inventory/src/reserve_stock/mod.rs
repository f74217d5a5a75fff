//! Sets an order's products aside: all of them, or none.

use contracts::{Order, OrderPlaced, StockRejected, StockReserved};
use onceward::{Context, Function, HandlerError, HandlerResult, UnitOfWork, Update, absent, at_least};

use crate::{Reservation, ReservationStatus, SOURCE, Stock};

/// The Lambda function.
pub fn function() -> Function {
    let function = Function::new("reserve-stock").source(SOURCE).writes::<Stock>();
    function.publishes::<StockReserved>().publishes::<StockRejected>().on(reserve_stock)
}

/// Reserves, or says what is missing. An order that another one overtakes at the commit runs again on what is left.
pub async fn reserve_stock(event: OrderPlaced, context: Context) -> HandlerResult {
    let order = event.order;
    if let Some(reason) = missing(&order, &context).await? {
        return Ok(UnitOfWork::new().publish(&StockRejected { order_id: order.order_id, reason }));
    }
    let reservation =
        Reservation { order_id: order.order_id.clone(), lines: order.lines.clone(), status: ReservationStatus::Held };
    let mut unit = UnitOfWork::new().put(&reservation, absent());
    for line in &order.lines {
        let quantity = i64::from(line.quantity);
        let take = Update::new().subtract("available", quantity).add("reserved", quantity);
        unit = unit.update::<Stock>(Stock::key_of(&line.product_id), take, at_least("available", quantity));
    }
    Ok(unit.publish(&StockReserved { order }))
}

/// The first product that there is not enough of.
async fn missing(order: &Order, context: &Context) -> Result<Option<String>, HandlerError> {
    for line in &order.lines {
        if line.quantity == 0 {
            return Err(HandlerError::invalid("order.lines.quantity", "must be at least 1"));
        }
        let stock = context.load::<Stock>(&Stock::key_of(&line.product_id)).await?;
        let available = stock.map_or(0, |stock| stock.available);
        if available < i64::from(line.quantity) {
            let (product, wanted) = (&line.product_id, line.quantity);
            return Ok(Some(format!("insufficient_stock: {product}: {wanted} ordered, {available} available")));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
