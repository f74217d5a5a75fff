//! `POST /orders`: takes an order in.

mod validate;

use contracts::{Address, Order, OrderLine, OrderPlaced};
use onceward::{Command, Context, HandlerResult, UnitOfWork, absent};
use serde::{Deserialize, Serialize};

use crate::{OrderRow, SOURCE, Status, TimelineEntry};

/// The request's body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    customer_id: String,
    currency: String,
    payment_token: String,
    lines: Vec<OrderLine>,
    shipping_address: Address,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Placed<'a> {
    order_id: &'a str,
    status: Status,
}

/// The Lambda function.
pub fn function() -> Command {
    Command::new("place-order", place_order).source(SOURCE).writes::<OrderRow>().publishes::<OrderPlaced>()
}

/// Checks the order and puts it on record; everything else follows from its event.
pub async fn place_order(command: PlaceOrder, context: Context) -> HandlerResult {
    let total = command.validate()?;
    let order = Order {
        order_id: context.new_id("ord"),
        customer_id: command.customer_id,
        currency: command.currency,
        total,
        payment_token: command.payment_token,
        lines: command.lines,
        shipping_address: command.shipping_address,
    };
    let entry = TimelineEntry::of::<OrderPlaced>(&order.order_id, context.now(), &context.event().id);
    let row = OrderRow { order: order.clone(), status: Status::Placed, reason: None, version: 1 };
    let answer = Placed { order_id: &order.order_id, status: row.status };
    let unit = UnitOfWork::new().put(&row, absent()).put(&entry, absent()).answer(&answer);
    Ok(unit.publish_at(&OrderPlaced { order: order.clone() }, row.version))
}

#[cfg(test)]
mod tests;
