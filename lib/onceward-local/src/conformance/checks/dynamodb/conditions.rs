//! Conditional writes, and what they answer.

use serde_json::{Value, json};

use super::{CONDITION_FAILED, GUIDE, SERVICE, Table, VALIDATION, key};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::session::Session;

const CONDITIONS: &str = "developerguide/Expressions.ConditionExpressions.html";
const OPERATORS: &str = "developerguide/Expressions.OperatorsAndFunctions.html";
const PUT: &str = "APIReference/API_PutItem.html";
const UPDATE: &str = "APIReference/API_UpdateItem.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("put-if-absent", "attribute_not_exists(key) lets an item be written once only", CONDITIONS, put_if_absent)
        .add(
            "condition-old-item",
            "With ReturnValuesOnConditionCheckFailure ALL_OLD the error carries the item",
            PUT,
            condition_old_item,
        )
        .add("condition-no-item", "Without it the error carries no item", PUT, condition_no_item)
        .add("conditional-delete", "A delete whose condition fails deletes nothing", CONDITIONS, conditional_delete)
        .add(
            "conditional-update",
            "An update whose condition fails changes nothing, and creates nothing",
            CONDITIONS,
            conditional_update,
        )
        .add("comparisons", "Comparisons, BETWEEN, IN, AND, OR and NOT hold as documented", OPERATORS, comparisons)
        .add(
            "functions",
            "attribute_exists, attribute_type, begins_with, contains and size hold as documented",
            OPERATORS,
            functions,
        )
        .add("other-types", "Values of different types are never equal and never ordered", OPERATORS, other_types)
        .add("put-returns-old", "PutItem with ALL_OLD answers what it replaced", PUT, put_returns_old)
        .add("delete-returns-old", "DeleteItem with ALL_OLD answers what it deleted", PUT, delete_returns_old)
        .add(
            "update-returns",
            "UpdateItem answers ALL_OLD, UPDATED_OLD, ALL_NEW or UPDATED_NEW",
            UPDATE,
            update_returns,
        )
        .add(
            "unused-values",
            "A value or name that no expression uses is refused",
            "developerguide/Expressions.ExpressionAttributeValues.html",
            unused_values,
        )
        .add(
            "reserved-words",
            "A reserved word in an expression is refused; a name with # stands for it",
            "developerguide/ReservedWords.html",
            reserved_words,
        )
        .done()
}

async fn put_if_absent(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let put =
        |n: &str| json!({"Item": {"pk": {"S": "1"}, "n": {"N": n}}, "ConditionExpression": "attribute_not_exists(pk)"});
    table.call("PutItem", put("1")).await?;
    table.refuse("PutItem", put("2"), CONDITION_FAILED).await?;
    same("the item", &table.get("1").await?["n"], &json!({"N": "1"}))
}

fn failing_put() -> Value {
    json!({"Item": key("1"), "ConditionExpression": "attribute_not_exists(pk)"})
}

async fn condition_old_item(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "n": {"N": "7"}});
    table.put(item.clone()).await?;
    let mut request = failing_put();
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    let reply = table.refuse("PutItem", request, CONDITION_FAILED).await?;
    same("Item", &reply.json()["Item"], &item)
}

async fn condition_no_item(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key("1")).await?;
    let reply = table.refuse("PutItem", failing_put(), CONDITION_FAILED).await?;
    same("Item", &reply.json()["Item"], &Value::Null)
}

async fn conditional_delete(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(json!({"pk": {"S": "1"}, "n": {"N": "1"}})).await?;
    let request =
        json!({"Key": key("1"), "ConditionExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": "2"}}});
    table.refuse("DeleteItem", request, CONDITION_FAILED).await?;
    same("the item", &table.get("1").await?["n"], &json!({"N": "1"}))
}

async fn conditional_update(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = json!({
        "Key": key("1"), "UpdateExpression": "SET n = :n", "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": {":n": {"N": "2"}},
    });
    table.refuse("UpdateItem", request, CONDITION_FAILED).await?;
    same("the item", table.get("1").await?, Value::Null)
}

/// Each condition holds, or does not, for this item.
async fn hold(session: &Session, item: Value, values: Value, conditions: &[(&str, bool)]) -> Outcome {
    let table = Table::simple(session).await?;
    table.put(item.clone()).await?;
    for (condition, expected) in conditions {
        let named = values.as_object().into_iter().flatten().filter(|(name, _)| condition.contains(*name));
        let mut request = json!({"Item": item, "ConditionExpression": condition});
        let used: serde_json::Map<_, _> = named.map(|(name, value)| (name.clone(), value.clone())).collect();
        if !used.is_empty() {
            request["ExpressionAttributeValues"] = used.into();
        }
        if *expected {
            table.call("PutItem", request).await?;
        } else {
            table.refuse("PutItem", request, CONDITION_FAILED).await?;
        }
    }
    Ok(())
}

