mod declare;
mod error;
mod settings;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;

pub use error::FunctionError;
pub(crate) use settings::Settings;

use crate::{Backoff, CircuitBreaker, Context, Envelope, Event, HandlerResult, decode};

/// One Lambda function that handles events: its name, its handlers, its settings.
///
/// It is a value: `main`, the tests and the local cloud run the same one.
pub struct Function<D = ()> {
    pub(crate) settings: Settings,
    pub(crate) dependencies: Arc<D>,
    pub(crate) handlers: BTreeMap<String, Handler<D>>,
    pub(crate) ordering: Option<Ordering>,
    mistake: Option<FunctionError>,
}

/// A handler whose event type is known only to itself.
pub(crate) struct Handler<D> {
    pub(crate) run: Arc<Start<D>>,
    /// Makes the idempotency key from the payload, if the event's id is not it.
    pub(crate) key: Option<KeyOf>,
}

/// Begins a run with an event's payload; the error is that of the parser.
type Start<D> = dyn Fn(&Envelope, Context<D>) -> Result<Run, String> + Send + Sync;

/// Makes a key from an event's payload; the error is that of the parser.
pub(crate) type KeyOf = Arc<dyn Fn(&Envelope) -> Result<String, String> + Send + Sync>;

/// Names what an event must not overtake or be overtaken by.
pub(crate) type Ordering = Arc<dyn Fn(&Envelope) -> Option<String> + Send + Sync>;

/// A handler under way.
pub(crate) type Run = BoxFuture<'static, HandlerResult>;

impl Function {
    /// A function without handlers. `name` is part of every ledger key: a renamed function forgets what it handled.
    pub fn new(name: &'static str) -> Self {
        Self::with(name, ())
    }
}

impl<D> Function<D> {
    /// Like [`Function::new`], for handlers with dependencies: what they can use besides the ledger.
    ///
    /// They are said here and nowhere else, because the type of every handler depends on them.
    pub fn with(name: &'static str, dependencies: D) -> Self {
        let (settings, dependencies) = (Settings::new(name), Arc::new(dependencies));
        Self { settings, dependencies, handlers: BTreeMap::new(), ordering: None, mistake: None }
    }
}

