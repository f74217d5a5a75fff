use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, Utc};

use crate::{
    DeadLetter, Envelope, EventIdentity, EventMetadata, Function, Invocation, Ports, Reason,
    context::{Call, new_trace},
    envelope::{Unwrapped, unwrap},
    execute::Failure,
};

/// One message or record as its source delivered it.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// What the source calls it, and what a failure is reported by: a message id, a sequence number.
    pub message_id: String,
    /// Names this delivery of it to a queue. Empty where nothing can be postponed.
    pub receipt_handle: String,
    /// The body as received: text, or [base64](Self::is_base64).
    pub body: String,
    /// Whether the body is in base64, because its bytes are not text. Then it is no event.
    pub is_base64: bool,
    /// Message attributes or headers that are text.
    pub headers: BTreeMap<String, String>,
    /// Names of those that are there and are not text.
    pub non_text_headers: BTreeSet<String>,
    /// How often it was received, this time included; 1 where the source does not count.
    pub receive_count: u32,
    /// What orders it: the message group of a FIFO queue, the partition key of a stream.
    pub ordering_key: Option<String>,
    /// ARN of the queue, topic or stream.
    pub source: String,
    /// When it was first received, if the source says.
    pub first_received_at: Option<DateTime<Utc>>,
}

/// A message that was not handled: its source keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchItemFailure {
    /// What its source calls it.
    pub message_id: String,
    /// Why, without a payload.
    pub error: String,
}

/// A message that was read as far as possible.
pub(crate) struct Prepared {
    /// Its place in the batch.
    pub(super) place: usize,
    pub(super) delivery: Delivery,
    pub(super) event: Result<(Envelope, Arc<Call>), Failure>,
    /// Why it cannot be handled although it is an event: it has no usable key.
    pub(super) refused: Option<Failure>,
    /// What it must not overtake.
    pub(super) ordering_key: Option<String>,
}

/// A failure, and when to try again.
pub(super) struct Unhandled {
    pub(super) place: usize,
    pub(super) failure: BatchItemFailure,
    pub(super) receipt_handle: String,
    pub(super) delay: Duration,
}

impl<D: Send + Sync + 'static> Function<D> {
    /// Reads a message: its event, its keys. Nothing is asked of the ledger.
    pub(crate) fn prepare(&self, ports: &Ports, invocation: Invocation, place: usize, delivery: Delivery) -> Prepared {
        let (event, refused) = match self.read(ports, invocation, &delivery) {
            Ok((envelope, call, refused)) => (Ok((envelope, Arc::new(call))), refused),
            Err(failure) => (Err(failure), None),
        };
        let named = event.as_ref().ok().zip(self.ordering.as_ref()).and_then(|((envelope, _), key)| key(envelope));
        let ordering_key = named.or_else(|| delivery.ordering_key.clone());
        Prepared { place, delivery, event, refused, ordering_key }
    }

    fn read(
        &self,
        ports: &Ports,
        invocation: Invocation,
        delivery: &Delivery,
    ) -> Result<(Envelope, Call, Option<Failure>), Failure> {
        let malformed = |error: String| Failure::terminal(Reason::MalformedEvent, error);
        if delivery.is_base64 {
            return Err(malformed("the body is not UTF-8 text, which JSON is: it is kept in base64".to_owned()));
        }
        let Unwrapped { envelope, attributes } =
            unwrap(&delivery.body).map_err(|error| malformed(error.to_string()))?;
        let key = self.idempotency_key(&envelope, &[&delivery.headers, &attributes], &delivery.non_text_headers);
        let ((idempotency_key, identity), refused) = match key {
            Ok(key) => (key, None),
            Err(failure) => ((String::new(), None), Some(failure)),
        };
        let call = Call {
            ports: ports.clone(),
            event: EventMetadata::of(&envelope, ports, invocation),
            idempotency_key,
            identity,
            invocation,
            attempt: delivery.receive_count,
            declared: Arc::clone(&self.settings.declared),
            subject: OnceLock::new(),
        };
        Ok((envelope, call, refused))
    }

    /// By the handler's closure over the payload, by the header, or by the event's id; with what tells the event, if that
    /// is more than its id.
    fn idempotency_key(
        &self,
        envelope: &Envelope,
        headers: &[&BTreeMap<String, String>],
        non_text_headers: &BTreeSet<String>,
    ) -> Result<(String, Option<EventIdentity>), Failure> {
        if let Some(key) = self.handlers.get(&envelope.event_type).and_then(|handler| handler.key.as_ref()) {
            let key = key(envelope).map_err(|error| Failure::terminal(Reason::SchemaRefused, error))?;
            return Ok((key, None));
        }
        let Some(header) = self.settings.key_header else {
            let identity = envelope.identity();
            let key = identity.as_ref().map_or_else(|| envelope.id.clone(), ToString::to_string);
            return Ok((key, identity));
        };
        let named =
            headers.iter().flat_map(|headers| headers.iter()).find(|(name, _)| name.eq_ignore_ascii_case(header));
        named.map(|(_, value)| (value.clone(), None)).ok_or_else(|| {
            let is_there = non_text_headers.iter().any(|name| name.eq_ignore_ascii_case(header));
            let what = if is_there { "is not text" } else { "is missing" };
            let error = format!("the header or message attribute `{header}` {what}: it holds the idempotency key");
            Failure::terminal(Reason::IdempotencyKeyInvalid, error)
        })
    }
}

impl Delivery {
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
        // The first failure leaves no record of its own: the first receive is when it began.
        let before = self.delivery.first_received_at.filter(|_| self.delivery.receive_count > 1);
        DeadLetter {
            body: self.delivery.body.clone(),
            is_base64: self.delivery.is_base64,
            group: self.delivery.ordering_key.clone(),
            message_id: self.delivery.message_id.clone(),
            reason,
            error,
            function: function.to_owned(),
            source: self.delivery.source.clone(),
            attempts: self.delivery.receive_count,
            first_failed_at: before.unwrap_or(failed_at),
            last_failed_at: failed_at,
            event: event.map(|(envelope, _)| (envelope.id.clone(), envelope.event_type.clone())),
        }
    }

    pub(super) fn unhandled(self, error: &str, delay: Duration) -> Unhandled {
        let failure = BatchItemFailure { message_id: self.delivery.message_id, error: error.to_owned() };
        Unhandled { place: self.place, failure, receipt_handle: self.delivery.receipt_handle, delay }
    }
}
