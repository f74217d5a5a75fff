//! The function as Onceward runs it. [`floor`](../floor.rs) does the same by hand.

use std::process::ExitCode;

use contracts::{OrderConfirmed, OrderPlaced, StockReserved};
use onceward::{Context, Entity, Function, HandlerResult, Key, UnitOfWork, Update, at_least};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Stock {
    pk: String,
    available: i64,
    reserved: i64,
}

impl Entity for Stock {
    const TABLE: &'static str = "inventory";

    fn key(&self) -> Key {
        Key::new("pk", &self.pk)
    }
}

/// One row, no event.
async fn hand_over(event: OrderConfirmed, _context: Context) -> HandlerResult {
    let line = &event.order.lines[0];
    let key = Key::new("pk", format!("product#{}", line.product_id));
    let quantity = i64::from(line.quantity);
    let update = Update::new().subtract("reserved", quantity);
    Ok(UnitOfWork::new().update::<Stock>(key, update, at_least("reserved", quantity)))
}

/// One row, one event.
async fn reserve(event: OrderPlaced, _context: Context) -> HandlerResult {
    let line = &event.order.lines[0];
    let key = Key::new("pk", format!("product#{}", line.product_id));
    let quantity = i64::from(line.quantity);
    let update = Update::new().subtract("available", quantity).add("reserved", quantity);
    let unit = UnitOfWork::new().update::<Stock>(key, update, at_least("available", quantity));
    Ok(unit.publish(&StockReserved { order: event.order }))
}

fn main() -> ExitCode {
    // Cargo runs every benchmark; this one is of use to `overhead` alone.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return ExitCode::SUCCESS;
    }
    let function = Function::new("reserve-stock").source("inventory");
    onceward_aws::run(function.writes::<Stock>().publishes::<StockReserved>().on(reserve).on(hand_over))
}
