use chrono::{DateTime, SecondsFormat, Utc};
use onceward::{Entity, Event, Key};
use serde::{Deserialize, Serialize};

/// One thing that happened to an order: a row of its own, so that nobody waits for anybody to write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Which order.
    pub order_id: String,
    /// When, RFC 3339 in UTC with milliseconds: sorts as text.
    pub at: String,
    /// The event's type without its version: `stock.reserved`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Tells entries of the same millisecond apart.
    pub event_id: String,
}

impl TimelineEntry {
    /// An entry for an event of type `E`.
    pub fn of<E: Event>(order_id: &str, at: DateTime<Utc>, event_id: &str) -> Self {
        Self {
            order_id: order_id.to_owned(),
            at: at.to_rfc3339_opts(SecondsFormat::Millis, true),
            event_type: E::TYPE.to_owned(),
            event_id: event_id.to_owned(),
        }
    }

    /// All entries of an order begin like this.
    pub fn prefix(order_id: &str) -> Key {
        Key::new("order_id", order_id).sort("entry", "timeline#")
    }
}

impl Entity for TimelineEntry {
    const TABLE: &'static str = "orders";

    fn key(&self) -> Key {
        Key::new("order_id", &self.order_id).sort("entry", format!("timeline#{}#{}", self.at, self.event_id))
    }
}
