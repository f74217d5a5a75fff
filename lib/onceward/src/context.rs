use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::{DateTime, Utc};

use crate::{
    Entity, Envelope, EventIdentity, HandlerError, Invocation, Key, Ports, TraceContext, declarations::Declarations,
};

/// The most rows [`Context::query`] returns.
const QUERY_ROWS_MAX: usize = 1_000;

/// What a handler may use besides its event: its dependencies `D`, reads, time, ids.
pub struct Context<D = ()> {
    pub(crate) dependencies: Arc<D>,
    pub(crate) call: Arc<Call>,
}

/// One handling of one event: shared by the runs of a handler that lost a race.
pub(crate) struct Call {
    pub(crate) ports: Ports,
    pub(crate) event: EventMetadata,
    pub(crate) idempotency_key: String,
    /// What tells the event, where the key is made of it.
    pub(crate) identity: Option<EventIdentity>,
    pub(crate) invocation: Invocation,
    pub(crate) attempt: u32,
    /// What the function has declared.
    pub(crate) declared: Arc<Declarations>,
    /// What a request turned out to be about: the subject of the first event of its commit.
    pub(crate) subject: OnceLock<String>,
}

impl Call {
    /// What the log calls the subject.
    pub(crate) fn subject(&self) -> &str {
        self.subject.get().unwrap_or(&self.event.subject)
    }
}

/// What is known of an event besides its payload. For a request it describes the request.
#[derive(Debug, Clone)]
pub struct EventMetadata {
    /// Id of the event, or of the request.
    pub id: String,
    /// `domain.action.vN`, or `POST /orders`.
    pub event_type: String,
    /// The context that published it; `http` for a request.
    pub source: String,
    /// What it is about; empty if it does not say.
    pub subject: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Version of the subject's state after the event.
    pub sequence: Option<u64>,
    /// The same for everything one request set in motion.
    pub correlation_id: String,
    /// The trace it belongs to.
    pub trace: TraceContext,
}

impl EventMetadata {
    /// Reads the envelope; what it lacks is begun here: its id as the correlation id, the invocation's trace or a new
    /// one.
    pub(crate) fn of(envelope: &Envelope, ports: &Ports, invocation: Invocation) -> Self {
        let trace = envelope.traceparent.as_deref().and_then(TraceContext::parse).or(invocation.trace());
        Self {
            id: envelope.id.clone(),
            event_type: envelope.event_type.clone(),
            source: envelope.source.clone(),
            subject: envelope.subject.clone().unwrap_or_default(),
            time: envelope.time,
            sequence: envelope.sequence(),
            correlation_id: envelope.correlationid.clone().unwrap_or_else(|| envelope.id.clone()),
            trace: trace.unwrap_or_else(|| new_trace(ports)),
        }
    }
}

/// A trace that begins here.
pub(crate) fn new_trace(ports: &Ports) -> TraceContext {
    TraceContext::new(ports.uuid().as_u128(), ports.randomness.next_u64())
}

impl<D> Context<D> {
    /// The function's dependencies.
    pub fn dependencies(&self) -> &D {
        &self.dependencies
    }

    /// The event's attributes.
    pub fn event(&self) -> &EventMetadata {
        &self.call.event
    }

    /// The key under which this event is handled once. The same for every delivery and retry of it: hand it to
    /// whatever you call outside the transaction. Unless the function says otherwise it is the id of an event that
    /// Onceward published, and source and id of somebody else's: `{source}#{id}`, `#` and `%` of the source escaped.
    pub fn idempotency_key(&self) -> &str {
        &self.call.idempotency_key
    }

    /// How often this message was received, this time included. 1 where the source does not count.
    pub fn attempt(&self) -> u32 {
        self.call.attempt
    }

    /// The wall clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.call.ports.clock.now()
    }

    /// Time left for this invocation.
    pub fn remaining(&self) -> Duration {
        self.call.invocation.remaining(self.call.ports.clock.as_ref())
    }

    /// A new random id: `{prefix}_` and 32 hexadecimal digits.
    pub fn new_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.call.ports.uuid().simple())
    }

    /// Reads a row, consistently.
    pub async fn load<T: Entity>(&self, key: &Key) -> Result<Option<T>, HandlerError> {
        self.may_read(T::TABLE)?;
        let item = self.call.ports.ledger.load(T::TABLE, key).await?;
        item.map(serde_dynamo::from_item).transpose().map_err(HandlerError::from)
    }

    /// Reads the rows of a partition whose sort key begins with the given one, in its order: 1,000 at most.
    pub async fn query<T: Entity>(&self, prefix: &Key) -> Result<Vec<T>, HandlerError> {
        self.may_read(T::TABLE)?;
        let items = self.call.ports.ledger.query(T::TABLE, prefix, QUERY_ROWS_MAX).await?;
        items.into_iter().map(serde_dynamo::from_item).collect::<Result<_, _>>().map_err(HandlerError::from)
    }

    fn may_read(&self, table: &str) -> Result<(), HandlerError> {
        if !self.call.ports.strict || self.call.declared.reads(table) {
            return Ok(());
        }
        let message = format!(
            "the function reads rows of the table `{table}` and does not say so: add .reads::<T>() to it, with the \
             entity of that table"
        );
        Err(HandlerError::terminal(message))
    }
}

impl<D> Clone for Context<D> {
    fn clone(&self) -> Self {
        Self { dependencies: Arc::clone(&self.dependencies), call: Arc::clone(&self.call) }
    }
}

impl<D> fmt::Debug for Context<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("event", &self.call.event).finish_non_exhaustive()
    }
}
