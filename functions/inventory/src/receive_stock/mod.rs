//! Adds goods to the stock.

use contracts::{GoodsReceived, StockReceived};
use onceward::{Context, Function, HandlerError, HandlerResult, UnitOfWork, Update, all};

use crate::{SOURCE, Stock};

/// The Lambda function.
pub fn function() -> Function {
    let function = Function::new("receive-stock").source(SOURCE);
    function.writes::<Stock>().publishes::<StockReceived>().on(receive_stock)
}

/// Makes the goods available.
pub async fn receive_stock(goods: GoodsReceived, _context: Context) -> HandlerResult {
    if goods.product_id.is_empty() {
        return Err(HandlerError::invalid("product_id", "must not be empty"));
    }
    if goods.quantity == 0 {
        return Err(HandlerError::invalid("quantity", "must be at least 1"));
    }
    let more = Update::new()
        .set("product_id", &goods.product_id)
        .add("available", i64::from(goods.quantity))
        .add("reserved", 0);
    let unit = UnitOfWork::new().update::<Stock>(Stock::key_of(&goods.product_id), more, all([]));
    Ok(unit.publish(&StockReceived { product_id: goods.product_id, quantity: goods.quantity }))
}

#[cfg(test)]
mod tests;
