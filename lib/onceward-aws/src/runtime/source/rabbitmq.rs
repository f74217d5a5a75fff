use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::rabbitmq::{RabbitMqEvent, RabbitMqMessage};
use onceward::Delivery;
use serde_json::Value;

use super::{body, decoded};

pub(super) fn deliveries(event: RabbitMqEvent) -> Vec<Delivery> {
    let source = event.event_source_arn.unwrap_or_default();
    let mut queues: Vec<_> = event.messages_by_queue.into_iter().collect();
    queues.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut deliveries = Vec::new();
    for (queue, messages) in queues {
        let named = messages.into_iter().enumerate();
        deliveries.extend(named.map(|(place, message)| delivery(format!("{queue}#{place}"), message, &source)));
    }
    deliveries
}

fn delivery(place: String, message: RabbitMqMessage, source: &str) -> Delivery {
    let (body, is_base64) = decoded(message.data.unwrap_or_default());
    let (mut headers, mut non_text_headers) = (BTreeMap::new(), BTreeSet::new());
    for (name, value) in message.basic_properties.headers {
        match text(value) {
            Some(text) => drop(headers.insert(name, text)),
            None => drop(non_text_headers.insert(name)),
        }
    }
    Delivery {
        message_id: message.basic_properties.message_id.unwrap_or(place),
        body,
        is_base64,
        headers,
        non_text_headers,
        // RabbitMQ says that it was delivered before, not how often.
        receive_count: if message.redelivered { 2 } else { 1 },
        source: source.to_owned(),
        ..Delivery::default()
    }
}

/// A header is a text or, as Lambda passes on long strings, `{"bytes": […]}`. Numbers and the like are no text.
fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Object(object) => {
            let bytes = object.get("bytes")?.as_array()?.iter();
            // Signed or not: the low byte is the byte.
            let bytes = bytes.map(|byte| byte.as_i64().map(|byte| byte.to_le_bytes()[0])).collect::<Option<_>>()?;
            let (text, is_base64) = body(bytes);
            (!is_base64).then_some(text)
        }
        _ => None,
    }
}
