use aws_lambda_events::kinesis::{KinesisEvent, KinesisEventRecord};
use onceward::Delivery;

use super::{InvocationError, Source, body, required};

/// Records of the Kinesis Producer Library that hold several are not taken apart: they are not text, and refused.
pub(super) fn deliveries(event: KinesisEvent) -> Result<Vec<Delivery>, InvocationError> {
    event.records.into_iter().enumerate().map(|(place, record)| delivery(place, record)).collect()
}

fn delivery(place: usize, record: KinesisEventRecord) -> Result<Delivery, InvocationError> {
    let (body, is_base64) = body(record.kinesis.data.0);
    let path = || format!("Records[{place}].kinesis.sequenceNumber");
    Ok(Delivery {
        message_id: required(Some(record.kinesis.sequence_number), Source::Kinesis, path)?,
        body,
        is_base64,
        receive_count: 1,
        ordering_key: Some(record.kinesis.partition_key),
        source: record.event_source_arn.unwrap_or_default(),
        ..Delivery::default()
    })
}
