//! Queries and scans.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE, Table, VALIDATION};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, same};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const QUERY: &str = "APIReference/API_Query.html";
const KEYS: &str = "developerguide/Query.KeyConditionExpressions.html";
const PAGES: &str = "developerguide/Query.Pagination.html";
const INDEXES: &str = "developerguide/GSI.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add(
            "key-conditions",
            "A query takes =, <, <=, >, >=, BETWEEN and begins_with on the sort key",
            KEYS,
            conditions,
        )
        .add("partition-needed", "A query without equality on the partition key is refused", KEYS, partition_needed)
        .add("query-order", "Items come in the order of the sort key, or backward", QUERY, order)
        .add("query-number-order", "Number keys are ordered as numbers, negative ones first", QUERY, number_order)
        .add("query-pages", "Limit and LastEvaluatedKey page through a query, each item once", PAGES, pages)
        .add(
            "query-filter",
            "A filter counts after Limit: ScannedCount tells what was read, Count what is answered",
            "developerguide/Query.FilterExpression.html",
            filter,
        )
        .add(
            "query-filter-key",
            "A filter on a key is refused",
            "developerguide/Query.FilterExpression.html",
            filter_key,
        )
        .add("query-count", "Select COUNT answers the number without the items", QUERY, count)
        .add("index-query", "A global secondary index is queried by its own key", INDEXES, index)
        .add("index-sparse", "Items without the index's key are not in the index", INDEXES, sparse)
        .add("index-consistent", "A consistent read of a global secondary index is refused", INDEXES, consistent)
        .add(
            "local-index",
            "A local secondary index orders a partition by another key, and is read consistently",
            "developerguide/LSI.html",
            local_index,
        )
        .add("query-page-size", "A page has at most 1 MB, whatever the limit", PAGES, page_size)
        .add(
            "scan-segments",
            "The segments of a parallel scan have each item once",
            "APIReference/API_Scan.html",
            segments,
        )
        .add(
            "partiql",
            "ExecuteStatement selects by key with parameters",
            "developerguide/ql-reference.select.html",
            partiql,
        )
        .done()
}

/// Ten items `0` to `9` below one partition, each with the number `n`.
async fn filled(session: &Session) -> Result<Table, Finding> {
    let table = Table::sorted(session).await?;
    for number in 0..10 {
        table.put(json!({"pk": {"S": "p"}, "sk": {"S": format!("s{number}")}, "n": {"N": number.to_string()}})).await?;
    }
    Ok(table)
}

fn sort_keys(answer: &Value) -> Vec<String> {
    answer["Items"].as_array().into_iter().flatten().map(|item| text(&item["sk"]["S"])).collect()
}

async fn query(table: &Table, condition: &str, values: &[(&str, &str)], more: Value) -> Result<Value, Finding> {
    let mut all = json!({":p": {"S": "p"}});
    for (name, value) in values {
        all[*name] = json!({ "S": value });
    }
    let mut request = json!({"KeyConditionExpression": condition, "ExpressionAttributeValues": all});
    if let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) {
        request.extend(more);
    }
    table.call("Query", request).await
}

/// A condition, its values, and the sort keys that it finds.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);

async fn conditions(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let cases: [Case; 6] = [
        ("pk = :p AND sk = :a", &[(":a", "s3")], &["s3"]),
        ("pk = :p AND sk < :a", &[(":a", "s2")], &["s0", "s1"]),
        ("pk = :p AND sk <= :a", &[(":a", "s1")], &["s0", "s1"]),
        ("pk = :p AND sk > :a", &[(":a", "s7")], &["s8", "s9"]),
        ("pk = :p AND sk BETWEEN :a AND :b", &[(":a", "s3"), (":b", "s5")], &["s3", "s4", "s5"]),
        ("pk = :p AND begins_with(sk, :a)", &[(":a", "s9")], &["s9"]),
    ];
    for (condition, values, expected) in cases {
        same(condition, sort_keys(&query(&table, condition, values, json!({})).await?), expected.to_vec())?;
    }
    Ok(())
}

async fn partition_needed(session: Session) -> Outcome {
    let table = filled(&session).await?;
    for condition in ["sk = :p", "pk > :p"] {
        let request = json!({"KeyConditionExpression": condition, "ExpressionAttributeValues": {":p": {"S": "p"}}});
        table.refuse("Query", request, VALIDATION).await?;
    }
    Ok(())
}

async fn order(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let backward = query(&table, "pk = :p", &[], json!({"ScanIndexForward": false, "Limit": 3})).await?;
    same("the last three", sort_keys(&backward), vec!["s9", "s8", "s7"])?;
    let forward = query(&table, "pk = :p", &[], json!({"Limit": 2})).await?;
    same("the first two", sort_keys(&forward), vec!["s0", "s1"])
}

async fn number_order(session: Session) -> Outcome {
    let more = json!({
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"},
        ],
    });
    let table = Table::with(&session, false, more).await?;
    for number in ["10", "9", "-2", "-10", "0.5"] {
        table.put(json!({"pk": {"S": "p"}, "at": {"N": number}})).await?;
    }
    let answer = query(&table, "pk = :p", &[], json!({})).await?;
    let numbers: Vec<_> = answer["Items"].as_array().into_iter().flatten().map(|item| text(&item["at"]["N"])).collect();
    same("the numbers", numbers, vec!["-10", "-2", "0.5", "9", "10"])
}

