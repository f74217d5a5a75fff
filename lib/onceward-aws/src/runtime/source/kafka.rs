use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::kafka::{KafkaEvent, KafkaRecord};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use onceward::{Delivery, NoValue};

use super::{Absent, Received, body, decoded};

/// Records with a key are in order by it, those without one by their partition.
pub(super) fn records(event: KafkaEvent) -> Vec<Received> {
    let source = event.event_source_arn.or(event.bootstrap_servers).unwrap_or_default();
    let mut partitions: Vec<_> = event.records.into_iter().collect();
    partitions.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let records = partitions
        .into_iter()
        .flat_map(|(partition, records)| records.into_iter().map(move |record| (partition.clone(), record)));
    records.map(|(partition, record)| received(&partition, record, &source)).collect()
}

fn received(partition: &str, record: KafkaRecord, source: &str) -> Received {
    let (body, is_base64) = decoded(record.value.unwrap_or_default());
    let (mut headers, mut non_text_headers) = (BTreeMap::new(), BTreeSet::new());
    for (name, value) in record.headers.into_iter().flatten() {
        match text(value) {
            Some(text) => drop(headers.insert(name, text)),
            None => drop(non_text_headers.insert(name)),
        }
    }
    let ordering_key = format!("{partition}/{}", record.key.as_deref().unwrap_or_default());
    let delivery = Delivery {
        message_id: format!("{partition}@{}", record.offset),
        body,
        is_base64,
        headers,
        non_text_headers,
        receive_count: 1,
        ordering_key: Some(ordering_key),
        source: source.to_owned(),
        ..Delivery::default()
    };
    let absent = delivery.body.is_empty().then(|| {
        let topic = partition.rsplit_once('-').map_or(partition, |(topic, _)| topic);
        let key = record.key.map(key);
        Absent {
            id: Some(delivery.message_id.clone()),
            // A producer may say no time, which is -1.
            time: Some(record.timestamp.0).filter(|time| time.timestamp_millis() > 0),
            record: NoValue {
                topic: record.topic.unwrap_or_else(|| topic.to_owned()),
                key_is_base64: key.as_ref().is_some_and(|(_, is_base64)| *is_base64),
                key: key.map(|(key, _)| key),
            },
        }
    });
    Received { delivery, absent }
}

/// A key, decoded: as text, or base64 with `true`. What is not base64 after all stays as it is.
fn key(base64: String) -> (String, bool) {
    BASE64_STANDARD.decode(&base64).map_or((base64, false), body)
}

/// A header's value: Java's signed bytes.
fn text(bytes: Vec<i8>) -> Option<String> {
    let (text, is_base64) = body(bytes.into_iter().map(i8::cast_unsigned).collect());
    (!is_base64).then_some(text)
}
