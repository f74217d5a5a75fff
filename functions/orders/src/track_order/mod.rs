//! Writes an order's timeline from what the other contexts publish.

use contracts::{
    ConfirmationSent, PaymentAuthorized, PaymentDeclined, ShipmentScheduled, StockRejected, StockReleased,
    StockReserved,
};
use onceward::{Context, Event, Function, HandlerResult, UnitOfWork, absent};

use crate::{SOURCE, TimelineEntry};

/// The Lambda function.
pub fn function() -> Function {
    Function::new("track-order")
        .source(SOURCE)
        .writes::<TimelineEntry>()
        .on(track::<StockReserved>)
        .on(track::<StockRejected>)
        .on(track::<StockReleased>)
        .on(track::<PaymentAuthorized>)
        .on(track::<PaymentDeclined>)
        .on(track::<ShipmentScheduled>)
        .on(track::<ConfirmationSent>)
}

/// Notes that the event happened, at the time it happened.
pub async fn track<E: Event>(event: E, context: Context) -> HandlerResult {
    let happened = context.event();
    let entry = TimelineEntry::of::<E>(&event.subject(), happened.time, &happened.id);
    Ok(UnitOfWork::new().put(&entry, absent()))
}

#[cfg(test)]
mod tests;
