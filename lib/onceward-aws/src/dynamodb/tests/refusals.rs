use onceward::{Ledger as _, Store as _, present};

use super::*;
use crate::scripted::{Answer, chain};

const ROLE: &str = "arn:aws:sts::123456789012:assumed-role/place-order/place-order";

fn arn(table: &str) -> String {
    format!("arn:aws:dynamodb:eu-central-1:123456789012:table/{table}")
}

/// A refusal in IAM's words.
fn denied(action: &str, resource: &str) -> Answer {
    let because = format!("because no identity-based policy allows the {action} action");
    let message = format!("User: {ROLE} is not authorized to perform: {action} on resource: {resource} {because}");
    Answer::error(400, "AccessDeniedException", &message)
}

async fn delete_order(ledger: &DynamoDbLedger) -> String {
    let error = ledger.commit(&commit([order("o1", Operation::Delete, present())])).await.unwrap_err();
    assert!(!error.transient, "{}", chain(&error));
    chain(&error)
}

#[tokio::test]
async fn a_table_that_does_not_exist_is_named_with_its_variable_and_what_to_do() {
    let (server, ledger) = start().await;
    let missing = Answer::error(400, "ResourceNotFoundException", "Requested resource not found");
    for operation in ["PutItem", "GetItem", "Query", "BatchGetItem", "TransactWriteItems"] {
        server.answer(operation, [missing.clone()]);
    }
    let missing = |tables: &str| {
        format!(
            "failed: {tables} does not exist in this account and region: deploy it, or correct its name in the \
             template: ResourceNotFoundException: Requested resource not found (request REQUEST-1)"
        )
    };
    let row = Key::new("order_id", "o1");
    let (orders, ledgers) = ("the table stack-orders-1 (ORDERS_TABLE)", "the table stack-ledger-1 (LEDGER_TABLE)");
    let read = ledger.load("orders", &row).await.unwrap_err();
    assert_eq!(chain(&read), format!("GetItem on table `orders` {}", missing(orders)));
    let read = ledger.query("orders", &row, 10).await.unwrap_err();
    assert_eq!(chain(&read), format!("Query on table `orders` {}", missing(orders)));
    let found = ledger.find(&[key("k")]).await.unwrap_err();
    assert_eq!(chain(&found), format!("the ledger's BatchGetItem {}", missing(ledgers)));
    let put = ledger.commit(&commit([])).await.unwrap_err();
    assert_eq!(chain(&put), format!("the ledger's PutItem {}", missing(ledgers)));
    let one_of = format!("one of {ledgers}, {orders}");
    assert_eq!(delete_order(&ledger).await, format!("the ledger's TransactWriteItems {}", missing(&one_of)));
}

#[tokio::test]
async fn what_is_not_allowed_is_named_by_action_and_table() {
    let (server, ledger) = start().await;
    server.answer("GetItem", [denied("dynamodb:GetItem", &arn(ORDERS))]);
    server.answer("PutItem", [Answer::error(400, "AccessDeniedException", "No.")]);
    server.answer("TransactWriteItems", [denied("dynamodb:DeleteItem", &arn(ORDERS))]);
    let read = chain(&ledger.load("orders", &Key::new("order_id", "o1")).await.unwrap_err());
    let allowed = "is not allowed: allow it in the function's role: AccessDeniedException: ";
    let orders = "the table stack-orders-1 (ORDERS_TABLE)";
    let start = format!("GetItem on table `orders` failed: dynamodb:GetItem on {orders} {allowed}User: {ROLE} is not");
    assert!(read.starts_with(&start), "{read}");
    let put = chain(&ledger.commit(&commit([])).await.unwrap_err());
    assert_eq!(
        put,
        format!(
            "the ledger's PutItem failed: dynamodb:PutItem on the table stack-ledger-1 (LEDGER_TABLE) {allowed}No. \
             (request REQUEST-1)"
        )
    );
    let transaction = delete_order(&ledger).await;
    let start = format!("the ledger's TransactWriteItems failed: dynamodb:DeleteItem on {orders} {allowed}");
    assert!(transaction.starts_with(&start), "{transaction}");
}

#[tokio::test]
async fn a_key_that_the_role_may_not_use_is_named_and_not_the_table() {
    let (server, ledger) = start().await;
    let key = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd";
    server.answer("GetItem", [denied("kms:Decrypt", key)]);
    let read = chain(&ledger.load("orders", &Key::new("order_id", "o1")).await.unwrap_err());
    assert!(read.contains(&format!("failed: kms:Decrypt on {key} is not allowed")), "{read}");
}

#[tokio::test]
async fn credentials_that_are_refused_are_said_to_be() {
    for (code, said) in [
        ("ExpiredTokenException", "failed: the credentials have expired: "),
        ("UnrecognizedClientException", "failed: AWS does not accept the credentials: "),
        ("InvalidSignatureException", "failed: AWS does not accept the credentials: "),
    ] {
        let (server, ledger) = start().await;
        server.answer("TransactWriteItems", [Answer::error(400, code, "The security token is wrong")]);
        let text = delete_order(&ledger).await;
        assert!(text.contains(said) && text.contains(&format!("{code}: The security token")), "{text}");
    }
}

#[tokio::test]
async fn a_table_without_a_variable_is_named_without_any_call() {
    let (_, ledger) = start().await;
    let error = ledger.load("order-lines", &Key::new("order_id", "o1")).await.unwrap_err();
    assert!(chain(&error).ends_with("set the environment variable ORDER_LINES_TABLE to its name"), "{}", chain(&error));
}
