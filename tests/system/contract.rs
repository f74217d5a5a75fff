//! The DynamoDB ledger keeps the contract that the one in memory keeps, each case by name.

use std::{collections::HashMap, sync::Arc};

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::{Client, config::Credentials};
use libtest_mimic::Trial;
use onceward_aws::{DynamoDbLedger, http_client};
use onceward_testing::contract::{SIMPLE_TABLE, TABLE, ledger_cases};
use serde_json::{Value, json};

use crate::{on_a_cloud_named, system::System};

const LEDGER: &str = "contract-ledger";

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, case): onceward_testing::contract::LedgerCase| {
        on_a_cloud_named(format!("contract::dynamodb::{name}"), move |system| async move {
            case(Arc::new(ledger(&system).await)).await;
        })
    };
    ledger_cases().into_iter().map(trial).collect()
}

/// A ledger in tables of its own, over the AWS protocol.
async fn ledger(system: &System) -> DynamoDbLedger {
    for (name, keys) in [(LEDGER, &["pk"][..]), (TABLE, &["pk", "sk"]), (SIMPLE_TABLE, &["pk"])] {
        let request = create_table(name, keys).to_string();
        system.cloud.dynamodb().execute("CreateTable", request.as_bytes()).expect("the table is created");
    }
    let config = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client().expect("AWS_CA_BUNDLE is not set, or names a file of roots"))
        .endpoint_url(system.cloud.aws_url())
        .region("us-east-1")
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .load()
        .await;
    let tables = HashMap::from([TABLE, SIMPLE_TABLE].map(|name| (name.to_owned(), name.to_owned())));
    DynamoDbLedger::new(Client::new(&config), LEDGER, tables)
}

fn create_table(name: &str, keys: &[&str]) -> Value {
    let attributes: Vec<_> = keys.iter().map(|key| json!({"AttributeName": key, "AttributeType": "S"})).collect();
    let schema = keys.iter().zip(["HASH", "RANGE"]).map(|(key, kind)| json!({"AttributeName": key, "KeyType": kind}));
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": schema.collect::<Vec<_>>(),
    })
}
