use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::DateTime;
use lambda_runtime::{LambdaEvent, service_fn};
use onceward::{Delivery, Function};

use super::{RunError, Runnable, deadline, ports, stopped};
use crate::{SqsQueues, settings};

#[async_trait(?Send)]
impl<D: Send + Sync + 'static> Runnable for Function<D> {
    async fn serve(self, config: &SdkConfig) -> Result<(), RunError> {
        let queue_url = settings::required_queue_url(settings::QUEUE_URL)?;
        let dead_letter_queue_url = settings::queue_url_or_none(settings::DEAD_LETTER_QUEUE_URL)?;
        let client = aws_sdk_sqs::Client::new(config);
        let queues = match dead_letter_queue_url {
            Some(dead_letter_queue_url) => SqsQueues::new(client, queue_url, dead_letter_queue_url),
            None => SqsQueues::without_dead_letters(client, queue_url),
        };
        let ports = ports(config)?;
        let (function, ports, queues) = (&self, &ports, &queues);
        let handle = async |event: LambdaEvent<SqsEvent>| {
            let deliveries = event.payload.records.into_iter().map(delivery).collect();
            let failures = function.handle_batch(ports, queues, deadline(&event.context), deliveries).await;
            let mut response = SqsBatchResponse::default();
            response.batch_item_failures = failures.into_iter().map(item_failure).collect();
            Ok::<_, std::convert::Infallible>(response)
        };
        lambda_runtime::run(service_fn(handle)).await.map_err(stopped)
    }
}

fn delivery(message: SqsMessage) -> Delivery {
    let attribute = |name: &str| message.attributes.get(name);
    let millis = attribute("ApproximateFirstReceiveTimestamp").and_then(|millis| millis.parse().ok());
    Delivery {
        receive_count: attribute("ApproximateReceiveCount").and_then(|count| count.parse().ok()).unwrap_or(1),
        group: attribute("MessageGroupId").cloned(),
        first_received_at: millis.and_then(DateTime::from_timestamp_millis),
        message_id: message.message_id.unwrap_or_default(),
        receipt_handle: message.receipt_handle.unwrap_or_default(),
        body: message.body.unwrap_or_default(),
        source: message.event_source_arn.unwrap_or_default(),
    }
}

fn item_failure(failure: onceward::BatchItemFailure) -> BatchItemFailure {
    let mut item = BatchItemFailure::default();
    item.item_identifier = failure.message_id;
    item
}
