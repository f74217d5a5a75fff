use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use crate::{Backoff, CircuitBreaker, Context, Envelope, Event, HandlerResult};

/// How many records of a batch are handled at a time.
const CONCURRENCY: usize = 10;

/// How long the ledger remembers: a day longer than the longest retention of a queue.
const RETENTION: Duration = Duration::from_hours(15 * 24);

/// One Lambda function that handles events: its name, its handlers, its settings.
///
/// It is a value: `main`, the tests and the local cloud run the same one.
pub struct Function<D = ()> {
    pub(crate) settings: Settings,
    pub(crate) dependencies: Arc<D>,
    pub(crate) handlers: BTreeMap<String, Handler<D>>,
}

/// What a function does with each event.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) guarded: bool,
    pub(crate) concurrency: usize,
    pub(crate) backoff: Backoff,
    pub(crate) retention: Duration,
    pub(crate) circuit_breakers: Vec<CircuitBreaker>,
}

impl Settings {
    pub(crate) fn new(name: &'static str) -> Self {
        let (concurrency, backoff, retention) = (CONCURRENCY, Backoff::MESSAGES, RETENTION);
        Self { name, source: name, guarded: false, concurrency, backoff, retention, circuit_breakers: Vec::new() }
    }
}

/// A handler whose event type is known only to itself.
pub(crate) type Handler<D> = Arc<dyn Fn(&Envelope, Context<D>) -> Result<Run, String> + Send + Sync>;

/// A handler under way.
pub(crate) type Run = BoxFuture<'static, HandlerResult>;

impl Function {
    /// A function without handlers. `name` is part of every ledger key: a renamed function forgets what it handled.
    pub fn new(name: &'static str) -> Self {
        Self { settings: Settings::new(name), dependencies: Arc::new(()), handlers: BTreeMap::new() }
    }

    /// What the handlers can use besides the ledger; said before the first [`on`](Function::on).
    #[must_use]
    pub fn dependencies<D>(self, dependencies: D) -> Function<D> {
        Function { settings: self.settings, dependencies: Arc::new(dependencies), handlers: BTreeMap::new() }
    }
}

impl<D: Send + Sync + 'static> Function<D> {
    /// Handles the events of type `E`.
    ///
    /// # Panics
    /// If the type has a handler already.
    #[must_use]
    pub fn on<E, H, F>(mut self, handler: H) -> Self
    where
        E: Event,
        H: Fn(E, Context<D>) -> F + Send + Sync + 'static,
        F: Future<Output = HandlerResult> + Send + 'static,
    {
        let run = move |envelope: &Envelope, context| {
            let mut json = serde_json::Deserializer::from_str(envelope.data.get());
            let event = serde_path_to_error::deserialize(&mut json).map_err(|error| error.to_string())?;
            Ok(Box::pin(handler(event, context)) as Run)
        };
        let before = self.handlers.insert(E::wire_type(), Arc::new(run));
        assert!(before.is_none(), "{}: two handlers for {}", self.settings.name, E::wire_type());
        self
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

    /// How many records of a batch are handled at a time; 10 unless said. Each ordering key has one at a time.
    #[must_use]
    pub fn concurrency(mut self, records: usize) -> Self {
        self.settings.concurrency = records.max(1);
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

impl<D> fmt::Debug for Function<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers: Vec<_> = self.handlers.keys().collect();
        f.debug_struct("Function")
            .field("settings", &self.settings)
            .field("handlers", &handlers)
            .finish_non_exhaustive()
    }
}
