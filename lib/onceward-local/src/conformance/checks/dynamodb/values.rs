//! Values: numbers, sets, keys and sizes.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE, Table, VALIDATION, key};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::session::Session;

const TYPES: &str = "developerguide/HowItWorks.NamingRulesDataTypes.html";
const LIMITS: &str = "developerguide/Constraints.html";

/// The largest item, in bytes: names and values.
const ITEM_BYTES_MAX: usize = 400 * 1024;

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("number-form", "Numbers come back without leading and trailing zeroes", TYPES, number_form)
        .add("number-precision", "38 digits are kept, also in sums; 39 are refused", TYPES, precision)
        .add("number-range", "Numbers beyond 9.9e125 are refused, and text that is none", TYPES, range)
        .add("set-duplicates", "A set with the same value twice is refused", TYPES, set_duplicates)
        .add("set-empty", "An empty set is refused", TYPES, set_empty)
        .add("empty-text", "An empty text is a value, but not a key's", TYPES, empty_text)
        .add("item-size", "An item of more than 400 KB is refused", LIMITS, item_size)
        .add("key-size", "A partition key of more than 2048 bytes is refused", LIMITS, key_size)
        .add("key-missing", "An item without its key is refused", "APIReference/API_PutItem.html", key_missing)
        .add("key-type", "A key of another type is refused", "APIReference/API_PutItem.html", key_type)
        .add(
            "key-superfluous",
            "A GetItem with more than the key is refused",
            "APIReference/API_GetItem.html",
            key_more,
        )
        .add("nesting", "Values are nested up to 32 levels", LIMITS, nesting)
        .add("all-types", "Every type comes back as it was written", TYPES, all_types)
        .add(
            "projection",
            "A projection answers nested parts only",
            "developerguide/Expressions.ProjectionExpressions.html",
            projection,
        )
        .add(
            "consumed-capacity",
            "A write of up to 1 KB is one unit, an eventually consistent read of up to 4 KB half of one",
            "developerguide/read-write-operations.html",
            capacity,
        )
        .done()
}

fn number(n: &str) -> Value {
    json!({"pk": {"S": "1"}, "n": {"N": n}})
}

async fn number_form(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    for (written, read) in [("007.50", "7.5"), ("-0.0", "0"), ("1e3", "1000"), ("+5", "5"), ("100", "100")] {
        table.put(number(written)).await?;
        same(written, &table.get("1").await?["n"]["N"], &json!(read))?;
    }
    Ok(())
}

async fn precision(session: Session) -> Outcome {
    const DIGITS: &str = "12345678901234567890123456789012345678";
    let table = Table::simple(&session).await?;
    let item = table.updated(number(DIGITS), "SET n = n + :one", json!({":one": {"N": "1"}})).await?;
    same("the sum", &item["n"]["N"], &json!("12345678901234567890123456789012345679"))?;
    table.refuse("PutItem", json!({"Item": number(&format!("{DIGITS}9"))}), VALIDATION).await.map(drop)
}

async fn range(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(number("9.9e125")).await?;
    for n in ["1e126", "-1e126", "1e-131", "seven", ""] {
        table.refuse("PutItem", json!({"Item": number(n)}), VALIDATION).await?;
    }
    Ok(())
}

async fn refused(session: &Session, item: Value) -> Outcome {
    let table = Table::simple(session).await?;
    table.refuse("PutItem", json!({ "Item": item }), VALIDATION).await.map(drop)
}

async fn set_duplicates(session: Session) -> Outcome {
    refused(&session, json!({"pk": {"S": "1"}, "a": {"SS": ["x", "x"]}})).await?;
    refused(&session, json!({"pk": {"S": "1"}, "a": {"NS": ["1", "1.0"]}})).await
}

async fn set_empty(session: Session) -> Outcome {
    refused(&session, json!({"pk": {"S": "1"}, "a": {"SS": []}})).await
}

async fn empty_text(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(json!({"pk": {"S": "1"}, "a": {"S": ""}, "b": {"B": ""}})).await?;
    same("a", &table.get("1").await?["a"], &json!({"S": ""}))?;
    table.refuse("PutItem", json!({"Item": key("")}), VALIDATION).await.map(drop)
}

async fn item_size(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = |bytes: usize| json!({"pk": {"S": "1"}, "a": {"S": "x".repeat(bytes - "pk1a".len())}});
    table.put(item(ITEM_BYTES_MAX)).await?;
    table.refuse("PutItem", json!({"Item": item(ITEM_BYTES_MAX + 1)}), VALIDATION).await.map(drop)
}

async fn key_size(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    table.put(key(&"x".repeat(2048))).await?;
    table.refuse("PutItem", json!({"Item": key(&"x".repeat(2049))}), VALIDATION).await.map(drop)
}

async fn key_missing(session: Session) -> Outcome {
    refused(&session, json!({"a": {"S": "x"}})).await
}

async fn key_type(session: Session) -> Outcome {
    refused(&session, json!({"pk": {"N": "1"}})).await
}

async fn key_more(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let request = json!({"Key": {"pk": {"S": "1"}, "a": {"S": "x"}}});
    table.refuse("GetItem", request, VALIDATION).await.map(drop)
}

async fn nesting(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let nested = |levels: usize| {
        let value = (0..levels).fold(json!({"S": "x"}), |value, _| json!({ "L": [value] }));
        json!({"pk": {"S": "1"}, "a": value})
    };
    table.put(nested(31)).await?;
    table.refuse("PutItem", json!({"Item": nested(33)}), VALIDATION).await.map(drop)
}

async fn all_types(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let item = json!({
        "pk": {"S": "1"}, "s": {"S": "grüße"}, "n": {"N": "-1.5"}, "b": {"B": "AAEC/v8="}, "yes": {"BOOL": true},
        "nothing": {"NULL": true}, "list": {"L": [{"S": "x"}, {"M": {}}]}, "map": {"M": {"a.b": {"N": "1"}}},
        "ss": {"SS": ["a"]}, "ns": {"NS": ["1"]}, "bs": {"BS": ["AAEC"]},
    });
    table.put(item.clone()).await?;
    same("the item", table.get("1").await?, item)
}

async fn projection(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let map = json!({"M": {"x": {"N": "1"}, "y": {"L": [{"N": "2"}, {"N": "3"}]}}});
    table.put(json!({"pk": {"S": "1"}, "a": map, "b": {"S": "x"}})).await?;
    let answer = table.call("GetItem", json!({"Key": key("1"), "ProjectionExpression": "a.y[1], absent"})).await?;
    same("the item", &answer["Item"], &json!({"a": {"M": {"y": {"L": [{"N": "3"}]}}}}))
}

async fn capacity(session: Session) -> Outcome {
    let table = Table::simple(&session).await?;
    let put = table.call("PutItem", json!({"Item": key("1"), "ReturnConsumedCapacity": "TOTAL"})).await?;
    same("CapacityUnits of the write", put["ConsumedCapacity"]["CapacityUnits"].as_f64(), Some(1.0))?;
    let large = json!({"pk": {"S": "2"}, "a": {"S": "x".repeat(1_500)}});
    let put = table.call("PutItem", json!({"Item": large, "ReturnConsumedCapacity": "TOTAL"})).await?;
    same("CapacityUnits of a write of 1.5 KB", put["ConsumedCapacity"]["CapacityUnits"].as_f64(), Some(2.0))?;
    let get = table.call("GetItem", json!({"Key": key("1"), "ReturnConsumedCapacity": "TOTAL"})).await?;
    same("CapacityUnits of the read", get["ConsumedCapacity"]["CapacityUnits"].as_f64(), Some(0.5))
}
