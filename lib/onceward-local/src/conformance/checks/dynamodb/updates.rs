//! Update expressions.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE, Table, VALIDATION, key};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::session::Session;

const UPDATES: &str = "developerguide/Expressions.UpdateExpressions.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add(
            "upsert",
            "An update of an item that does not exist creates it",
            "APIReference/API_UpdateItem.html",
            upsert,
        )
        .add("set-arithmetic", "SET adds to and subtracts from numbers", UPDATES, arithmetic)
        .add("if-not-exists", "if_not_exists takes the attribute, or its other operand", UPDATES, if_not_exists)
        .add("list-append", "list_append joins two lists in its order", UPDATES, list_append)
        .add(
            "list-append-type",
            "list_append to what is no list is a ValidationException and changes nothing",
            UPDATES,
            list_append_type,
        )
        .add("set-missing-operand", "SET with an attribute that is not there is refused", UPDATES, missing_operand)
        .add("set-missing-path", "SET below a map that is not there is refused", UPDATES, missing_path)
        .add("add", "ADD adds to a number or a set, and makes one where there is none", UPDATES, add)
        .add("add-type", "ADD to a string is refused", UPDATES, add_type)
        .add("delete-from-set", "DELETE takes elements out of a set; an empty set is removed", UPDATES, delete)
        .add("remove", "REMOVE removes attributes, and elements of lists by index", UPDATES, remove)
        .add("old-values", "All operands are the item's before the update", UPDATES, old_values)
        .add("overlapping-paths", "Two paths of which one contains the other are refused", UPDATES, overlapping)
        .add("update-key", "A key cannot be updated", "APIReference/API_UpdateItem.html", update_key)
        .done()
}

async fn upsert(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = json!({
        "Key": key("1"), "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": "2"}},
    });
    table.call("UpdateItem", request).await?;
    same("the item", table.get("1").await?, json!({"pk": {"S": "1"}, "n": {"N": "2"}}))?;
    table.call("UpdateItem", json!({"Key": key("2")})).await?;
    same("an item without attributes", table.get("2").await?, key("2"))
}

async fn arithmetic(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "a": {"N": "0.1"}, "b": {"N": "5"}});
    let item = table.updated(item, "SET a = a + :x, b = b - :x", json!({":x": {"N": "0.2"}})).await?;
    same("a and b", [&item["a"]["N"], &item["b"]["N"]], [&json!("0.3"), &json!("4.8")])
}

async fn if_not_exists(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "a": {"N": "1"}});
    let expression = "SET a = if_not_exists(a, :n), b = if_not_exists(b, :n) + :n";
    let item = table.updated(item, expression, json!({":n": {"N": "7"}})).await?;
    same("a and b", [&item["a"]["N"], &item["b"]["N"]], [&json!("1"), &json!("14")])
}

async fn list_append(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "a": {"L": [{"N": "2"}]}});
    let item = table.updated(item, "SET a = list_append(:x, a)", json!({":x": {"L": [{"N": "1"}]}})).await?;
    let item = table.updated(item, "SET a = list_append(a, :x)", json!({":x": {"L": [{"N": "3"}]}})).await?;
    same("a", &item["a"], &json!({"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}))
}

/// This update of the item is refused and changes nothing.
async fn refused(session: &Session, item: Value, expression: &str, values: Value) -> Outcome {
    let table = Table::simple(session).await?;
    table.put(item.clone()).await?;
    let mut request = json!({"Key": key("1"), "UpdateExpression": expression});
    if !values.is_null() {
        request["ExpressionAttributeValues"] = values;
    }
    table.refuse("UpdateItem", request, VALIDATION).await?;
    same("the item", table.get("1").await?, item)
}

async fn list_append_type(session: Session) -> Outcome {
    let item = json!({"pk": {"S": "1"}, "a": {"S": "no list"}});
    refused(&session, item, "SET a = list_append(a, :x)", json!({":x": {"L": [{"N": "1"}]}})).await
}

async fn missing_operand(session: Session) -> Outcome {
    refused(&session, key("1"), "SET a = b + :x", json!({":x": {"N": "1"}})).await
}

async fn missing_path(session: Session) -> Outcome {
    refused(&session, key("1"), "SET a.b = :x", json!({":x": {"N": "1"}})).await
}

async fn add(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "n": {"N": "1"}, "tags": {"SS": ["a"]}});
    let values = json!({":n": {"N": "-3"}, ":s": {"SS": ["a", "b"]}});
    let item = table.updated(item, "ADD n :n, m :n, tags :s", values).await?;
    same("n and m", [&item["n"]["N"], &item["m"]["N"]], [&json!("-2"), &json!("-3")])?;
    let mut tags: Vec<_> = item["tags"]["SS"].as_array().into_iter().flatten().map(Value::to_string).collect();
    tags.sort();
    same("tags", tags, vec!["\"a\"", "\"b\""])
}

async fn add_type(session: Session) -> Outcome {
    let item = json!({"pk": {"S": "1"}, "a": {"S": "x"}});
    refused(&session, item, "ADD a :x", json!({":x": {"N": "1"}})).await
}

async fn delete(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "tags": {"SS": ["a", "b"]}, "nums": {"NS": ["1"]}});
    let values = json!({":s": {"SS": ["b", "c"]}, ":n": {"NS": ["1"]}});
    let item = table.updated(item, "DELETE tags :s, nums :n", values).await?;
    same("the item", item, json!({"pk": {"S": "1"}, "tags": {"SS": ["a"]}}))
}

async fn remove(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({
        "pk": {"S": "1"}, "a": {"N": "1"}, "list": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]},
        "map_": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}},
    });
    table.put(item).await?;
    let request = json!({
        "Key": key("1"), "UpdateExpression": "REMOVE a, #l[0], #l[2], map_.x, absent",
        "ExpressionAttributeNames": {"#l": "list"}, "ReturnValues": "ALL_NEW",
    });
    let item = table.call("UpdateItem", request).await?["Attributes"].clone();
    let expected = json!({"pk": {"S": "1"}, "list": {"L": [{"N": "1"}]}, "map_": {"M": {"y": {"N": "2"}}}});
    same("the item", item, expected)
}

async fn old_values(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "a": {"N": "1"}, "b": {"N": "2"}});
    let item = table.updated(item, "SET a = b, b = a", Value::Null).await?;
    same("a and b", [&item["a"]["N"], &item["b"]["N"]], [&json!("2"), &json!("1")])
}

async fn overlapping(session: Session) -> Outcome {
    let item = json!({"pk": {"S": "1"}, "a": {"M": {}}});
    refused(&session, item, "SET a = :x, a.b = :x", json!({":x": {"N": "1"}})).await
}

async fn update_key(session: Session) -> Outcome {
    refused(&session, key("1"), "SET pk = :x", json!({":x": {"S": "2"}})).await
}
