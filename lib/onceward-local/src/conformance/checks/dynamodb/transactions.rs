//! Transactions.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE, Table, VALIDATION, key};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, same};
use crate::conformance::request::{DYNAMODB, Reply};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const WRITE: &str = "APIReference/API_TransactWriteItems.html";
const GET: &str = "APIReference/API_TransactGetItems.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("transaction-all", "Put, Update, Delete and ConditionCheck of a transaction happen together", WRITE, all)
        .add("transaction-nothing", "If one condition fails, nothing of the transaction happens", WRITE, nothing)
        .add(
            "cancellation-reasons",
            "CancellationReasons has an entry for each action, in their order, None where nothing was wrong",
            "APIReference/API_CancellationReason.html",
            reasons,
        )
        .add(
            "cancellation-item",
            "With ReturnValuesOnConditionCheckFailure ALL_OLD a reason carries the item",
            "APIReference/API_CancellationReason.html",
            reason_item,
        )
        .add("request-token", "A transaction repeated with its ClientRequestToken happens once", WRITE, token)
        .add(
            "request-token-mismatch",
            "Another transaction with the same token is refused with IdempotentParameterMismatchException",
            WRITE,
            mismatch,
        )
        .add("transaction-same-item", "Two actions on one item are refused", WRITE, same_item)
        .add("transaction-actions-max", "More than 100 actions are refused", WRITE, actions_max)
        .add("transaction-size", "Items of more than 4 MB together are refused", WRITE, size)
        .add("transaction-capacity", "A transactional write costs twice the units", WRITE, capacity)
        .add("transact-get", "TransactGetItems answers in the order asked, with {} for what is not there", GET, get)
        .add("transact-get-max", "More than 100 items are refused", GET, get_max)
        .done()
}

async fn write(session: &Session, actions: Value) -> Result<Value, Finding> {
    session.call(DYNAMODB, "TransactWriteItems", json!({ "TransactItems": actions })).await
}

async fn cancelled(session: &Session, actions: Value) -> Result<Reply, Finding> {
    session
        .refuse(DYNAMODB, "TransactWriteItems", json!({ "TransactItems": actions }), "TransactionCanceledException")
        .await
}

fn put(table: &Table, pk: &str) -> Value {
    json!({"Put": {"TableName": table.name, "Item": key(pk)}})
}

fn put_once(table: &Table, pk: &str) -> Value {
    let condition = "attribute_not_exists(pk)";
    json!({"Put": {"TableName": table.name, "Item": key(pk), "ConditionExpression": condition}})
}

fn count(table: &Table, pk: &str) -> Value {
    json!({"Update": {
        "TableName": table.name, "Key": key(pk), "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }})
}

async fn all(session: Session) -> Outcome {
    let (table, other) = (Table::simple(&session).await?, Table::simple(&session).await?);
    table.put(key("old")).await?;
    table.put(key("checked")).await?;
    let check = json!({"ConditionCheck": {
        "TableName": table.name, "Key": key("checked"), "ConditionExpression": "attribute_exists(pk)",
    }});
    let delete = json!({"Delete": {"TableName": table.name, "Key": key("old")}});
    write(&session, json!([put(&other, "1"), count(&table, "2"), delete, check])).await?;
    same("what was put", other.get("1").await?, key("1"))?;
    same("what was updated", &table.get("2").await?["n"], &json!({"N": "1"}))?;
    same("what was deleted", table.get("old").await?, Value::Null)
}

async fn nothing(session: Session) -> Outcome {
    let (table, other) = (Table::simple(&session).await?, Table::simple(&session).await?);
    table.put(key("there")).await?;
    cancelled(&session, json!([put(&other, "1"), count(&table, "2"), put_once(&table, "there")])).await?;
    same("what was put", other.get("1").await?, Value::Null)?;
    same("what was updated", table.get("2").await?, Value::Null)
}

async fn reasons(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key("a")).await?;
    table.put(key("c")).await?;
    let actions = json!([put_once(&table, "a"), put_once(&table, "b"), put_once(&table, "c")]);
    let reply = cancelled(&session, actions).await?.json();
    let reasons = reply["CancellationReasons"].as_array().cloned().unwrap_or_default();
    let codes: Vec<_> = reasons.iter().map(|reason| text(&reason["Code"])).collect();
    same("the codes", codes, vec!["ConditionalCheckFailed", "None", "ConditionalCheckFailed"])
}

async fn reason_item(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "a"}, "n": {"N": "7"}});
    table.put(item.clone()).await?;
    let mut action = put_once(&table, "a");
    action["Put"]["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    let reply = cancelled(&session, json!([put(&table, "b"), action])).await?.json();
    same("Item", &reply["CancellationReasons"][1]["Item"], &item)
}

async fn token(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = json!({"TransactItems": [count(&table, "1")], "ClientRequestToken": session.name()});
    session.call(DYNAMODB, "TransactWriteItems", request.clone()).await?;
    session.call(DYNAMODB, "TransactWriteItems", request).await?;
    same("the count", &table.get("1").await?["n"], &json!({"N": "1"}))
}

async fn mismatch(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let token = session.name();
    let request = |pk: &str| json!({"TransactItems": [count(&table, pk)], "ClientRequestToken": token});
    session.call(DYNAMODB, "TransactWriteItems", request("1")).await?;
    let code = "IdempotentParameterMismatchException";
    session.refuse(DYNAMODB, "TransactWriteItems", request("2"), code).await.map(drop)
}

async fn refused(session: &Session, actions: Vec<Value>) -> Outcome {
    session.refuse(DYNAMODB, "TransactWriteItems", json!({ "TransactItems": actions }), VALIDATION).await.map(drop)
}

async fn same_item(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    refused(&session, vec![put(&table, "1"), count(&table, "1")]).await
}

async fn actions_max(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let puts = |count: usize| (0..count).map(|number| put(&table, &number.to_string())).collect::<Vec<_>>();
    write(&session, puts(100).into()).await?;
    refused(&session, puts(101)).await
}

async fn size(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let large = |number: usize| json!({"pk": {"S": number.to_string()}, "a": {"S": "x".repeat(400_000)}});
    let puts = (0..11).map(|number| json!({"Put": {"TableName": table.name, "Item": large(number)}}));
    refused(&session, puts.collect()).await
}

async fn capacity(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = json!({"TransactItems": [put(&table, "1")], "ReturnConsumedCapacity": "TOTAL"});
    let answer = session.call(DYNAMODB, "TransactWriteItems", request).await?;
    same("CapacityUnits", answer["ConsumedCapacity"][0]["CapacityUnits"].as_f64(), Some(2.0))
}

async fn get(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key("1")).await?;
    table.put(key("3")).await?;
    let gets: Vec<_> =
        ["3", "2", "1"].iter().map(|pk| json!({"Get": {"TableName": table.name, "Key": key(pk)}})).collect();
    let answer = session.call(DYNAMODB, "TransactGetItems", json!({ "TransactItems": gets })).await?;
    same("Responses", &answer["Responses"], &json!([{"Item": key("3")}, {}, {"Item": key("1")}]))
}

async fn get_max(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let gets: Vec<_> =
        (0..101).map(|pk| json!({"Get": {"TableName": table.name, "Key": key(&pk.to_string())}})).collect();
    session.refuse(DYNAMODB, "TransactGetItems", json!({ "TransactItems": gets }), VALIDATION).await.map(drop)
}
