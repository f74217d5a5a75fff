use aws_lambda_events::kinesis::{KinesisEvent, KinesisEventRecord};
use onceward::Delivery;

use super::body;

/// Records of the Kinesis Producer Library that hold several are not taken apart: they are not text, and refused.
pub(super) fn deliveries(event: KinesisEvent) -> Vec<Delivery> {
    event.records.into_iter().map(delivery).collect()
}

fn delivery(record: KinesisEventRecord) -> Delivery {
    let (body, is_base64) = body(record.kinesis.data.0);
    Delivery {
        message_id: record.kinesis.sequence_number,
        body,
        is_base64,
        receive_count: 1,
        ordering_key: Some(record.kinesis.partition_key),
        source: record.event_source_arn.unwrap_or_default(),
        ..Delivery::default()
    }
}
