//! Schedules the shipment of a paid order.

use contracts::{PaymentAuthorized, ShipmentScheduled};
use onceward::{Context, Function, HandlerResult, UnitOfWork, absent};

use crate::{SOURCE, Shipment};

/// The Lambda function.
pub fn function() -> Function {
    let function = Function::new("schedule-shipment").source(SOURCE);
    function.writes::<Shipment>().publishes::<ShipmentScheduled>().on(schedule_shipment)
}

/// Puts the shipment on record.
pub async fn schedule_shipment(paid: PaymentAuthorized, context: Context) -> HandlerResult {
    let order = paid.order;
    let shipment = Shipment {
        order_id: order.order_id.clone(),
        shipment_id: context.new_id("shp"),
        address: order.shipping_address.clone(),
    };
    let unit = UnitOfWork::new().put(&shipment, absent());
    Ok(unit.publish(&ShipmentScheduled { order, shipment_id: shipment.shipment_id }))
}

#[cfg(test)]
mod tests;