async fn comparisons(session: Session) -> Outcome {
    let item = json!({"pk": {"S": "1"}, "n": {"N": "5"}, "s": {"S": "m"}});
    let values = json!({":four": {"N": "4"}, ":five": {"N": "5.0"}, ":ten": {"N": "10"}, ":m": {"S": "m"}});
    let conditions = [
        ("n = :five", true),
        ("n <> :five", false),
        ("n < :ten", true),
        ("n >= :ten", false),
        ("n BETWEEN :four AND :ten", true),
        ("n IN (:four, :five)", true),
        ("n IN (:four, :ten)", false),
        ("n = :four OR s = :m", true),
        ("n = :four AND s = :m", false),
        ("NOT (n = :four)", true),
        ("absent = :four", false),
        ("absent <> :four", true),
    ];
    hold(&session, item, values, &conditions).await
}

async fn functions(session: Session) -> Outcome {
    let item = json!({
        "pk": {"S": "1"}, "txt": {"S": "greetings"}, "tags": {"SS": ["a", "b"]}, "steps": {"L": [{"N": "1"}, {"S": "x"}]},
        "info": {"M": {"inner": {"NULL": true}}}, "raw_bytes": {"B": "AAEC"},
    });
    let values = json!({
        ":string": {"S": "S"}, ":map": {"S": "M"}, ":begin": {"S": "gr"}, ":a": {"S": "a"}, ":c": {"S": "c"},
        ":one": {"N": "1"}, ":two": {"N": "2"}, ":three": {"N": "3"}, ":nine": {"N": "9"},
    });
    let conditions = [
        ("attribute_exists(info)", true),
        ("attribute_exists(info.absent)", false),
        ("attribute_not_exists(info.absent)", true),
        ("attribute_type(txt, :string)", true),
        ("attribute_type(txt, :map)", false),
        ("begins_with(txt, :begin)", true),
        ("contains(txt, :a)", false),
        ("contains(tags, :a)", true),
        ("contains(tags, :c)", false),
        ("contains(steps, :one)", true),
        ("size(steps) = :two", true),
        ("size(raw_bytes) = :three", true),
        ("size(txt) = :nine", true),
    ];
    hold(&session, item, values, &conditions).await
}

async fn other_types(session: Session) -> Outcome {
    let item = json!({"pk": {"S": "1"}, "n": {"N": "5"}, "s": {"S": "5"}});
    let values = json!({":s": {"S": "5"}, ":n": {"N": "4"}});
    hold(&session, item, values, &[("n = :s", false), ("n <> :s", true), ("s > :n", false), ("n > :n", true)]).await
}

async fn put_returns_old(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let first = table.call("PutItem", json!({"Item": key("1"), "ReturnValues": "ALL_OLD"})).await?;
    same("Attributes of the first put", &first["Attributes"], &Value::Null)?;
    let second = table.call("PutItem", json!({"Item": key("1"), "ReturnValues": "ALL_OLD"})).await?;
    same("Attributes of the second", &second["Attributes"], &key("1"))?;
    table.refuse("PutItem", json!({"Item": key("1"), "ReturnValues": "ALL_NEW"}), VALIDATION).await.map(drop)
}

async fn delete_returns_old(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key("1")).await?;
    let request = json!({"Key": key("1"), "ReturnValues": "ALL_OLD"});
    same("Attributes", &table.call("DeleteItem", request.clone()).await?["Attributes"], &key("1"))?;
    same("Attributes of the second", &table.call("DeleteItem", request).await?["Attributes"], &Value::Null)
}

async fn update_returns(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({"pk": {"S": "1"}, "n": {"N": "1"}, "other": {"S": "x"}});
    let expected = [
        ("ALL_OLD", item.clone()),
        ("UPDATED_OLD", json!({"n": {"N": "1"}})),
        ("ALL_NEW", json!({"pk": {"S": "1"}, "n": {"N": "2"}, "other": {"S": "x"}})),
        ("UPDATED_NEW", json!({"n": {"N": "2"}})),
        ("NONE", Value::Null),
    ];
    for (returned, expected) in expected {
        table.put(item.clone()).await?;
        let request = json!({
            "Key": key("1"), "UpdateExpression": "SET n = n + :n", "ExpressionAttributeValues": {":n": {"N": "1"}},
            "ReturnValues": returned,
        });
        same(returned, &table.call("UpdateItem", request).await?["Attributes"], &expected)?;
    }
    Ok(())
}

async fn unused_values(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let mut request = json!({"Item": key("1"), "ConditionExpression": "attribute_not_exists(pk)"});
    request["ExpressionAttributeValues"] = json!({":unused": {"N": "1"}});
    table.refuse("PutItem", request.clone(), VALIDATION).await?;
    request.as_object_mut().map(|request| request.remove("ExpressionAttributeValues"));
    request["ExpressionAttributeNames"] = json!({"#unused": "n"});
    table.refuse("PutItem", request, VALIDATION).await.map(drop)
}

async fn reserved_words(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let mut request = json!({
        "Key": key("1"), "UpdateExpression": "SET status = :s", "ExpressionAttributeValues": {":s": {"S": "x"}},
    });
    table.refuse("UpdateItem", request.clone(), VALIDATION).await?;
    request["UpdateExpression"] = "SET #s = :s".into();
    request["ExpressionAttributeNames"] = json!({"#s": "status"});
    table.call("UpdateItem", request).await.map(drop)
}
