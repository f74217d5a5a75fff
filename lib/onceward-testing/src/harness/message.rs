use onceward::{Delivery, Envelope, Event};

use super::Harness;

/// An event in a queue: what the runtime is handed, and what a test may want to vary.
#[derive(Debug, Clone)]
pub struct Message {
    pub(super) delivery: Delivery,
}

impl Harness {
    /// A message with an event of its own id, as EventBridge puts it into a queue, received once.
    ///
    /// # Panics
    /// If the event cannot be serialized.
    pub fn message<E: Event>(&self, event: &E) -> Message {
        let envelope = Envelope {
            specversion: "1.0".to_owned(),
            id: format!("event-{}", self.next()),
            source: "test".to_owned(),
            event_type: E::wire_type(),
            time: self.now(),
            subject: Some(event.subject()),
            datacontenttype: Some("application/json".to_owned()),
            dataschema: None,
            correlationid: None,
            causationid: None,
            traceparent: None,
            sequence: None,
            data: serde_json::value::to_raw_value(event).expect("the event can be serialized"),
        };
        let body = serde_json::json!({ "detail-type": envelope.event_type, "detail": envelope });
        self.message_of(body.to_string())
    }

    /// A message with this body, received once.
    pub fn message_of(&self, body: impl Into<String>) -> Message {
        let number = self.next();
        Message {
            delivery: Delivery {
                message_id: format!("message-{number}"),
                receipt_handle: format!("receipt-{number}"),
                body: body.into(),
                receive_count: 1,
                source: "arn:aws:sqs:test:000000000000:queue".to_owned(),
                first_received_at: Some(self.now()),
                ..Delivery::default()
            },
        }
    }
}

impl Message {
    /// How often it was received, this time included.
    #[must_use]
    pub fn received(mut self, times: u32) -> Self {
        self.delivery.receive_count = times;
        self
    }

    /// Its ordering key: a FIFO message group, a partition key.
    #[must_use]
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.delivery.ordering_key = Some(key.into());
        self
    }

    /// A message attribute, which a function may take its idempotency key from.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.delivery.headers.insert(name.into(), value.into());
        self
    }
}
