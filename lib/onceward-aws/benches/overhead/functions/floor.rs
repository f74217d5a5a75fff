//! The function as one would write it by hand: what it cannot do without, and nothing of what a runtime is for. It
//! logs nothing, watches no deadline, takes no fingerprint of the payload, and tries nothing again.

use std::process::ExitCode;

use aws_config::BehaviorVersion;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, TransactWriteItem, Update},
};
use chrono::{SecondsFormat, TimeDelta, Utc};
use contracts::{OrderPlaced, StockReserved};
use futures_util::{StreamExt as _, stream};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};

/// As long as the runtime's own, so that the items have the same size.
const FINGERPRINT: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// All records of a batch, as the runtime has it.
const CONCURRENCY: usize = 10;

const RETENTION_DAYS: i64 = 15;

/// What EventBridge puts around the envelope.
#[derive(Deserialize)]
struct Routed {
    detail: Received,
}

#[derive(Deserialize)]
struct Received {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    correlationid: String,
    traceparent: String,
    /// `OrderConfirmed` has the same shape.
    data: OrderPlaced,
}

#[derive(Serialize)]
struct Published<'a> {
    specversion: &'static str,
    id: String,
    source: &'static str,
    #[serde(rename = "type")]
    event_type: &'static str,
    time: &'a str,
    subject: &'a str,
    datacontenttype: &'static str,
    dataschema: &'static str,
    correlationid: &'a str,
    causationid: &'a str,
    traceparent: &'a str,
    data: &'a StockReserved,
}

struct Floor {
    client: Client,
    ledger_table: String,
    inventory_table: String,
}

impl Floor {
    async fn handle(&self, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
        // Not `join_all`: it polls all of a batch whenever one can go on.
        let records = stream::iter(event.payload.records).map(|record| self.record(record));
        let failures = records.buffer_unordered(CONCURRENCY).filter_map(std::future::ready);
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = failures.collect().await;
        Ok(response)
    }

    /// Its item in the answer, if it failed.
    async fn record(&self, record: SqsMessage) -> Option<BatchItemFailure> {
        self.transact(&record.body.unwrap_or_default()).await.err()?;
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = record.message_id.unwrap_or_default();
        Some(failure)
    }

    async fn transact(&self, body: &str) -> Result<(), Error> {
        let event = serde_json::from_str::<Routed>(body)?.detail;
        let publishes = event.event_type == "order.placed.v1";
        let commit_id = commit_id();
        let update = self.update(&event, publishes)?;
        let put = self.put(&commit_id, event, publishes)?;
        let request = self.client.transact_write_items().client_request_token(commit_id);
        let request = request.transact_items(TransactWriteItem::builder().put(put).build());
        request.transact_items(TransactWriteItem::builder().update(update).build()).send().await?;
        Ok(())
    }

    fn put(&self, commit_id: &str, event: Received, publishes: bool) -> Result<Put, Error> {
        let now = Utc::now();
        let time = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        let expires_at = (now + TimeDelta::days(RETENTION_DAYS)).timestamp();
        let mut put = Put::builder()
            .table_name(&self.ledger_table)
            .item("pk", text(format!("reserve-stock#{}", event.id)))
            .item("status", text("completed"))
            .item("commit_id", text(commit_id))
            .item("fingerprint", text(FINGERPRINT))
            .item("expires_at", AttributeValue::N(expires_at.to_string()))
            .condition_expression("attribute_not_exists(pk)");
        if publishes {
            let envelope = envelope(commit_id, &time, event)?;
            put = put.item("outbox", text("pending")).item("events", AttributeValue::L(vec![text(envelope)]));
        }
        Ok(put.item("committed_at", text(time)).build()?)
    }

    fn update(&self, event: &Received, publishes: bool) -> Result<Update, Error> {
        let line = &event.data.order.lines[0];
        let (condition, change) = match publishes {
            true => ("available >= :all", "ADD available :out, reserved :all"),
            false => ("reserved >= :all", "ADD reserved :out"),
        };
        let update = Update::builder()
            .table_name(&self.inventory_table)
            .key("pk", text(format!("product#{}", line.product_id)))
            .condition_expression(condition)
            .update_expression(change)
            .expression_attribute_values(":all", AttributeValue::N(line.quantity.to_string()))
            .expression_attribute_values(":out", AttributeValue::N((-i64::from(line.quantity)).to_string()));
        Ok(update.build()?)
    }
}

fn envelope(commit_id: &str, time: &str, event: Received) -> Result<String, Error> {
    let data = StockReserved { order: event.data.order };
    let published = Published {
        specversion: "1.0",
        id: format!("{commit_id}.0"),
        source: "inventory",
        event_type: "stock.reserved.v1",
        time,
        subject: &data.order.order_id,
        datacontenttype: "application/json",
        dataschema: "urn:onceward:schema:stock.reserved.v1",
        correlationid: &event.correlationid,
        causationid: &event.id,
        traceparent: &event.traceparent,
        data: &data,
    };
    Ok(serde_json::to_string(&published)?)
}

/// As long as a UUID with its hyphens.
fn commit_id() -> String {
    let (high, low) = rand::random::<(u64, u64)>();
    format!("{high:018x}{low:018x}")
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

async fn serve() -> Result<(), Error> {
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(onceward_aws::http_client()?).load().await;
    let client = Client::new(&config);
    let (ledger_table, inventory_table) = (std::env::var("LEDGER_TABLE")?, std::env::var("INVENTORY_TABLE")?);
    let floor = &Floor { client, ledger_table, inventory_table };
    lambda_runtime::run(service_fn(async |event| floor.handle(event).await)).await
}

fn main() -> Result<ExitCode, Error> {
    // Cargo runs every benchmark; this one is of use to `overhead` alone.
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve())?;
    Ok(ExitCode::SUCCESS)
}
