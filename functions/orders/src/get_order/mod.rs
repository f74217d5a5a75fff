//! `GET /orders/{id}`: what has become of an order.

use contracts::OrderLine;
use onceward::{Context, Query, QueryResult};
use serde::Serialize;

use crate::{OrderRow, Status, TimelineEntry};

/// The answer.
#[derive(Debug, Serialize)]
pub struct OrderView {
    order_id: String,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    total: i64,
    currency: String,
    lines: Vec<OrderLine>,
    timeline: Vec<TimelineView>,
}

#[derive(Debug, Serialize)]
struct TimelineView {
    at: String,
    #[serde(rename = "type")]
    event_type: String,
}

/// The Lambda function.
pub fn function() -> Query {
    Query::new("get-order", "id", get_order).reads::<OrderRow>()
}

/// Reads the order and its timeline.
pub async fn get_order(order_id: String, context: Context) -> QueryResult<OrderView> {
    let Some(row) = context.load::<OrderRow>(&OrderRow::key_of(&order_id)).await? else { return Ok(None) };
    let entries = context.query::<TimelineEntry>(&TimelineEntry::prefix(&order_id)).await?;
    let timeline = entries.into_iter().map(|entry| TimelineView { at: entry.at, event_type: entry.event_type });
    Ok(Some(OrderView {
        order_id,
        status: row.status,
        reason: row.reason,
        total: row.order.total,
        currency: row.order.currency,
        lines: row.order.lines,
        timeline: timeline.collect(),
    }))
}

#[cfg(test)]
mod tests;
