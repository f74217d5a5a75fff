use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda_runtime::{LambdaEvent, service_fn};
use onceward::{AttributeValue, Envelope, Relay, StreamRecord};

use super::{RunError, Runnable, stopped};
use crate::{EventBridgePublisher, SystemClock, SystemRandomness, dynamodb::EVENTS, settings};

#[async_trait(?Send)]
impl Runnable for Relay {
    async fn serve(self, config: &SdkConfig) -> Result<(), RunError> {
        let bus = settings::required_bus(settings::EVENT_BUS_NAME)?;
        let publisher = EventBridgePublisher::new(aws_sdk_eventbridge::Client::new(config), bus);
        let (relay, publisher) = (&self, &publisher);
        let handle = async |event: LambdaEvent<Event>| {
            let records = event.payload.records.into_iter().map(record).collect();
            let failed = relay.handle(&SystemClock, &SystemRandomness, publisher, records).await;
            let mut response = DynamoDbEventResponse::default();
            response.batch_item_failures = failed.map(item_failure).into_iter().collect();
            Ok::<_, std::convert::Infallible>(response)
        };
        lambda_runtime::run(service_fn(handle)).await.map_err(stopped)
    }
}

fn record(record: EventRecord) -> StreamRecord {
    let sequence_number = record.change.sequence_number.unwrap_or_default();
    let events = match record.change.new_image.into_inner().remove(EVENTS) {
        None => Ok(Vec::new()),
        Some(AttributeValue::L(events)) => events.iter().map(envelope).collect(),
        Some(_) => Err(format!("the attribute `{EVENTS}` is not a list")),
    };
    StreamRecord { sequence_number, events }
}

fn envelope(value: &AttributeValue) -> Result<Envelope, String> {
    let AttributeValue::S(text) = value else { return Err(format!("`{EVENTS}` holds a value that is not text")) };
    Envelope::parse(text).map_err(|error| error.to_string())
}

fn item_failure(sequence_number: String) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    failure
}
