//! What becomes of DynamoDB's refusals, throttling and partial answers: the SDK's client against a scripted server.

mod reads;
mod refusals;
mod writes;

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, TimeDelta, Utc};
use onceward::{Action, Claim, Commit, Condition, Key, Lease, LedgerKey, Operation, Origin};

use super::DynamoDbLedger;
use crate::scripted::Scripted;

const LEDGER: &str = "stack-ledger-1";
const ORDERS: &str = "stack-orders-1";

/// A server, and a ledger that takes it for DynamoDB.
async fn start() -> (Scripted, DynamoDbLedger) {
    let server = Scripted::start().await;
    let ledger = ledger(&server.config().await);
    (server, ledger)
}

fn ledger(config: &aws_config::SdkConfig) -> DynamoDbLedger {
    let tables = HashMap::from([("orders".to_owned(), ORDERS.to_owned())]);
    DynamoDbLedger::new(Client::new(config), LEDGER, tables)
}

fn key(name: &str) -> LedgerKey {
    LedgerKey { function: "f".to_owned(), idempotency_key: name.to_owned() }
}

fn order(id: &str, operation: Operation, condition: Condition) -> Action {
    Action { table: "orders", key: Key::new("order_id", id), operation, condition }
}

/// A commit of these actions; without any it is a PutItem.
fn commit(actions: impl Into<Vec<Action>>) -> Commit {
    Commit {
        key: key("k"),
        commit_id: "commit-1".to_owned(),
        origin: Origin::default(),
        owner: None,
        actions: actions.into(),
        events: Vec::new(),
        answer: None,
        committed_at: now(),
        expires_at: now() + TimeDelta::days(15),
    }
}

fn claim() -> Claim {
    let expires_at = now() + TimeDelta::seconds(5);
    let lease = Lease { owner: "owner-1".to_owned(), origin: Origin::default(), expires_at };
    Claim { key: key("k"), lease, now: now(), expires_at: now() + TimeDelta::days(15) }
}

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_000)
}
