//! Batches.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE, Table, VALIDATION, key};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::request::DYNAMODB;
use crate::conformance::session::Session;

const WRITE: &str = "APIReference/API_BatchWriteItem.html";
const GET: &str = "APIReference/API_BatchGetItem.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("batch-write", "BatchWriteItem puts and deletes", WRITE, write)
        .add("batch-write-max", "BatchWriteItem takes at most 25 requests", WRITE, write_max)
        .add("batch-write-duplicates", "BatchWriteItem refuses two requests for one item", WRITE, write_duplicates)
        .add("batch-get", "BatchGetItem answers the items that exist", GET, get)
        .add("batch-get-max", "BatchGetItem takes at most 100 keys", GET, get_max)
        .add("batch-get-duplicates", "BatchGetItem refuses the same key twice", GET, get_duplicates)
        .done()
}

fn puts(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({"PutRequest": {"Item": key(&number.to_string())}})).collect()
}

fn keys(count: usize) -> Vec<Value> {
    (0..count).map(|number| key(&number.to_string())).collect()
}

async fn write(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key("old")).await?;
    let requests = [puts(2), vec![json!({"DeleteRequest": {"Key": key("old")}})]].concat();
    let answer = session.call(DYNAMODB, "BatchWriteItem", json!({"RequestItems": {&table.name: requests}})).await?;
    same("UnprocessedItems", &answer["UnprocessedItems"], &json!({}))?;
    same("what was put", table.get("1").await?, key("1"))?;
    same("what was deleted", table.get("old").await?, Value::Null)
}

async fn write_max(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    session.call(DYNAMODB, "BatchWriteItem", json!({"RequestItems": {&table.name: puts(25)}})).await?;
    let more = json!({"RequestItems": {&table.name: puts(26)}});
    session.refuse(DYNAMODB, "BatchWriteItem", more, VALIDATION).await.map(drop)
}

async fn write_duplicates(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let requests = [puts(1), puts(1)].concat();
    let request = json!({"RequestItems": {&table.name: requests}});
    session.refuse(DYNAMODB, "BatchWriteItem", request, VALIDATION).await.map(drop)
}

async fn get(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key("1")).await?;
    let request = json!({"RequestItems": {&table.name: {"Keys": keys(3)}}});
    let answer = session.call(DYNAMODB, "BatchGetItem", request).await?;
    same("UnprocessedKeys", &answer["UnprocessedKeys"], &json!({}))?;
    same("the items", &answer["Responses"][&table.name], &json!([key("1")]))
}

async fn get_max(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = |count| json!({"RequestItems": {&table.name: {"Keys": keys(count)}}});
    session.call(DYNAMODB, "BatchGetItem", request(100)).await?;
    session.refuse(DYNAMODB, "BatchGetItem", request(101), VALIDATION).await.map(drop)
}

async fn get_duplicates(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = json!({"RequestItems": {&table.name: {"Keys": [key("1"), key("1")]}}});
    session.refuse(DYNAMODB, "BatchGetItem", request, VALIDATION).await.map(drop)
}
