//! What this module adds to the crate, and that its errors reach the wire.

use serde_json::{Value, json};

use super::*;

fn database() -> DynamoDb {
    DynamoDb::new(Account::new("eu-west-1", "http://127.0.0.1:4566")).unwrap()
}

fn run(database: &DynamoDb, action: &str, body: &Value) -> Value {
    match database.execute(action, body.to_string().as_bytes()) {
        Ok(answer) => serde_json::from_slice(&answer).unwrap(),
        Err(failure) => panic!("{action}: {failure}"),
    }
}

fn refuse(database: &DynamoDb, action: &str, body: &Value) -> DynamoDbFailure {
    database.execute(action, body.to_string().as_bytes()).unwrap_err()
}

fn create(database: &DynamoDb, table: &str) -> Value {
    run(
        database,
        "CreateTable",
        &json!({
            "TableName": table,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        }),
    )
}

fn put(database: &DynamoDb, table: &str, key: &str) {
    run(database, "PutItem", &json!({"TableName": table, "Item": {"pk": {"S": key}, "expires_at": {"N": "1"}}}));
}

/// Every record of the table's stream, read as boto3 does.
fn stream(database: &DynamoDb, table: &str) -> Vec<Value> {
    let streams = run(database, "ListStreams", &json!({"TableName": table}));
    let arn = &streams["Streams"][0]["StreamArn"];
    let described = run(database, "DescribeStream", &json!({"StreamArn": arn}));
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    assert!(shard.as_str().unwrap().len() >= 28, "boto3 refuses {shard}");
    let range = &described["StreamDescription"]["Shards"][0]["SequenceNumberRange"];
    assert!(range["StartingSequenceNumber"].is_string() && range["EndingSequenceNumber"].is_null(), "{range}");
    let iterator = run(
        database,
        "GetShardIterator",
        &json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}),
    );
    let answer = run(database, "GetRecords", &json!({"ShardIterator": iterator["ShardIterator"]}));
    answer["Records"].as_array().unwrap().clone()
}

#[test]
fn arns_name_the_accounts_region() {
    let database = database();
    let created = create(&database, "orders");
    let arn = created["TableDescription"]["TableArn"].as_str().unwrap();
    assert_eq!(arn, "arn:aws:dynamodb:eu-west-1:000000000000:table/orders");
    let stream_arn = created["TableDescription"]["LatestStreamArn"].as_str().unwrap();
    assert!(stream_arn.starts_with("arn:aws:dynamodb:eu-west-1:000000000000:table/orders/stream/"), "{stream_arn}");

    create(&database, "stock-levels");
    let first = run(&database, "ListStreams", &json!({"Limit": 1}));
    let next = run(&database, "ListStreams", &json!({"ExclusiveStartStreamArn": first["LastEvaluatedStreamArn"]}));
    assert_eq!(next["Streams"][0]["TableName"], "stock-levels");
}

#[test]
fn a_short_tables_stream_can_be_read() {
    let database = database();
    create(&database, "abc");
    put(&database, "abc", "1");
    let records = stream(&database, "abc");
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["awsRegion"], "eu-west-1");
    assert_eq!(records[0]["dynamodb"]["NewImage"]["pk"]["S"], "1");
    let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/abc/stream/latest";
    let request = json!({"StreamArn": arn, "ShardId": "shardId-other", "ShardIteratorType": "LATEST"});
    assert_eq!(refuse(&database, "GetShardIterator", &request).code(), "ResourceNotFoundException");
}

#[test]
fn a_table_may_be_named_by_its_arn() {
    let database = database();
    create(&database, "orders");
    let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders";
    put(&database, arn, arn);
    let got = run(&database, "GetItem", &json!({"TableName": arn, "Key": {"pk": {"S": arn}}}));
    assert_eq!(got["Item"]["pk"]["S"], arn, "what an item says is not renamed");
    let write = json!({"Put": {"TableName": arn, "Item": {"pk": {"S": "b"}}}});
    run(&database, "TransactWriteItems", &json!({"TransactItems": [write]}));
    let keys = json!({"Keys": [{"pk": {"S": "b"}}]});
    let batch = run(&database, "BatchGetItem", &json!({"RequestItems": {arn: keys}}));
    assert_eq!(batch["Responses"], json!({arn: [{"pk": {"S": "b"}}]}));
    assert_eq!(run(&database, "DescribeTable", &json!({"TableName": arn}))["Table"]["TableName"], "orders");
    let elsewhere = json!({"TableName": arn.replace("eu-west-1", "eu-west-2"), "Key": {"pk": {"S": "b"}}});
    assert_eq!(refuse(&database, "GetItem", &elsewhere).code(), "ValidationException");
}