impl<D: Send + Sync + 'static> Function<D> {
    /// Handles the events of type `E`, each id once.
    #[must_use]
    pub fn on<E, H, F>(self, handler: H) -> Self
    where
        E: Event,
        H: Fn(E, Context<D>) -> F + Send + Sync + 'static,
        F: Future<Output = HandlerResult> + Send + 'static,
    {
        self.register::<E, H, F>(handler, None)
    }

    /// Handles the events of type `E`, each business key once: two events with one key are duplicates, and refused as
    /// `IdempotencyKeyReused` if their payloads differ. The key has 1 to
    /// [`IDEMPOTENCY_KEY_BYTES_MAX`](crate::IDEMPOTENCY_KEY_BYTES_MAX) bytes.
    #[must_use]
    pub fn on_keyed<E, K, H, F>(self, key: K, handler: H) -> Self
    where
        E: Event,
        K: Fn(&E) -> String + Send + Sync + 'static,
        H: Fn(E, Context<D>) -> F + Send + Sync + 'static,
        F: Future<Output = HandlerResult> + Send + 'static,
    {
        let key: KeyOf = Arc::new(move |envelope| payload(envelope).map(|event| key(&event)));
        self.register::<E, H, F>(handler, Some(key))
    }

    fn register<E, H, F>(mut self, handler: H, key: Option<KeyOf>) -> Self
    where
        E: Event,
        H: Fn(E, Context<D>) -> F + Send + Sync + 'static,
        F: Future<Output = HandlerResult> + Send + 'static,
    {
        let run = move |envelope: &Envelope, context| Ok(Box::pin(handler(payload(envelope)?, context)) as Run);
        let event_type = E::wire_type();
        if self.handlers.insert(event_type.clone(), Handler { run: Arc::new(run), key }).is_some() {
            self.mistake.get_or_insert(FunctionError::TwoHandlers { name: self.settings.name, event_type });
        }
        self
    }

    /// Whether it can work: a name, one handler for each of its types, settings that make sense. Whatever runs the
    /// function asks before the first event.
    pub fn check(&self) -> Result<(), FunctionError> {
        if let Some(mistake) = &self.mistake {
            return Err(mistake.clone());
        }
        if self.handlers.is_empty() {
            return Err(FunctionError::NoHandler { name: self.settings.name });
        }
        self.settings.check()
    }

    /// The bounded context that publishes this function's events: their CloudEvents and EventBridge `source`.
    #[must_use]
    pub fn source(mut self, source: &'static str) -> Self {
        self.settings.source = source;
        self
    }

    /// For effects that cannot join the transaction (a charge, an e-mail): the key is leased before the handler runs,
    /// so that no two runs overlap. The other side must honour [`Context::idempotency_key`]: a run that dies after
    /// the effect is repeated.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.settings.guarded = true;
        self
    }

    /// How many records of a batch are handled at a time, 1 at least; 10 unless said. Each ordering key has one at a
    /// time.
    #[must_use]
    pub fn concurrency(mut self, records: usize) -> Self {
        self.settings.concurrency = records;
        self
    }

    /// How many records of a batch are committed in one transaction, 1 to 100; 1 unless said: each by itself.
    ///
    /// A group saves calls, but no write units: a commit without rows even costs two in place of one. It waits for the
    /// records that run beside it, two seconds at most, so it never has more of them than
    /// [`concurrency`](Self::concurrency) says. Records that touch one row are never in one group. If a group cannot be
    /// written as a whole, its commits are sent by themselves, and only those that fail then have failed.
    #[must_use]
    pub fn commits_grouped(mut self, records: usize) -> Self {
        self.settings.commits_grouped = records;
        self
    }

    /// Events with the same key are handled in the batch's order, one at a time, and after a failure the rest of them
    /// fails too; those without one run side by side with all others. Unless said the source names the key: the message
    /// group of a FIFO queue, the partition key of a stream, a Kafka record's key.
    #[must_use]
    pub fn ordered_by(mut self, key: impl Fn(&Envelope) -> Option<String> + Send + Sync + 'static) -> Self {
        self.ordering = Some(Arc::new(key));
        self
    }

    /// The message attribute or header that holds the idempotency key, for handlers without a key of their own
    /// ([`on_keyed`](Self::on_keyed)). Letter case does not count. An event without it is terminal,
    /// `IdempotencyKeyInvalid`.
    #[must_use]
    pub fn idempotency_header(mut self, name: &'static str) -> Self {
        self.settings.key_header = Some(name);
        self
    }

    /// How long the ledger remembers what was handled, to the second; 15 days unless said. Older events are refused as
    /// `TooLate`: it must be longer than any queue or archive keeps them.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.settings.retention = retention;
        self
    }

    /// When failed messages come back; [`Backoff::MESSAGES`] unless said.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// While this breaker is open no handler runs: messages come back when it lets the next call through, so that an
    /// outage costs each of them one receive for an open time. Several can be said.
    #[must_use]
    pub fn circuit_breaker(mut self, breaker: &CircuitBreaker) -> Self {
        self.settings.circuit_breakers.push(breaker.clone());
        self
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        self.settings.name
    }

    /// The event types it handles, on the wire.
    pub fn event_types(&self) -> impl Iterator<Item = &str> {
        self.handlers.keys().map(String::as_str)
    }
}

/// The typed payload; the error names the field.
fn payload<E: DeserializeOwned>(envelope: &Envelope) -> Result<E, String> {
    let json = envelope.data.get();
    // To follow the path costs time and memory for each field: only what is wrong is worth it.
    decode::from_json(json).or_else(|_| decode::from_json_with_path(json).map_err(|error| error.to_string()))
}

impl<D> fmt::Debug for Function<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers: Vec<_> = self.handlers.keys().collect();
        f.debug_struct("Function")
            .field("settings", &self.settings)
            .field("handlers", &handlers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
