use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, Utc};

use crate::{
    DeadLetter, Envelope, EnvelopeError, EventMetadata, Ports, Reason,
    context::{Call, new_trace},
};

/// One message as a queue delivered it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The queue's id of the message.
    pub message_id: String,
    /// Names this delivery of it to the queue.
    pub receipt_handle: String,
    /// The body as received.
    pub body: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// The FIFO message group: handled in order.
    pub group: Option<String>,
    /// ARN of the queue.
    pub source: String,
    /// When it was first received, if the queue says.
    pub first_received_at: Option<DateTime<Utc>>,
}

/// A message that was not handled: the queue keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItemFailure {
    /// The queue's id of the message.
    pub message_id: String,
}

/// A message that was read as far as possible.
pub(super) struct Prepared {
    pub(super) delivery: Delivery,
    pub(super) event: Result<(Envelope, Arc<Call>), EnvelopeError>,
}

/// A failure, and when to try again.
pub(super) struct Unhandled {
    pub(super) failure: BatchItemFailure,
    pub(super) receipt_handle: String,
    pub(super) delay: Duration,
}

impl Delivery {
    pub(super) fn prepare(self, ports: &Ports, deadline: DateTime<Utc>) -> Prepared {
        let event = Envelope::parse(&self.body).map(|envelope| {
            let call = Call {
                ports: ports.clone(),
                event: EventMetadata::of(&envelope, ports),
                idempotency_key: envelope.id.clone(),
                deadline,
                attempt: self.receive_count,
                subject: OnceLock::new(),
            };
            (envelope, Arc::new(call))
        });
        Prepared { delivery: self, event }
    }

    /// What the log says of a message that is no event.
    pub(super) fn unreadable(&self, time: DateTime<Utc>, ports: &Ports) -> EventMetadata {
        EventMetadata {
            id: self.message_id.clone(),
            event_type: "(unreadable)".to_owned(),
            source: self.source.clone(),
            subject: String::new(),
            time,
            sequence: None,
            correlation_id: self.message_id.clone(),
            trace: new_trace(ports),
        }
    }
}

impl Prepared {
    pub(super) fn dead_letter(
        &self,
        function: &str,
        reason: Reason,
        error: String,
        failed_at: DateTime<Utc>,
    ) -> DeadLetter {
        let event = self.event.as_ref().ok();
        DeadLetter {
            body: self.delivery.body.clone(),
            group: self.delivery.group.clone(),
            message_id: self.delivery.message_id.clone(),
            reason,
            error,
            function: function.to_owned(),
            source: self.delivery.source.clone(),
            attempts: self.delivery.receive_count,
            first_received_at: self.delivery.first_received_at,
            failed_at,
            event: event.map(|(envelope, _)| (envelope.id.clone(), envelope.event_type.clone())),
        }
    }
}

impl Unhandled {
    pub(super) fn all(lane: VecDeque<Prepared>, delay: Duration) -> Vec<Self> {
        lane.into_iter()
            .map(|message| Self {
                failure: BatchItemFailure { message_id: message.delivery.message_id },
                receipt_handle: message.delivery.receipt_handle,
                delay,
            })
            .collect()
    }
}
