use std::{collections::HashSet, sync::PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use onceward_local::template::{STACK_NAME, Trigger};
use serde_json::{Value, json};

use super::{System, eventually};

/// An event and one of its consumers.
pub(crate) struct Delivery {
    pub(crate) function: String,
    /// The key of its record in the ledger.
    record: String,
    pub(crate) event_type: String,
    /// The envelope, as it was published.
    pub(crate) event: String,
}

impl System {
    /// Waits until every event that this test caused has been handled by all of its consumers, and then until each of
    /// their queues has been seen empty: what was sent to it before is gone. Empty queues alone do not say that, since
    /// an event may still be on its way through the outbox; once all are handled, nothing new can come.
    pub(crate) async fn drained(&self) {
        eventually("every event is handled", async || self.unhandled().await == 0).await;
        for queue in self.consumed_queues() {
            eventually("the queue is empty", async || self.depth(&queue).await.backlog() == 0).await;
        }
    }

    /// How many deliveries have no record in the ledger yet.
    async fn unhandled(&self) -> usize {
        let items = self.rows(&self.name("ledger")).await;
        let handled: HashSet<_> = items
            .iter()
            .filter(|item| item["status"]["S"] == "completed")
            .filter_map(|item| item["pk"]["S"].as_str())
            .collect();
        self.deliveries(&items).iter().filter(|delivery| !handled.contains(delivery.record.as_str())).count()
    }

    /// Each event of this test in these ledger items with each consumer that the rules name for it.
    pub(crate) fn deliveries(&self, items: &[Value]) -> Vec<Delivery> {
        let events = items.iter().filter_map(|item| item["events"]["L"].as_array()).flatten();
        let events = events.filter_map(|event| event["S"].as_str()).filter(|event| self.is_own(event));
        let mut deliveries = Vec::new();
        for text in events {
            let event: Value = serde_json::from_str(text).expect("an envelope");
            for rule in &self.declared.rules {
                if rule.pattern["detail-type"].as_array().expect("rules are by type").contains(&event["type"]) {
                    let function = rule.name.trim_start_matches(STACK_NAME).trim_start_matches('-').to_owned();
                    let record = format!("{function}#{}", event["id"].as_str().expect("an id"));
                    let event_type = event["type"].as_str().expect("a type").to_owned();
                    deliveries.push(Delivery { function, record, event_type, event: text.to_owned() });
                }
            }
        }
        deliveries
    }

    /// Every row of these tables that this test caused, in a fixed order.
    pub(crate) async fn world(&self, tables: &[&str]) -> Vec<String> {
        let deliveries = self.deliveries(&self.rows(&self.name("ledger")).await);
        let records: HashSet<_> = deliveries.into_iter().map(|delivery| delivery.record).collect();
        let mut world = Vec::new();
        for table in tables {
            for row in self.rows(&self.name(table)).await {
                let is_record = row["pk"]["S"].as_str().is_some_and(|pk| records.contains(pk));
                let text = row.to_string();
                if is_record || self.is_own(&text) {
                    world.push(format!("{table} {text}"));
                }
            }
        }
        world.sort_unstable();
        world
    }

    /// Every row of a table, page by page.
    pub(crate) async fn rows(&self, table: &str) -> Vec<Value> {
        let pages = self.dynamodb.scan().table_name(table).consistent_read(true).into_paginator().items().send();
        let rows = pages.collect::<Result<Vec<_>, _>>().await.expect("the table can be read");
        rows.into_iter().map(|row| plain(&AttributeValue::M(row))["M"].take()).collect()
    }

    /// Puts a record with something to publish into the ledger, as no handler would: `events` in DynamoDB's JSON.
    pub(crate) async fn put_record(&self, pk: &str, events: &Value) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let request = self.dynamodb.put_item().table_name(self.name("ledger")).item("pk", text(pk));
        let request = request.item("outbox", text("pending")).item("events", typed(events));
        request.send().await.expect("the ledger takes it");
    }

    /// The queues that feed functions.
    fn consumed_queues(&self) -> Vec<String> {
        let triggers = self.declared.functions.iter().flat_map(|function| &function.triggers);
        let queues = triggers.filter_map(|trigger| {
            let Trigger::Sqs { queue_arn, .. } = trigger else { return None };
            queue_arn.rsplit(':').next()
        });
        queues.map(|queue| self.here(queue)).collect()
    }

    /// The name that a resource of the local cloud has here.
    pub(super) fn here(&self, name: &str) -> String {
        match name.strip_prefix(STACK_NAME) {
            Some(rest) => format!("{}{rest}", self.name),
            None => name.to_owned(),
        }
    }

    /// Whether this test caused what the text tells of. On a cloud of its own, it caused everything.
    fn is_own(&self, text: &str) -> bool {
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        self.embedded.is_some() || marks.iter().any(|mark| text.contains(mark))
    }
}

/// A value as DynamoDB's JSON has it.
fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::B(bytes) => json!({"B": STANDARD.encode(bytes)}),
        AttributeValue::Bool(value) => json!({"BOOL": value}),
        AttributeValue::Null(value) => json!({"NULL": value}),
        AttributeValue::L(items) => json!({"L": items.iter().map(plain).collect::<Vec<_>>()}),
        AttributeValue::M(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), plain(value)));
            json!({"M": Value::Object(fields.collect())})
        }
        other => panic!("no handler writes {other:?}"),
    }
}

/// A value of DynamoDB's JSON: the kinds that tests write.
fn typed(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|value| value.iter().next()).expect("one type");
    let text = || value.as_str().expect("a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "L" => AttributeValue::L(value.as_array().expect("a list").iter().map(typed).collect()),
        other => panic!("no test writes {other}"),
    }
}
