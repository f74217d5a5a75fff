mod plain;

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::SecondsFormat;
use onceward::{AttributeValue, Delivery, Item};
use plain::{Plain, PlainItem};
use serde::Serialize;

use super::{InvocationError, Source, required};
use crate::dynamodb::EVENTS;

/// The type of a change's event is this and the stream's `eventName`: `INSERT`, `MODIFY`, `REMOVE`.
const TYPE_PREFIX: &str = "com.amazonaws.dynamodb.";

/// A change of an item as an event: what the stream's view holds of it, in plain JSON.
#[derive(Serialize)]
struct Change<'a> {
    specversion: &'static str,
    id: String,
    source: String,
    #[serde(rename = "type")]
    event_type: String,
    time: String,
    subject: String,
    data: Images<'a>,
}

#[derive(Serialize)]
struct Images<'a> {
    keys: PlainItem<'a>,
    #[serde(skip_serializing_if = "PlainItem::is_empty")]
    new_image: PlainItem<'a>,
    #[serde(skip_serializing_if = "PlainItem::is_empty")]
    old_image: PlainItem<'a>,
}

/// A ledger's record holds the events of one commit; any other record is a change of an item.
pub(super) fn deliveries(event: Event) -> Result<Vec<Delivery>, InvocationError> {
    let records = event.records.into_iter().enumerate().map(|(place, it)| record(place, it));
    Ok(records.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn record(place: usize, record: EventRecord) -> Result<Vec<Delivery>, InvocationError> {
    let path = |field: &str| format!("Records[{place}].{field}");
    let source = required(record.event_source_arn, Source::DynamoDb, || path("eventSourceARN"))?;
    let table = source.split_once("/stream/").map_or(source.as_str(), |(table, _)| table).to_owned();
    let number = record.change.sequence_number.clone();
    let message_id = required(number, Source::DynamoDb, || path("dynamodb.SequenceNumber"))?;
    let subject = keys_text(&record.change.keys);
    let ordering_key = ordering_key(&record.change.keys, &subject);
    let delivery = |body| Delivery {
        message_id: message_id.clone(),
        body,
        receive_count: 1,
        ordering_key: Some(ordering_key.clone()),
        source: source.clone(),
        ..Delivery::default()
    };
    if let Some(AttributeValue::L(events)) = record.change.new_image.get(EVENTS) {
        // What is no text is no event either: it is given up with all that it holds.
        let text = |event: &AttributeValue| match event {
            AttributeValue::S(text) => text.clone(),
            other => value_json(other),
        };
        return Ok(events.iter().map(text).map(delivery).collect());
    }
    let change = record.change;
    let event = Change {
        specversion: "1.0",
        id: record.event_id,
        source: table,
        event_type: format!("{TYPE_PREFIX}{}", record.event_name),
        time: change.approximate_creation_date_time.to_rfc3339_opts(SecondsFormat::Millis, true),
        subject,
        data: Images {
            keys: PlainItem(&change.keys),
            new_image: PlainItem(&change.new_image),
            old_image: PlainItem(&change.old_image),
        },
    };
    Ok(vec![delivery(json(&event))])
}

/// The values of the keys, by their attributes' names: the same for every change of one item.
fn keys_text(keys: &serde_dynamo::Item) -> String {
    let keys: &Item = keys;
    let sorted: BTreeMap<_, _> = keys.iter().collect();
    let text = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        AttributeValue::B(bytes) => BASE64_STANDARD.encode(bytes),
        other => value_json(other),
    };
    sorted.into_values().map(text).collect::<Vec<_>>().join("/")
}

/// An item in plain JSON, with nothing lost.
pub(in crate::runtime) fn item_json(item: &serde_dynamo::Item) -> String {
    json(&PlainItem(item))
}

/// The same for one value.
pub(in crate::runtime) fn value_json(value: &AttributeValue) -> String {
    json(&Plain(value))
}

/// Of an item with two keys their JSON, because their text may be that of another item: `a/b`, `c` and `a`, `b/c`.
fn ordering_key(keys: &serde_dynamo::Item, text: &str) -> String {
    let keys_count = {
        let keys: &Item = keys;
        keys.len()
    };
    if keys_count > 1 { json(&PlainItem(keys)) } else { text.to_owned() }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("names and values of an item all have a form in JSON")
}

#[cfg(test)]
mod tests;