async fn pages(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let (mut all, mut more) = (Vec::new(), json!({"Limit": 4}));
    loop {
        let page = query(&table, "pk = :p", &[], more.clone()).await?;
        all.extend(sort_keys(&page));
        if page["LastEvaluatedKey"].is_null() || all.len() > 10 {
            break;
        }
        same("LastEvaluatedKey", text(&page["LastEvaluatedKey"]["sk"]["S"]), all.last().cloned().unwrap_or_default())?;
        more["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
    }
    same("the items of all pages", all, (0..10).map(|number| format!("s{number}")).collect::<Vec<_>>())
}

async fn filter(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let request = json!({
        "KeyConditionExpression": "pk = :p", "FilterExpression": "n >= :n", "Limit": 4,
        "ExpressionAttributeValues": {":p": {"S": "p"}, ":n": {"N": "3"}},
    });
    let answer = table.call("Query", request).await?;
    same("Count and ScannedCount", [&answer["Count"], &answer["ScannedCount"]], [&json!(1), &json!(4)])?;
    same("the items", sort_keys(&answer), vec!["s3"])
}

async fn filter_key(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let request = json!({
        "KeyConditionExpression": "pk = :p", "FilterExpression": "sk = :p",
        "ExpressionAttributeValues": {":p": {"S": "p"}},
    });
    table.refuse("Query", request, VALIDATION).await.map(drop)
}

async fn count(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let answer = query(&table, "pk = :p", &[], json!({"Select": "COUNT"})).await?;
    same("Count and Items", [&answer["Count"], &answer["Items"]], [&json!(10), &Value::Null])
}

async fn indexed(session: &Session) -> Result<Table, Finding> {
    let more = json!({
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "owner_id", "AttributeType": "S"},
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "owners", "KeySchema": [{"AttributeName": "owner_id", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
    });
    let table = Table::with(session, false, more).await?;
    table.put(json!({"pk": {"S": "1"}, "owner_id": {"S": "ada"}, "n": {"N": "1"}})).await?;
    table.put(json!({"pk": {"S": "2"}, "owner_id": {"S": "eve"}})).await?;
    table.put(json!({"pk": {"S": "3"}})).await?;
    Ok(table)
}

fn by_owner() -> Value {
    json!({
        "IndexName": "owners", "KeyConditionExpression": "owner_id = :o",
        "ExpressionAttributeValues": {":o": {"S": "ada"}},
    })
}

async fn index(session: Session) -> Outcome {
    let table = indexed(&session).await?;
    let found = async || {
        let answer = table.call("Query", by_owner()).await?;
        Ok((answer["Count"] == 1).then(|| answer["Items"].clone()))
    };
    let items = session.eventually("the index has the item", found).await?;
    same("the items, projected", items, json!([{"pk": {"S": "1"}, "owner_id": {"S": "ada"}}]))
}

async fn sparse(session: Session) -> Outcome {
    let table = indexed(&session).await?;
    let both = async || {
        let answer = table.call("Scan", json!({"IndexName": "owners"})).await?;
        Ok((answer["Count"] == 2).then_some(()))
    };
    session.eventually("two of three items are in the index", both).await
}

async fn consistent(session: Session) -> Outcome {
    let table = indexed(&session).await?;
    let mut request = by_owner();
    request["ConsistentRead"] = true.into();
    table.refuse("Query", request, VALIDATION).await.map(drop)
}

async fn local_index(session: Session) -> Outcome {
    let definition = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let more = json!({
        "AttributeDefinitions": [definition("pk", "S"), definition("sk", "S"), definition("rank_no", "N")],
        "LocalSecondaryIndexes": [{
            "IndexName": "ranks", "KeySchema": [key("pk", "HASH"), key("rank_no", "RANGE")],
            "Projection": {"ProjectionType": "ALL"},
        }],
    });
    let table = Table::with(&session, true, more).await?;
    for (sk, rank) in [("a", "3"), ("b", "20"), ("c", "1")] {
        table.put(json!({"pk": {"S": "p"}, "sk": {"S": sk}, "rank_no": {"N": rank}})).await?;
    }
    table.put(json!({"pk": {"S": "p"}, "sk": {"S": "without"}})).await?;
    let answer = query(&table, "pk = :p", &[], json!({"IndexName": "ranks", "ConsistentRead": true})).await?;
    same("the items", sort_keys(&answer), vec!["c", "a", "b"])
}

async fn page_size(session: Session) -> Outcome {
    let table = Table::sorted(&session).await?;
    for number in 0..4 {
        let text = "x".repeat(350_000);
        table.put(json!({"pk": {"S": "p"}, "sk": {"S": format!("s{number}")}, "a": {"S": text}})).await?;
    }
    let first = query(&table, "pk = :p", &[], json!({})).await?;
    same("a LastEvaluatedKey is there", first["LastEvaluatedKey"].is_object(), true)?;
    let second = query(&table, "pk = :p", &[], json!({"ExclusiveStartKey": first["LastEvaluatedKey"]})).await?;
    same("the items of both", [sort_keys(&first), sort_keys(&second)].concat(), vec!["s0", "s1", "s2", "s3"])
}

async fn segments(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let mut all = Vec::new();
    for segment in 0..3 {
        all.extend(sort_keys(&table.call("Scan", json!({"Segment": segment, "TotalSegments": 3})).await?));
    }
    all.sort();
    same("the items of all segments", all, (0..10).map(|number| format!("s{number}")).collect::<Vec<_>>())
}

async fn partiql(session: Session) -> Outcome {
    let table = filled(&session).await?;
    let statement = format!("SELECT n FROM \"{}\" WHERE pk = ? AND sk = ?", table.name);
    let request = json!({"Statement": statement, "Parameters": [{"S": "p"}, {"S": "s4"}]});
    let answer = session.call(crate::conformance::request::DYNAMODB, "ExecuteStatement", request).await?;
    same("Items", &answer["Items"], &json!([{"n": {"N": "4"}}]))
}
