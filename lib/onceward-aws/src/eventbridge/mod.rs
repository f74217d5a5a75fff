mod permanent;

use async_trait::async_trait;
use aws_sdk_eventbridge::{
    Client,
    primitives::DateTime,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use onceward::{Envelope, PublishError, PublishFailure, Publisher};

use crate::{
    refusal::{self, BoxError, Resource, Said},
    settings,
};

/// The most entries one PutEvents takes:
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
const ENTRIES_MAX: usize = 10;

/// The most bytes the entries of one PutEvents may have together: 256 KB, read as the smaller of its two meanings.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
const REQUEST_BYTES_MAX: usize = 256_000;

/// What IAM calls the action.
const PUT_EVENTS: &str = "events:PutEvents";

/// What an entry counts besides the envelope: time, source and detail type.
const ENTRY_BYTES: usize = 512;

/// Sends events to an EventBridge bus: `source` and type become the event's `source` and `detail-type`, the envelope
/// its `detail`.
#[derive(Debug, Clone)]
pub struct EventBridgePublisher {
    client: Client,
    bus: String,
}

impl EventBridgePublisher {
    /// A publisher for one bus, by name or ARN.
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        Self { client, bus: bus.into() }
    }
}

#[async_trait]
impl Publisher for EventBridgePublisher {
    fn batch_max(&self) -> usize {
        ENTRIES_MAX
    }

    fn batch_bytes_max(&self) -> usize {
        REQUEST_BYTES_MAX - ENTRIES_MAX * ENTRY_BYTES
    }

    async fn publish(&self, envelopes: &[&Envelope]) -> Result<Vec<PublishFailure>, PublishError> {
        let failed = |source: BoxError, permanent| PublishError { source, permanent };
        let entries: Result<Vec<_>, serde_json::Error> =
            envelopes.iter().map(|envelope| self.entry(envelope)).collect();
        let entries = entries.map_err(|error| failed(error.into(), true))?;
        let answer = self.client.put_events().set_entries(Some(entries)).send().await;
        let answer = answer.map_err(|error| {
            let permanent = refusal::said(&error).is_some_and(|said| permanent::call(&said));
            failed(refusal::explained(PUT_EVENTS, &[self.resource()], error), permanent)
        })?;
        // What has no result, or one without an id, is not on the bus, whatever the answer leaves out.
        let refused = envelopes.iter().enumerate().filter_map(|(index, envelope)| {
            let result = answer.entries().get(index);
            let taken = result.is_some_and(|result| result.event_id().is_some());
            let permanent = result.is_some_and(|result| permanent::entry(result, &envelope.source));
            (!taken).then(|| PublishFailure { index, reason: self.reason(result), permanent })
        });
        Ok(refused.collect())
    }
}

impl EventBridgePublisher {
    /// Why an entry was refused, with its causes in one line.
    fn reason(&self, result: Option<&PutEventsResultEntry>) -> String {
        let code = result.and_then(|result| result.error_code()).map(str::to_owned);
        let message = result.and_then(|result| result.error_message()).map(str::to_owned);
        let said = Said { code, message, status: None, request_id: None };
        let reason = refusal::explain(PUT_EVENTS, &[self.resource()], said);
        match reason.source() {
            Some(source) => format!("{reason}: {source}"),
            None => reason.to_string(),
        }
    }

    /// The bus, as an error names it.
    fn resource(&self) -> Resource {
        let variable = Some(settings::EVENT_BUS_NAME.to_owned());
        Resource { kind: "event bus", name: self.bus.clone(), variable }
    }

    fn entry(&self, envelope: &Envelope) -> Result<PutEventsRequestEntry, serde_json::Error> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(&envelope.source)
            .detail_type(&envelope.event_type)
            .time(DateTime::from_millis(envelope.time.timestamp_millis()))
            .detail(serde_json::to_string(envelope)?);
        Ok(entry.build())
    }
}

#[cfg(test)]
mod tests;
