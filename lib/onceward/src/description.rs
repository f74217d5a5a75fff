use std::time::Duration;

use crate::{Access, function::Settings};

/// What a function is and says of itself, without a call: others hold it to its template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Description {
    /// Its name, which its ledger records begin with.
    pub name: &'static str,
    /// Which of the kinds it is.
    pub kind: FunctionKind,
    /// Whether it claims the key before its handler runs; `None` if it keeps no ledger.
    pub guarded: Option<bool>,
    /// The bounded context that publishes its events; `None` if it publishes none of its own.
    pub source: Option<&'static str>,
    /// The event types it handles, on the wire, in order.
    pub handles: Vec<String>,
    /// The event types it declares to publish, on the wire, in order.
    pub publishes: Vec<String>,
    /// Logical names of the tables it declares to use, in order.
    pub tables: Vec<(&'static str, Access)>,
    /// How long its ledger records are kept; `None` if it keeps none.
    pub retention: Option<Duration>,
    /// How many records of a batch it handles at a time; `None` if no batches come.
    pub concurrency: Option<usize>,
    /// Names of its circuit breakers, as the function says them.
    pub circuit_breakers: Vec<String>,
}

/// What can be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FunctionKind {
    /// A [`Function`](crate::Function): it handles events.
    Function,
    /// A [`Command`](crate::Command): it answers requests that change something.
    Command,
    /// A [`Query`](crate::Query): it answers requests that read.
    Query,
    /// A [`Relay`](crate::Relay): it publishes what commits have left in the ledger.
    Relay,
}

impl Description {
    /// One that does nothing yet.
    pub(crate) fn new(name: &'static str, kind: FunctionKind) -> Self {
        Self {
            name,
            kind,
            guarded: None,
            source: None,
            handles: Vec::new(),
            publishes: Vec::new(),
            tables: Vec::new(),
            retention: None,
            concurrency: None,
            circuit_breakers: Vec::new(),
        }
    }

    /// One with what all kinds with settings have.
    pub(crate) fn of(settings: &Settings, kind: FunctionKind) -> Self {
        Self {
            publishes: settings.declared.event_types().cloned().collect(),
            tables: settings.declared.tables().collect(),
            circuit_breakers: settings.circuit_breakers.iter().map(|breaker| breaker.name().to_owned()).collect(),
            ..Self::new(settings.name, kind)
        }
    }

    /// The same for a kind that keeps a ledger.
    pub(crate) fn with_ledger(self, settings: &Settings) -> Self {
        let (guarded, source, retention) = (Some(settings.guarded), Some(settings.source), Some(settings.retention));
        Self { guarded, source, retention, ..self }
    }
}
