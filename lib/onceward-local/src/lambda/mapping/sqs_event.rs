//! A message as Lambda hands it to a function.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::sqs::{AttributeValue, MessageAttribute, Received};

/// One element of `Records`.
pub(super) fn record(message: &Received, queue_arn: &str, region: &str) -> Value {
    let attributes = message.message_attributes.iter().map(|(name, value)| (name.clone(), attribute(value)));
    let mut record = json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": message.attributes,
        "messageAttributes": attributes.collect::<Map<_, _>>(),
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    });
    if let Some(md5) = &message.md5_of_message_attributes {
        record["md5OfMessageAttributes"] = json!(md5);
    }
    record
}

fn attribute(attribute: &MessageAttribute) -> Value {
    let (field, value) = match &attribute.value {
        AttributeValue::Text(text) => ("stringValue", text.clone()),
        AttributeValue::Binary(bytes) => ("binaryValue", STANDARD.encode(bytes)),
    };
    json!({ field: value, "stringListValues": [], "binaryListValues": [], "dataType": attribute.data_type })
}
