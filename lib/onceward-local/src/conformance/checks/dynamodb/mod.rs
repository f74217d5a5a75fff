//! DynamoDB and its streams.

mod batches;
mod conditions;
mod queries;
mod streams;
mod tables;
mod transactions;
mod updates;
mod values;

use serde_json::{Value, json};

use crate::conformance::behaviour::{Behaviour, Finding};
use crate::conformance::request::{DYNAMODB, Reply};
use crate::conformance::session::Session;

const SERVICE: &str = "DynamoDB";
const GUIDE: &str = "https://docs.aws.amazon.com/amazondynamodb/latest/";

const VALIDATION: &str = "ValidationException";
const CONDITION_FAILED: &str = "ConditionalCheckFailedException";

pub(super) fn behaviours() -> Vec<Behaviour> {
    [
        conditions::behaviours(),
        updates::behaviours(),
        values::behaviours(),
        transactions::behaviours(),
        batches::behaviours(),
        queries::behaviours(),
        tables::behaviours(),
        streams::behaviours(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `{"pk": {"S": …}}`.
fn key(pk: &str) -> Value {
    json!({"pk": {"S": pk}})
}

/// A table for one check.
struct Table {
    session: Session,
    name: String,
}

impl Table {
    /// With the string key `pk`.
    async fn simple(session: &Session) -> Result<Self, Finding> {
        Self::with(session, false, json!({})).await
    }

    /// With the string keys `pk` and `sk`.
    async fn sorted(session: &Session) -> Result<Self, Finding> {
        Self::with(session, true, json!({})).await
    }

    async fn with(session: &Session, sorted: bool, more: Value) -> Result<Self, Finding> {
        Ok(Self { name: session.table(sorted, more).await?, session: session.clone() })
    }

    /// An action on this table that must succeed.
    async fn call(&self, action: &str, mut body: Value) -> Result<Value, Finding> {
        body["TableName"] = self.name.clone().into();
        self.session.call(DYNAMODB, action, body).await
    }

    /// An action on this table that must be refused with this code.
    async fn refuse(&self, action: &str, mut body: Value, code: &str) -> Result<Reply, Finding> {
        body["TableName"] = self.name.clone().into();
        self.session.refuse(DYNAMODB, action, body, code).await
    }

    async fn put(&self, item: Value) -> Result<(), Finding> {
        self.call("PutItem", json!({ "Item": item })).await.map(drop)
    }

    /// The item of this key, read consistently; null if there is none.
    async fn get(&self, pk: &str) -> Result<Value, Finding> {
        Ok(self.call("GetItem", json!({"Key": key(pk), "ConsistentRead": true})).await?["Item"].clone())
    }

    /// Puts the item, updates it by this expression and answers what it is then.
    async fn updated(&self, item: Value, expression: &str, values: Value) -> Result<Value, Finding> {
        self.put(item).await?;
        let mut request = json!({"Key": key("1"), "UpdateExpression": expression, "ReturnValues": "ALL_NEW"});
        if !values.is_null() {
            request["ExpressionAttributeValues"] = values;
        }
        Ok(self.call("UpdateItem", request).await?["Attributes"].clone())
    }
}
