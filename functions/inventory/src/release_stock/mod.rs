//! Gives back what was set aside for an order that is not paid.

use contracts::{PaymentDeclined, StockReleased};
use onceward::{Context, Function, HandlerResult, UnitOfWork, Update, at_least, equals};

use crate::{Reservation, ReservationStatus, SOURCE, Stock};

/// The Lambda function.
pub fn function() -> Function {
    let function = Function::new("release-stock").source(SOURCE);
    function.writes::<Stock>().publishes::<StockReleased>().on(release_stock)
}

/// Releases the order's reservation, if it holds one.
pub async fn release_stock(declined: PaymentDeclined, context: Context) -> HandlerResult {
    let key = Reservation::key_of(&declined.order_id);
    let reservation = context.load::<Reservation>(&key).await?;
    let mut unit = UnitOfWork::new();
    if let Some(held) = reservation.filter(|reservation| reservation.status == ReservationStatus::Held) {
        let released = Update::new().set("status", ReservationStatus::Released);
        unit = unit.update::<Reservation>(key, released, equals("status", ReservationStatus::Held));
        for line in &held.lines {
            let quantity = i64::from(line.quantity);
            let give_back = Update::new().add("available", quantity).subtract("reserved", quantity);
            unit = unit.update::<Stock>(Stock::key_of(&line.product_id), give_back, at_least("reserved", quantity));
        }
    }
    Ok(unit.publish(&StockReleased { order_id: declined.order_id, reason: declined.reason }))
}

#[cfg(test)]
mod tests;
