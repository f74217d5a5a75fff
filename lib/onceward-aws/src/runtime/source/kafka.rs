use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::kafka::{KafkaEvent, KafkaRecord};
use onceward::Delivery;

use super::{body, decoded};

/// Records with a key are in order by it, those without one by their partition.
pub(super) fn deliveries(event: KafkaEvent) -> Vec<Delivery> {
    let source = event.event_source_arn.or(event.bootstrap_servers).unwrap_or_default();
    let mut partitions: Vec<_> = event.records.into_iter().collect();
    partitions.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    let records = partitions
        .into_iter()
        .flat_map(|(partition, records)| records.into_iter().map(move |record| (partition.clone(), record)));
    records.map(|(partition, record)| delivery(&partition, record, &source)).collect()
}

fn delivery(partition: &str, record: KafkaRecord, source: &str) -> Delivery {
    let (body, is_base64) = decoded(record.value.unwrap_or_default());
    let (mut headers, mut non_text_headers) = (BTreeMap::new(), BTreeSet::new());
    for (name, value) in record.headers.into_iter().flatten() {
        match text(value) {
            Some(text) => drop(headers.insert(name, text)),
            None => drop(non_text_headers.insert(name)),
        }
    }
    let ordering_key = format!("{partition}/{}", record.key.as_deref().unwrap_or_default());
    Delivery {
        message_id: format!("{partition}@{}", record.offset),
        body,
        is_base64,
        headers,
        non_text_headers,
        receive_count: 1,
        ordering_key: Some(ordering_key),
        source: source.to_owned(),
        ..Delivery::default()
    }
}

/// A header's value: Java's signed bytes.
fn text(bytes: Vec<i8>) -> Option<String> {
    let (text, is_base64) = body(bytes.into_iter().map(i8::cast_unsigned).collect());
    (!is_base64).then_some(text)
}
