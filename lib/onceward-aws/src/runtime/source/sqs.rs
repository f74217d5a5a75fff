use std::collections::BTreeMap;

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use chrono::DateTime;
use onceward::Delivery;

use crate::sqs::FIFO_SUFFIX;

pub(super) fn deliveries(event: SqsEvent) -> Vec<Delivery> {
    event.records.into_iter().map(delivery).collect()
}

fn delivery(message: SqsMessage) -> Delivery {
    let attribute = |name: &str| message.attributes.get(name);
    let millis = attribute("ApproximateFirstReceiveTimestamp").and_then(|millis| millis.parse().ok());
    let source = message.event_source_arn.unwrap_or_default();
    // A standard queue's message group is for fairness between tenants, not for order:
    // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>.
    let ordering_key = attribute("MessageGroupId").filter(|_| source.ends_with(FIFO_SUFFIX)).cloned();
    let headers: BTreeMap<_, _> = message
        .message_attributes
        .into_iter()
        .filter_map(|(name, attribute)| Some((name, attribute.string_value?)))
        .collect();
    Delivery {
        receive_count: attribute_count(message.attributes.get("ApproximateReceiveCount")),
        ordering_key,
        first_received_at: millis.and_then(DateTime::from_timestamp_millis),
        message_id: message.message_id.unwrap_or_default(),
        receipt_handle: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        is_base64: false,
        headers,
        source,
    }
}

fn attribute_count(count: Option<&String>) -> u32 {
    count.and_then(|count| count.parse().ok()).unwrap_or(1)
}
