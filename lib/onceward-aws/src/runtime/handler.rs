use std::{
    convert::Infallible,
    fmt,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use futures_util::future::BoxFuture;
use lambda_runtime::{Diagnostic, LambdaEvent, Service};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

/// The JSON that a function is invoked with, or answers: as it is on the wire.
pub type Payload = Box<RawValue>;

/// `errorType` of an answer that has no form in JSON.
pub(super) const UNSERIALIZABLE: &str = "UnserializableAnswer";

type Invoke = dyn Fn(LambdaEvent<Payload>) -> BoxFuture<'static, Result<Payload, InvocationError>> + Send + Sync;

/// A function bound to its clients: a tower service from invocation to answer, which a [`Layer`] can wrap.
///
/// It is always ready, and its clones are one and the same: an environment may serve several invocations at once.
///
/// [`Layer`]: lambda_runtime::tower::Layer
#[derive(Clone)]
pub struct Handler {
    invoke: Arc<Invoke>,
}

/// An invocation that failed as a whole, as Lambda reports it: `errorType` and `errorMessage`.
///
/// A synchronous caller gets it as a function error; for an asynchronous invocation or an event source, Lambda retries by
/// its policy: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-retries.html>.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct InvocationError {
    /// `errorType`: the name of the reason.
    pub kind: String,
    /// `errorMessage`: one line.
    pub message: String,
}

impl InvocationError {
    pub(super) fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), message: message.into() }
    }
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        Self { error_type: error.kind, error_message: error.message }
    }
}

/// A layer that cannot fail keeps its service's error type; this lets one that never fails be used too.
impl From<Infallible> for InvocationError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Handler {
    /// A handler that answers with what can be serialized.
    pub(super) fn new<F, R>(invoke: impl Fn(LambdaEvent<Payload>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<R, InvocationError>> + Send + 'static,
        R: Serialize,
    {
        let invoke = move |event| {
            let answer = invoke(event);
            let answer = async move {
                let answer = answer.await?;
                to_raw_value(&answer).map_err(|error| InvocationError::new(UNSERIALIZABLE, error.to_string()))
            };
            Box::pin(answer) as BoxFuture<'static, _>
        };
        Self { invoke: Arc::new(invoke) }
    }
}

impl Service<LambdaEvent<Payload>> for Handler {
    type Response = Payload;
    type Error = InvocationError;
    type Future = BoxFuture<'static, Result<Payload, InvocationError>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), InvocationError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, event: LambdaEvent<Payload>) -> Self::Future {
        (self.invoke)(event)
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}
