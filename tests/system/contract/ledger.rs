use std::collections::HashMap;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType::S,
        TableStatus,
    },
};
use onceward::{Ledger, LedgerKey};
use onceward_aws::DynamoDbLedger;
use onceward_testing::contract::{LedgerProbe, SIMPLE_TABLE, TABLE};
use tokio::sync::OnceCell;

use crate::system::eventually;

const LEDGER: &str = "contract-ledger";

/// The tables that all ledger cases share, made by the first.
#[derive(Default)]
pub(super) struct Tables {
    made: OnceCell<()>,
}

impl Tables {
    pub(super) async fn ledger(&self, config: &SdkConfig) -> Probe {
        let client = Client::new(config);
        self.made.get_or_init(|| make(&client)).await;
        let tables = HashMap::from([TABLE, SIMPLE_TABLE].map(|name| (name.to_owned(), name.to_owned())));
        Probe { ledger: DynamoDbLedger::new(client.clone(), LEDGER, tables), client }
    }
}

/// The adapter, and a look at its records as the relay's stream has them.
pub(super) struct Probe {
    ledger: DynamoDbLedger,
    client: Client,
}

#[async_trait]
impl LedgerProbe for Probe {
    fn ledger(&self) -> &dyn Ledger {
        &self.ledger
    }

    async fn outbox(&self, key: &LedgerKey) -> Vec<String> {
        let key = AttributeValue::S(format!("{}#{}", key.function, key.idempotency_key));
        let request = self.client.get_item().table_name(LEDGER).key("pk", key).consistent_read(true);
        let item = request.send().await.expect("the record can be read").item.unwrap_or_default();
        // The event source mapping of the relay lets only records through that have it.
        let Some(events) = item.get("outbox").and_then(|_| item.get("events")) else { return Vec::new() };
        let events = events.as_l().expect("a list").iter();
        events.map(|event| event.as_s().expect("an envelope as text").clone()).collect()
    }
}

/// On an endpoint that is not ours, an earlier run may have left them.
async fn make(client: &Client) {
    for (name, keys) in [(LEDGER, &["pk"][..]), (TABLE, &["pk", "sk"]), (SIMPLE_TABLE, &["pk"])] {
        if !active(client, name).await {
            create(client, name, keys).await;
        }
        eventually("the table is active", async || active(client, name).await).await;
    }
}

async fn active(client: &Client, name: &str) -> bool {
    let description = client.describe_table().table_name(name).send().await.ok().and_then(|answer| answer.table);
    description.is_some_and(|table| table.table_status == Some(TableStatus::Active))
}

async fn create(client: &Client, name: &str, keys: &[&str]) {
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (key, kind) in keys.iter().zip([KeyType::Hash, KeyType::Range]) {
        let attribute = AttributeDefinition::builder().attribute_name(*key).attribute_type(S).build();
        let element = KeySchemaElement::builder().attribute_name(*key).key_type(kind).build();
        request = request.attribute_definitions(attribute.expect("name and type are set"));
        request = request.key_schema(element.expect("name and type are set"));
    }
    request.send().await.expect("the table is created");
}
