//! Streams.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE, Table, key};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, holds, same};
use crate::conformance::request::STREAMS;
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const STREAM: &str = "developerguide/Streams.html";
const RECORD: &str = "APIReference/API_streams_Record.html";
const ITERATOR: &str = "APIReference/API_streams_GetShardIterator.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("stream-records", "INSERT, MODIFY and REMOVE carry keys and images, in the order written", RECORD, records)
        .add("stream-keys-only", "A stream of KEYS_ONLY carries no image", STREAM, keys_only)
        .add("stream-new-image", "A stream of NEW_IMAGE carries no old image", STREAM, new_image)
        .add("stream-unchanged", "A write that changes nothing makes no record", STREAM, unchanged)
        .add("stream-transaction", "Each item of a transaction makes a record", STREAM, transaction)
        .add(
            "stream-sequence",
            "Sequence numbers grow, and AFTER_SEQUENCE_NUMBER goes on behind one",
            ITERATOR,
            sequence,
        )
        .add("stream-latest", "LATEST begins with what is written after it", ITERATOR, latest)
        .add(
            "stream-later",
            "UpdateTable turns a stream on, for what is written from then on",
            "APIReference/API_UpdateTable.html",
            later,
        )
        .add("list-streams", "ListStreams names a table's stream", "APIReference/API_streams_ListStreams.html", list)
        .add(
            "stream-off",
            "A table without a stream has no LatestStreamArn",
            "APIReference/API_TableDescription.html",
            off,
        )
        .done()
}

/// A table with a stream, and the stream's ARN.
async fn streaming(session: &Session, view: &str) -> Result<(Table, String), Finding> {
    let more = json!({"StreamSpecification": {"StreamEnabled": true, "StreamViewType": view}});
    let table = Table::with(session, false, more).await?;
    let described = table.call("DescribeTable", json!({})).await?;
    Ok((table, text(&described["Table"]["LatestStreamArn"])))
}

async fn iterator(session: &Session, arn: &str, kind: &str, after: Option<&Value>) -> Result<String, Finding> {
    let described = session.call(STREAMS, "DescribeStream", json!({"StreamArn": arn})).await?;
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    let mut request = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind});
    if let Some(number) = after {
        request["SequenceNumber"] = number.clone();
    }
    Ok(text(&session.call(STREAMS, "GetShardIterator", request).await?["ShardIterator"]))
}

/// At least `count` records from this iterator on.
async fn read(session: &Session, mut iterator: String, count: usize) -> Result<Vec<Value>, Finding> {
    let mut records = Vec::new();
    let poll = async || {
        let answer = session.call(STREAMS, "GetRecords", json!({"ShardIterator": iterator})).await?;
        records.extend(answer["Records"].as_array().cloned().unwrap_or_default());
        iterator = text(&answer["NextShardIterator"]);
        Ok((records.len() >= count).then(|| records.clone()))
    };
    session.eventually(&format!("{count} stream records"), poll).await
}

async fn all(session: &Session, arn: &str, count: usize) -> Result<Vec<Value>, Finding> {
    read(session, iterator(session, arn, "TRIM_HORIZON", None).await?, count).await
}

async fn records(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "NEW_AND_OLD_IMAGES").await?;
    let changed = json!({"pk": {"S": "1"}, "n": {"N": "2"}});
    table.put(key("1")).await?;
    table.put(changed.clone()).await?;
    table.call("DeleteItem", json!({"Key": key("1")})).await?;
    let records = all(&session, &arn, 3).await?;
    let names: Vec<_> = records.iter().map(|record| text(&record["eventName"])).collect();
    same("the events", names, vec!["INSERT", "MODIFY", "REMOVE"])?;
    let images: Vec<_> =
        records.iter().map(|it| [it["dynamodb"]["OldImage"].clone(), it["dynamodb"]["NewImage"].clone()]).collect();
    let expected = vec![[Value::Null, key("1")], [key("1"), changed.clone()], [changed, Value::Null]];
    same("the images", images, expected)?;
    same("Keys", &records[2]["dynamodb"]["Keys"], &key("1"))?;
    same("StreamViewType", text(&records[0]["dynamodb"]["StreamViewType"]), "NEW_AND_OLD_IMAGES")?;
    same("eventSource", text(&records[0]["eventSource"]), "aws:dynamodb")
}

