use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::rabbitmq::{RabbitMqEvent, RabbitMqMessage};
use chrono::{DateTime, NaiveDateTime, Utc};
use onceward::{Delivery, NoValue};
use serde_json::Value;

use super::{Absent, Received, body, decoded};

/// A message's time as Lambda's own example has it: `Jan 1, 1970, 12:33:41 AM`.
/// <https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html>
const TIME_FORMAT: &str = "%b %d, %Y, %I:%M:%S %p";

pub(super) fn records(event: RabbitMqEvent) -> Vec<Received> {
    let source = event.event_source_arn.unwrap_or_default();
    let mut queues: Vec<_> = event.messages_by_queue.into_iter().collect();
    queues.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let mut records = Vec::new();
    for (queue, messages) in queues {
        let named = messages.into_iter().enumerate();
        records.extend(named.map(|(place, message)| received(&queue, place, message, &source)));
    }
    records
}

fn received(queue: &str, place: usize, message: RabbitMqMessage, source: &str) -> Received {
    let (body, is_base64) = decoded(message.data.unwrap_or_default());
    let (mut headers, mut non_text_headers) = (BTreeMap::new(), BTreeSet::new());
    for (name, value) in message.basic_properties.headers {
        match text(value) {
            Some(text) => drop(headers.insert(name, text)),
            None => drop(non_text_headers.insert(name)),
        }
    }
    let id = message.basic_properties.message_id;
    let absent = body.is_empty().then(|| Absent {
        // One message may be in several queues.
        id: id.as_ref().map(|id| format!("{queue}#{id}")),
        time: message.basic_properties.timestamp.as_deref().and_then(time),
        record: NoValue { topic: queue.to_owned(), key: None, key_is_base64: false },
    });
    let delivery = Delivery {
        message_id: id.unwrap_or_else(|| format!("{queue}#{place}")),
        body,
        is_base64,
        headers,
        non_text_headers,
        // RabbitMQ says that it was delivered before, not how often.
        receive_count: if message.redelivered { 2 } else { 1 },
        source: source.to_owned(),
        ..Delivery::default()
    };
    Received { delivery, absent }
}

/// The time without a zone is UTC's; one in another form counts as none. Newer Java has an odd space before `AM`.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.replace('\u{202f}', " ");
    NaiveDateTime::parse_from_str(&text, TIME_FORMAT).ok().map(|time| time.and_utc())
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
