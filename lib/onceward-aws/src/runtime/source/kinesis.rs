use aws_lambda_events::kinesis::{KinesisEvent, KinesisEventRecord};
use onceward::{Delivery, NoValue};

use super::{Absent, InvocationError, Received, Source, body, required};

/// Records of the Kinesis Producer Library that hold several are not taken apart: they are not text, and refused.
pub(super) fn records(event: KinesisEvent) -> Result<Vec<Received>, InvocationError> {
    event.records.into_iter().enumerate().map(|(place, record)| received(place, record)).collect()
}

fn received(place: usize, record: KinesisEventRecord) -> Result<Received, InvocationError> {
    let (body, is_base64) = body(record.kinesis.data.0);
    let path = || format!("Records[{place}].kinesis.sequenceNumber");
    let delivery = Delivery {
        message_id: required(Some(record.kinesis.sequence_number), Source::Kinesis, path)?,
        body,
        is_base64,
        receive_count: 1,
        ordering_key: Some(record.kinesis.partition_key.clone()),
        source: record.event_source_arn.unwrap_or_default(),
        ..Delivery::default()
    };
    let absent = delivery.body.is_empty().then(|| Absent {
        // With its shard: a sequence number is unique in its shard only.
        id: Some(record.event_id.unwrap_or_else(|| delivery.message_id.clone())),
        time: Some(record.kinesis.approximate_arrival_timestamp.0),
        record: NoValue {
            topic: stream(&delivery.source).to_owned(),
            key: Some(record.kinesis.partition_key),
            key_is_base64: false,
        },
    });
    Ok(Received { delivery, absent })
}

/// The stream's name of its ARN, or of that of one of its consumers.
fn stream(arn: &str) -> &str {
    let name = arn.split_once(":stream/").map_or(arn, |(_, name)| name);
    name.split_once('/').map_or(name, |(name, _)| name)
}