#[test]
fn a_sweep_expires_items_and_says_so_in_the_stream() {
    let database = database();
    create(&database, "ledger-records");
    put(&database, "ledger-records", "old");
    let specification = json!({"AttributeName": "expires_at", "Enabled": true});
    run(
        &database,
        "UpdateTimeToLive",
        &json!({"TableName": "ledger-records", "TimeToLiveSpecification": specification}),
    );
    let mut changes = database.changes();
    changes.mark_unchanged();
    assert_eq!(database.sweep().unwrap(), 1);
    assert!(changes.has_changed().unwrap());
    let records = stream(&database, "ledger-records");
    assert_eq!(records[1]["eventName"], "REMOVE");
    assert_eq!(records[1]["userIdentity"]["principalId"], "dynamodb.amazonaws.com");
}

#[test]
fn a_write_that_changes_nothing_makes_no_record() {
    let database = database();
    create(&database, "orders");
    let item = json!({
        "pk": {"S": "1"}, "a": {"N": "1"}, "b": {"M": {"x": {"L": [{"S": "y"}]}, "z": {"BOOL": true}}}, "c": {"NULL": true},
    });
    for _ in 0..5 {
        run(&database, "PutItem", &json!({"TableName": "orders", "Item": item}));
    }
    let update = json!({
        "TableName": "orders", "Key": {"pk": {"S": "1"}}, "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": {"N": "1"}},
    });
    run(&database, "UpdateItem", &update);
    let mut changed = item.clone();
    changed["b"]["M"]["x"]["L"][0] = json!({"S": "z"});
    run(&database, "PutItem", &json!({"TableName": "orders", "Item": changed}));
    let names: Vec<_> = stream(&database, "orders").iter().map(|record| record["eventName"].clone()).collect();
    assert_eq!(names, ["INSERT", "MODIFY"]);
}

#[test]
fn writes_wake_and_reads_do_not() {
    let database = database();
    create(&database, "orders");
    let mut changes = database.changes();
    run(&database, "Scan", &json!({"TableName": "orders"}));
    assert!(!changes.has_changed().unwrap());
    put(&database, "orders", "1");
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
}

#[test]
fn errors_have_dynamodbs_codes() {
    let database = database();
    create(&database, "orders");
    put(&database, "orders", "1");
    let mut again = json!({"TableName": "orders", "Item": {"pk": {"S": "1"}}});
    again["ConditionExpression"] = "attribute_not_exists(pk)".into();
    assert_eq!(refuse(&database, "PutItem", &again).code(), "ConditionalCheckFailedException");
    let twice = json!({"TransactItems": [{"Put": again}]});
    let canceled = refuse(&database, "TransactWriteItems", &twice);
    assert_eq!(canceled.code(), "TransactionCanceledException");
    assert!(canceled.body.contains(r#""CancellationReasons":[{"Code":"ConditionalCheckFailed""#), "{canceled}");
    let missing = json!({"TableName": "missing", "Key": {"pk": {"S": "1"}}});
    assert_eq!(refuse(&database, "GetItem", &missing).code(), "ResourceNotFoundException");
    assert_eq!(refuse(&database, "PutItem", &json!({})).code(), "ValidationException");
    assert_eq!(refuse(&database, "Restore", &json!({})).code(), "UnknownOperationException");
    let broken = database.execute("PutItem", b"{\xff").unwrap_err();
    assert_eq!((broken.status, broken.code().as_str()), (400, "SerializationException"));
}

#[test]
fn two_databases_share_nothing() {
    let (one, other) = (database(), database());
    create(&one, "orders");
    assert_eq!(run(&other, "ListTables", &json!({}))["TableNames"], json!([]));
}

/// Fails when [`STREAM_INDEX`] no longer fits the crate's queries: `SQLite` would fall back to reading the whole stream.
#[test]
fn the_streams_index_is_used() {
    let memory = format!("file:onceward-{}?mode=memory&cache=shared", uuid::Uuid::new_v4());
    let storage = Storage::new(&memory).unwrap();
    storage.conn().execute_batch(STREAM_INDEX).unwrap();
    let queries = [
        "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1",
        "SELECT event_name FROM _stream_records WHERE table_name = ?1 AND shard_id = ?2 \
         AND CAST(sequence_number AS INTEGER) > ?3 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT ?4",
    ];
    for query in queries {
        let mut statement = storage.conn().prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
        let mut rows = statement.raw_query();
        let plan: String = rows.next().unwrap().unwrap().get(3).unwrap();
        assert!(plan.contains("onceward_stream_position"), "{query}: {plan}");
        assert!(rows.next().unwrap().is_none(), "{query} sorts");
    }
}
