use aws_lambda_events::sns::{SnsEvent, SnsRecord};
use onceward::Delivery;

pub(super) fn deliveries(event: SnsEvent) -> Vec<Delivery> {
    event.records.into_iter().map(delivery).collect()
}

fn delivery(SnsRecord { sns, .. }: SnsRecord) -> Delivery {
    let headers = sns.message_attributes.into_iter().map(|(name, attribute)| (name, attribute.value));
    Delivery {
        message_id: sns.message_id,
        body: sns.message,
        headers: headers.collect(),
        receive_count: 1,
        source: sns.topic_arn,
        ..Delivery::default()
    }
}