async fn keys_only(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "KEYS_ONLY").await?;
    table.put(json!({"pk": {"S": "1"}, "n": {"N": "2"}})).await?;
    let record = &all(&session, &arn, 1).await?[0]["dynamodb"];
    same("Keys", &record["Keys"], &key("1"))?;
    same("images", [&record["OldImage"], &record["NewImage"]], [&Value::Null, &Value::Null])
}

async fn new_image(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "NEW_IMAGE").await?;
    table.put(json!({"pk": {"S": "1"}, "n": {"N": "1"}})).await?;
    table.put(key("1")).await?;
    let record = &all(&session, &arn, 2).await?[1]["dynamodb"];
    same("images", [&record["OldImage"], &record["NewImage"]], [&Value::Null, &key("1")])
}

async fn unchanged(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "NEW_AND_OLD_IMAGES").await?;
    table.put(key("1")).await?;
    table.put(key("1")).await?;
    table.put(key("2")).await?;
    let records = all(&session, &arn, 2).await?;
    let keys: Vec<_> = records.iter().map(|record| text(&record["dynamodb"]["Keys"]["pk"]["S"])).collect();
    same("the records' keys", keys, vec!["1", "2"])
}

async fn transaction(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "KEYS_ONLY").await?;
    let put = |pk: &str| json!({"Put": {"TableName": table.name, "Item": key(pk)}});
    let request = json!({"TransactItems": [put("1"), put("2")]});
    session.call(super::DYNAMODB, "TransactWriteItems", request).await?;
    let records = all(&session, &arn, 2).await?;
    let mut keys: Vec<_> = records.iter().map(|record| text(&record["dynamodb"]["Keys"]["pk"]["S"])).collect();
    keys.sort();
    same("the records' keys", keys, vec!["1", "2"])
}

async fn sequence(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "KEYS_ONLY").await?;
    for pk in ["1", "2", "3"] {
        table.put(key(pk)).await?;
    }
    let records = all(&session, &arn, 3).await?;
    let number = |record: &Value| text(&record["dynamodb"]["SequenceNumber"]).parse::<u128>().unwrap_or_default();
    let numbers: Vec<_> = records.iter().map(number).collect();
    holds(numbers.is_sorted_by(|one, next| one < next), format!("sequence numbers do not grow: {numbers:?}"))?;
    let after = iterator(&session, &arn, "AFTER_SEQUENCE_NUMBER", Some(&records[1]["dynamodb"]["SequenceNumber"]));
    let rest = read(&session, after.await?, 1).await?;
    same("the record behind the second", &rest[0]["dynamodb"]["Keys"], &key("3"))
}

async fn latest(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "KEYS_ONLY").await?;
    table.put(key("before")).await?;
    let latest = iterator(&session, &arn, "LATEST", None).await?;
    table.put(key("after")).await?;
    let records = read(&session, latest, 1).await?;
    same("the first record", &records[0]["dynamodb"]["Keys"], &key("after"))
}

async fn later(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key("before")).await?;
    let specification = json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"});
    table.call("UpdateTable", json!({ "StreamSpecification": specification })).await?;
    let enabled = async || {
        let described = table.call("DescribeTable", json!({})).await?["Table"].clone();
        Ok((described["TableStatus"] == "ACTIVE").then(|| text(&described["LatestStreamArn"])))
    };
    let arn = session.eventually("the table is ACTIVE again", enabled).await?;
    table.put(key("after")).await?;
    let records = all(&session, &arn, 1).await?;
    same("the first record", &records[0]["dynamodb"]["Keys"], &key("after"))
}

async fn list(session: Session) -> Outcome {
    let (table, arn) = streaming(&session, "KEYS_ONLY").await?;
    let listed = session.call(STREAMS, "ListStreams", json!({"TableName": table.name})).await?;
    same("StreamArn", text(&listed["Streams"][0]["StreamArn"]), arn)?;
    same("TableName", text(&listed["Streams"][0]["TableName"]), table.name)
}

async fn off(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let described = table.call("DescribeTable", json!({})).await?;
    same("LatestStreamArn", &described["Table"]["LatestStreamArn"], &Value::Null)
}
