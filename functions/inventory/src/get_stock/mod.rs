//! `GET /stock/{product_id}`: how much of a product there is.

use onceward::{Context, Query, QueryResult};

use crate::Stock;

/// The Lambda function.
pub fn function() -> Query {
    Query::new("get-stock", "product_id", get_stock).reads::<Stock>()
}

/// Reads the product's row.
pub async fn get_stock(product_id: String, context: Context) -> QueryResult<Stock> {
    context.load::<Stock>(&Stock::key_of(&product_id)).await
}

#[cfg(test)]
mod tests;
