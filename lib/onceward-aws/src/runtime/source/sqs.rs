use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::sqs::{SqsEvent, SqsMessage};
use chrono::DateTime;
use onceward::Delivery;

use super::{InvocationError, MISSING, Source, malformed, required};
use crate::sqs::FIFO_SUFFIX;

const RECEIVE_COUNT: &str = "ApproximateReceiveCount";
const FIRST_RECEIVED: &str = "ApproximateFirstReceiveTimestamp";

pub(super) fn deliveries(event: SqsEvent) -> Result<Vec<Delivery>, InvocationError> {
    event.records.into_iter().enumerate().map(|(place, message)| delivery(place, message)).collect()
}

fn delivery(place: usize, message: SqsMessage) -> Result<Delivery, InvocationError> {
    let path = |field: &str| format!("Records[{place}].{field}");
    let attribute = |name: &str| message.attributes.get(name);
    let odd = |name: &str, what: &str| malformed(Source::Sqs, &path(&format!("attributes.{name}")), what);
    // An event that was made by hand may lack the attributes; one that has them has to mean them.
    let receive_count =
        attribute(RECEIVE_COUNT).map(|count| count.parse().map_err(|_| odd(RECEIVE_COUNT, "is no count")));
    let first_received_at = attribute(FIRST_RECEIVED).map(|millis| {
        let time = millis.parse().ok().and_then(DateTime::from_timestamp_millis);
        time.ok_or_else(|| odd(FIRST_RECEIVED, "is no time in milliseconds"))
    });
    let source = message.event_source_arn.unwrap_or_default();
    // A standard queue's message group is for fairness between tenants, not for order:
    // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>.
    let ordering_key = attribute("MessageGroupId").filter(|_| source.ends_with(FIFO_SUFFIX)).cloned();
    let (mut headers, mut non_text_headers) = (BTreeMap::new(), BTreeSet::new());
    for (name, attribute) in message.message_attributes {
        match attribute.string_value {
            Some(text) => drop(headers.insert(name, text)),
            None => drop(non_text_headers.insert(name)),
        }
    }
    Ok(Delivery {
        receive_count: receive_count.transpose()?.unwrap_or(1),
        ordering_key,
        first_received_at: first_received_at.transpose()?,
        message_id: required(message.message_id, Source::Sqs, || path("messageId"))?,
        // Without one it comes back when its visibility timeout ends.
        receipt_handle: message.receipt_handle.unwrap_or_default(),
        body: message.body.ok_or_else(|| malformed(Source::Sqs, &path("body"), MISSING))?,
        is_base64: false,
        headers,
        non_text_headers,
        source,
    })
}
