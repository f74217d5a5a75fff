//! What SQS hands to the functions: orders of the reference system, as EventBridge sends them to a queue.

use chrono::{SecondsFormat, Utc};
use contracts::{Address, Order, OrderConfirmed, OrderLine, OrderPlaced};
use onceward::Event;
use serde::Serialize;
use serde_json::{Value, json};

/// Records of one invocation: as many as a queue's event source mapping takes unless told.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
pub(crate) const BATCH_RECORDS: u64 = 10;

/// What a function does for one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// The ledger record and one row.
    Row,
    /// The ledger record with one event in it, and one row.
    RowAndEvent,
}

impl Workload {
    pub(crate) const ALL: [Self; 2] = [Self::Row, Self::RowAndEvent];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Row => "one row",
            Self::RowAndEvent => "one row, one event",
        }
    }
}

/// An invocation's payload: the batch number `batch`, none of whose ids came before.
pub(crate) fn payload(workload: Workload, batch: u64) -> Vec<u8> {
    let number = |record| batch * BATCH_RECORDS + record;
    let records: Vec<_> = (0..BATCH_RECORDS).map(|record| record_of(workload, number(record))).collect();
    json!({ "Records": records }).to_string().into_bytes()
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>
fn record_of(workload: Workload, number: u64) -> Value {
    let body = match workload {
        Workload::Row => routed(&OrderConfirmed { order: order(number) }, number),
        Workload::RowAndEvent => routed(&OrderPlaced { order: order(number) }, number),
    };
    let millis = Utc::now().timestamp_millis().to_string();
    json!({
        "messageId": format!("059f36b4-87a3-44ab-83d2-{number:012x}"),
        "receiptHandle": format!("AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a{number:064x}"),
        "body": body.to_string(),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": millis,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": millis,
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:reserve-stock",
        "awsRegion": "us-east-1",
    })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html>
fn routed<E: Event + Serialize>(event: &E, number: u64) -> Value {
    let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let id = format!("7f0bd3a6-41c2-4f5b-9d1e-{number:012x}.0");
    json!({
        "version": "0",
        "id": format!("17793124-05d4-b198-2fde-{number:012x}"),
        "detail-type": E::wire_type(),
        "source": "orders",
        "account": "123456789012",
        "time": time,
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "specversion": "1.0",
            "id": id,
            "source": "orders",
            "type": E::wire_type(),
            "time": time,
            "subject": event.subject(),
            "datacontenttype": "application/json",
            "dataschema": format!("urn:onceward:schema:{}", E::wire_type()),
            "correlationid": format!("req_{number:032x}"),
            "causationid": format!("req_{number:032x}"),
            "traceparent": format!("00-{:032x}-{:016x}-01", number + 1, number + 1),
            "data": event,
        },
    })
}

fn order(number: u64) -> Order {
    let line = |product: &str, quantity| OrderLine { product_id: product.to_owned(), quantity, unit_price: 1_250 };
    Order {
        order_id: format!("ord_{number:032x}"),
        customer_id: "cus_4f1c2b9a".to_owned(),
        currency: "EUR".to_owned(),
        total: 3_750,
        payment_token: "tok_visa_4242".to_owned(),
        lines: vec![line("prd_teapot", 2), line("prd_cup", 1)],
        shipping_address: Address {
            name: "Ada Lovelace".to_owned(),
            line1: "12 St James's Square".to_owned(),
            city: "London".to_owned(),
            postal_code: "SW1Y 4JH".to_owned(),
            country: "GB".to_owned(),
        },
    }
}
