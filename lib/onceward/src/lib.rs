//! The core of Onceward: event handlers whose effects happen once.
//!
//! A handler is one async function. It reads what it needs through its [`Context`] and *returns* its effects as a
//! [`UnitOfWork`]: state to write, events to publish, an answer. The runtime commits them together with the record
//! that the event was handled, in one transaction of the [`Ledger`]; a duplicate delivery finds the record and
//! changes nothing.
//!
//! This crate knows no AWS SDK, and reads no clock, randomness or environment by itself: it takes them as
//! [`Ports`]. `onceward-aws` provides them on Lambda; [`memory`] provides them in a test.

mod batch;
mod circuit_breaker;
mod command;
mod context;
mod dead_letter;
mod declarations;
mod decode;
mod description;
mod entity;
mod envelope;
mod environment;
mod error;
mod event;
mod execute;
mod fingerprint;
#[cfg(test)]
mod fixture;
mod function;
mod http;
mod idempotency;
mod invocation;
mod ledger;
pub mod memory;
mod no_value;
mod outbox;
mod query;
mod retry;
mod shutdown;
mod store;
mod telemetry;
mod trace;
mod unit_of_work;

pub use batch::{BatchItemFailure, Delivery, InvocationFailure, SourceQueue};
pub use circuit_breaker::{
    CircuitBreaker, CircuitBreakerError, CircuitBreakerStore, CircuitOpen, CircuitRecord, CircuitState,
};
pub use command::Command;
pub use context::{Context, EventMetadata};
pub use dead_letter::{DeadLetter, DeadLetterError, DeadLetterQueue, Reason};
pub use declarations::Access;
pub use description::{Description, FunctionKind};
pub use entity::{Entity, Key};
pub use envelope::{Envelope, EnvelopeError};
pub use environment::{Clock, Deployment, Ports, Randomness};
pub use error::{HandlerError, HandlerResult};
pub use event::Event;
pub use execute::DEADLINE_MARGIN;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use function::{Function, FunctionError};
pub use http::{HttpRequest, HttpResponse};
pub use idempotency::{Completed, EventIdentity, IDEMPOTENCY_KEY_BYTES_MAX, Lease, LedgerKey, LedgerRecord, Origin};
pub use invocation::Invocation;
pub use ledger::{Claim, ClaimOutcome, Commit, CommitOutcome, FailedRow, GroupOutcome, Ledger, LedgerError};
pub use no_value::NoValue;
pub use outbox::{PublishError, PublishFailure, Publisher, Relay, RelayPorts, StreamRecord, UnreadableEvent};
pub use query::{Query, QueryResult};
pub use retry::{Backoff, Postponement, ReceiveLimit, Visibility, VisibilityError};
pub use shutdown::Shutdown;
pub use store::{Item, Store, StoreError};
pub use trace::TraceContext;
pub use unit_of_work::{
    ACTIONS_MAX, ANSWER_BYTES_MAX, Action, Change, Condition, EVENT_BYTES_MAX, EVENTS_MAX, ITEM_BYTES_MAX, Operation,
    PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX, TRANSACTION_BYTES_MAX, UnitOfWork, UnitOfWorkError, Update, absent,
    all, at_least, equals, present, version,
};

/// The value of one attribute of an item, in DynamoDB's type system.
pub use serde_dynamo::AttributeValue;
