//! Loyalty points: every confirmed order earns some.

use onceward::{Context, Entity, Event, Function, HandlerError, HandlerResult, Key, UnitOfWork, Update, all};
use serde::{Deserialize, Serialize};

/// How many cents earn one point.
const CENTS_PER_POINT: i64 = 100;

/// What the handler reacts to: of the other context's event, the fields it needs.
#[derive(Debug, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// Whose order it is.
    pub customer_id: String,
    /// In cents.
    pub total: i64,
}

impl Event for OrderConfirmed {
    const TYPE: &'static str = "order.confirmed";

    fn subject(&self) -> String {
        self.customer_id.clone()
    }
}

/// What it tells others.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsAwarded {
    /// To whom.
    pub customer_id: String,
    /// How many.
    pub points: i64,
}

impl Event for PointsAwarded {
    const TYPE: &'static str = "points.awarded";

    fn subject(&self) -> String {
        self.customer_id.clone()
    }
}

/// A row of the table `accounts`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub customer_id: String,
    /// All points so far.
    pub points: i64,
}

impl Account {
    /// Where a customer's row is.
    pub fn key_of(customer_id: &str) -> Key {
        Key::new("customer_id", customer_id)
    }
}

impl Entity for Account {
    const TABLE: &'static str = "accounts";

    fn key(&self) -> Key {
        Self::key_of(&self.customer_id)
    }
}

/// The Lambda function: a value that `main`, the tests and the local cloud run.
pub fn function() -> Function {
    let function = Function::new("award-points").source("loyalty");
    function.writes::<Account>().publishes::<PointsAwarded>().on(award_points)
}

/// Awards a point for each full unit of currency.
pub async fn award_points(order: OrderConfirmed, _context: Context) -> HandlerResult {
    if order.total < 0 {
        return Err(HandlerError::invalid("total", "must not be negative"));
    }
    let points = order.total / CENTS_PER_POINT;
    let account = Account::key_of(&order.customer_id);
    let award = UnitOfWork::new().update::<Account>(account, Update::new().add("points", points), all([]));
    Ok(award.publish(&PointsAwarded { customer_id: order.customer_id, points }))
}
