//! The local Lambda: functions as processes of their own, and what calls them.
//!
//! - *environment*: one process, with a Runtime API of its own; it runs one invocation at a time.
//! - *pool*: the environments of one function. *Slots* limit how many run at once; whoever has a slot gets an
//!   environment: a free one, else a new one.
//! - *mapping*: reads a queue or a stream and invokes a function with batches.
//! - *asynchronous*: events that are handled later, and tried again.
//! - *`http_api`*: API Gateway's HTTP API in front of functions. *api*: Lambda's own `Invoke`.

mod api;
mod asynchronous;
mod environment;
mod error;
mod failure;
mod http_api;
mod log;
mod mapping;
mod platform;
mod pool;
mod service;
mod spec;
mod tasks;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use self::api::unknown;
pub(crate) use self::mapping::{QueueSource, SourceError, StreamSource};
pub use self::{
    asynchronous::{EVENT_RETRY_DELAYS, THROTTLED_DELAY_MAX, THROTTLED_DELAY_MIN},
    environment::{ATTACHED_DEADLINE, IDLE_MAX, INIT_MAX},
    error::LambdaError,
    http_api::{BODY_BYTES_MAX, Cors, INTEGRATION_MAX},
    log::{LINE_BYTES_MAX, LogLine, LogSink, Notice, NoticeEvent, TAIL_BYTES_MAX},
    mapping::{
        ATTACHED_VISIBILITY, BATCH_RETRY_DELAY_MAX, BATCH_RETRY_DELAY_MIN, CONCURRENCY_DEFAULT, RECORDS_AHEAD_MAX,
        STATE_BYTES_MAX, WINDOW_GRACE,
    },
    pool::{ENVIRONMENTS_MAX, RESTART_DELAY_MAX, RESTART_DELAY_MIN, WAITING_MAX},
    service::{EVENT_BYTES_MAX, EVENTS_MAX, Lambda, REQUEST_BYTES_MAX},
    spec::{
        EVENT_AGE_MAX, EVENT_RETRY_ATTEMPTS_MAX, EventInvokeConfig, FunctionSpec, Invocation, Logging, Route,
        SqsMapping, StartingPosition, StreamMapping,
    },
};
