use std::sync::Arc;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use onceward::{AttributeValue, Description, Envelope, Relay, StreamRecord};

use super::{Aws, Handler, InvocationError, RunError, Runnable, source::MALFORMED};
use crate::{EventBridgePublisher, SystemClock, SystemRandomness, dynamodb::EVENTS, settings};

impl Runnable for Relay {
    const VARIABLES: &'static [&'static str] = &[settings::EVENT_BUS_NAME];

    fn describe(&self) -> Description {
        self.describe()
    }

    fn bind(self, aws: &Aws) -> Result<Handler, RunError> {
        let bus = settings::required_bus(settings::EVENT_BUS_NAME)?;
        let publisher = Arc::new(EventBridgePublisher::new(aws_sdk_eventbridge::Client::new(&aws.config), bus));
        Ok(Handler::new(move |event| {
            let publisher = Arc::clone(&publisher);
            async move {
                let records: Event = serde_json::from_str(event.payload.get()).map_err(|error| {
                    let (line, column) = (error.line(), error.column());
                    let message = format!("this is no batch of a table's stream: see line {line} column {column}");
                    InvocationError::new(MALFORMED, message)
                })?;
                let records = records.records.into_iter().map(record).collect();
                let failed = self.handle(&SystemClock, &SystemRandomness, publisher.as_ref(), records).await;
                let mut response = DynamoDbEventResponse::default();
                response.batch_item_failures = failed.map(item_failure).into_iter().collect();
                Ok(response)
            }
        }))
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
