use std::sync::Arc;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use onceward::{AttributeValue, Description, Envelope, Relay, RelayPorts, StreamRecord, UnreadableEvent};

use super::{
    Aws, Handler, InvocationError, RunError, Runnable,
    dead_letters::DeadLetters,
    source::{MALFORMED, item_json, value_json},
};
use crate::{
    EventBridgePublisher, SystemClock, SystemRandomness,
    dynamodb::{EVENTS, OUTBOX},
    settings,
};

impl Runnable for Relay {
    const VARIABLES: &'static [&'static str] = &[settings::EVENT_BUS_NAME];
    // Relays of earlier builds ran without it, and were held up by what they could not publish.
    const OPTIONAL_VARIABLES: &'static [&'static str] = &[settings::DEAD_LETTER_QUEUE_URL];

    fn describe(&self) -> Description {
        self.describe()
    }

    fn bind(self, aws: &Aws) -> Result<Handler, RunError> {
        let bus = settings::required_bus(settings::EVENT_BUS_NAME)?;
        let dead_letters =
            DeadLetters::new(aws_sdk_sqs::Client::new(&aws.config), settings::dead_letter_queue_url_if_set()?);
        let publisher = EventBridgePublisher::new(aws_sdk_eventbridge::Client::new(&aws.config), bus);
        let bound = Arc::new((publisher, dead_letters));
        Ok(Handler::new(move |event| {
            let bound = Arc::clone(&bound);
            async move {
                let records = records(event.payload.get())?;
                let (publisher, dead_letters) = &*bound;
                let ports = RelayPorts { clock: &SystemClock, randomness: &SystemRandomness, publisher, dead_letters };
                let failed = self.handle(ports, records).await;
                let mut response = DynamoDbEventResponse::default();
                response.batch_item_failures = failed.map(item_failure).into_iter().collect();
                Ok(response)
            }
        }))
    }
}

fn records(payload: &str) -> Result<Vec<StreamRecord>, InvocationError> {
    let batch: Event = serde_json::from_str(payload).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = format!("this is no batch of a table's stream: see line {line} column {column}");
        InvocationError::new(MALFORMED, message)
    })?;
    batch.records.into_iter().enumerate().map(|(place, record)| self::record(place, record)).collect()
}

fn record(place: usize, record: EventRecord) -> Result<StreamRecord, InvocationError> {
    // Without it the stream could not be told where to go on.
    let sequence_number = record.change.sequence_number.ok_or_else(|| {
        InvocationError::new(MALFORMED, format!("the record at place {place} has no `dynamodb.SequenceNumber`"))
    })?;
    let image = record.change.new_image;
    let unreadable = |error: String| vec![Err(UnreadableEvent { body: item_json(&image), error })];
    let events = match image.get(EVENTS) {
        Some(AttributeValue::L(events)) => events.iter().map(envelope).collect(),
        Some(_) => unreadable(format!("the attribute `{EVENTS}` is not a list")),
        None if image.contains_key(OUTBOX) => unreadable(format!("it has `{OUTBOX}`, and no `{EVENTS}`")),
        None => Vec::new(),
    };
    Ok(StreamRecord { sequence_number, source: record.event_source_arn.unwrap_or_default(), events })
}

fn envelope(value: &AttributeValue) -> Result<Envelope, UnreadableEvent> {
    let AttributeValue::S(text) = value else {
        let error = format!("`{EVENTS}` holds a value that is not text");
        return Err(UnreadableEvent { body: value_json(value), error });
    };
    Envelope::parse(text).map_err(|error| UnreadableEvent { body: text.clone(), error: error.to_string() })
}

fn item_failure(sequence_number: String) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    failure
}

#[cfg(test)]
mod tests;
