//! Making and changing tables.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE, Table, VALIDATION, key};
use crate::conformance::behaviour::{Behaviour, List, Outcome, holds, same};
use crate::conformance::request::DYNAMODB;
use crate::conformance::resources::text;
use crate::conformance::session::Session;

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add(
            "create-twice",
            "Creating a table again is refused with ResourceInUseException",
            "APIReference/API_CreateTable.html",
            create_twice,
        )
        .add(
            "unknown-table",
            "An action on a table that does not exist is refused with ResourceNotFoundException",
            "APIReference/API_PutItem.html",
            unknown_table,
        )
        .add(
            "key-definitions",
            "A table's attribute definitions are those of its keys, no others",
            "APIReference/API_CreateTable.html",
            definitions,
        )
        .add(
            "describe",
            "DescribeTable answers keys, ARN, status and billing mode",
            "APIReference/API_DescribeTable.html",
            describe,
        )
        .add(
            "deletion-protection",
            "A table with deletion protection cannot be deleted: ValidationException",
            "APIReference/API_DeleteTable.html",
            protection,
        )
        .add("list-tables", "ListTables answers pages in the order of names", "APIReference/API_ListTables.html", list)
        .add("table-tags", "Tags are added, listed and removed", "APIReference/API_TagResource.html", tags)
        .add("ttl", "Time to live is enabled and described", "APIReference/API_UpdateTimeToLive.html", ttl)
        .done()
}

async fn create_twice(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = json!({
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    });
    table.refuse("CreateTable", request, "ResourceInUseException").await.map(drop)
}

async fn unknown_table(session: Session) -> Outcome {
    let name = session.name();
    let code = "ResourceNotFoundException";
    session.refuse(DYNAMODB, "PutItem", json!({"TableName": name, "Item": key("1")}), code).await?;
    session.refuse(DYNAMODB, "DescribeTable", json!({"TableName": name}), code).await?;
    session.refuse(DYNAMODB, "DeleteTable", json!({"TableName": name}), code).await.map(drop)
}

async fn definitions(session: Session) -> Outcome {
    let request = |attributes: Value| {
        json!({
            "TableName": session.name(), "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": attributes, "BillingMode": "PAY_PER_REQUEST",
        })
    };
    let pk = json!({"AttributeName": "pk", "AttributeType": "S"});
    let other = json!({"AttributeName": "other", "AttributeType": "S"});
    session.refuse(DYNAMODB, "CreateTable", request(json!([pk, other])), VALIDATION).await?;
    session.refuse(DYNAMODB, "CreateTable", request(json!([other])), VALIDATION).await.map(drop)
}

async fn describe(session: Session) -> Outcome {
    let table = Table::sorted(&session).await?;
    let described = table.call("DescribeTable", json!({})).await?["Table"].clone();
    let keys = json!([{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]);
    same("KeySchema", &described["KeySchema"], &keys)?;
    same("TableStatus", text(&described["TableStatus"]), "ACTIVE")?;
    same("BillingMode", text(&described["BillingModeSummary"]["BillingMode"]), "PAY_PER_REQUEST")?;
    let arn = text(&described["TableArn"]);
    holds(arn.starts_with("arn:aws:dynamodb:") && arn.ends_with(&table.name), format!("TableArn is {arn}"))
}

async fn protection(session: Session) -> Outcome {
    let table = Table::with(&session, false, json!({"DeletionProtectionEnabled": true})).await?;
    let refused = table.refuse("DeleteTable", json!({}), VALIDATION).await;
    table.call("UpdateTable", json!({"DeletionProtectionEnabled": false})).await?;
    refused.map(drop)
}

async fn list(session: Session) -> Outcome {
    let (one, two) = (Table::simple(&session).await?.name, Table::simple(&session).await?.name);
    let page = |start: &str| json!({"ExclusiveStartTableName": start, "Limit": 1});
    // The name before the first: other checks make tables at the same time.
    let first = session.call(DYNAMODB, "ListTables", page(session.prefix())).await?;
    same("the first page", &first["TableNames"], &json!([one]))?;
    same("LastEvaluatedTableName", text(&first["LastEvaluatedTableName"]), one.as_str())?;
    let second = session.call(DYNAMODB, "ListTables", page(&one)).await?;
    same("the second page", &second["TableNames"], &json!([two]))
}

async fn tags(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let arn = table.call("DescribeTable", json!({})).await?["Table"]["TableArn"].clone();
    let tags = json!([{"Key": "team", "Value": "orders"}, {"Key": "stage", "Value": "test"}]);
    session.call(DYNAMODB, "TagResource", json!({"ResourceArn": arn, "Tags": tags})).await?;
    session.call(DYNAMODB, "UntagResource", json!({"ResourceArn": arn, "TagKeys": ["stage"]})).await?;
    let listed = session.call(DYNAMODB, "ListTagsOfResource", json!({"ResourceArn": arn})).await?;
    same("Tags", &listed["Tags"], &json!([{"Key": "team", "Value": "orders"}]))
}

async fn ttl(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let specification = json!({"AttributeName": "expires_at", "Enabled": true});
    table.call("UpdateTimeToLive", json!({ "TimeToLiveSpecification": specification })).await?;
    let enabled = async || {
        let answer = table.call("DescribeTimeToLive", json!({})).await?;
        let description = &answer["TimeToLiveDescription"];
        let on = description["TimeToLiveStatus"] == "ENABLED" && description["AttributeName"] == "expires_at";
        Ok(on.then_some(()))
    };
    session.eventually("time to live is ENABLED", enabled).await
}
