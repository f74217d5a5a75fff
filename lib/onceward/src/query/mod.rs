use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use serde::Serialize;

use crate::{
    Access, Context, Description, Entity, EventMetadata, FunctionError, FunctionKind, HandlerError, HttpRequest,
    HttpResponse, Invocation, Ports,
    context::{Call, new_trace},
    function::Settings,
    telemetry::Hop,
};

/// What the log has of a parameter's value.
const SUBJECT_CHARS_MAX: usize = 64;

/// The longest value of a path parameter, in bytes. A longer one names nothing: DynamoDB has no key of that length.
const PARAMETER_BYTES_MAX: usize = 1_024;

/// What a query's handler returns: the answer, or nothing if there is no such thing.
pub type QueryResult<T> = Result<Option<T>, HandlerError>;

/// A Lambda function behind a route that only reads. It writes no ledger record.
///
/// An answer has status 200, no answer 404, a failure 503.
pub struct Query {
    settings: Settings,
    parameter: &'static str,
    handler: Handler,
}

type Handler = Arc<dyn Fn(String, Context) -> BoxFuture<'static, Result<Option<String>, HandlerError>> + Send + Sync>;

impl Query {
    /// A function that runs `handler` for the value of one path parameter.
    pub fn new<T, H, F>(name: &'static str, parameter: &'static str, handler: H) -> Self
    where
        T: Serialize,
        H: Fn(String, Context) -> F + Send + Sync + 'static,
        F: Future<Output = QueryResult<T>> + Send + 'static,
    {
        let run = move |value, context| {
            let answer = handler(value, context);
            let json = async move { Ok(answer.await?.map(|answer| serde_json::to_string(&answer)).transpose()?) };
            Box::pin(json) as BoxFuture<'static, _>
        };
        Self { settings: Settings::new(name), parameter, handler: Arc::new(run) }
    }

    /// It reads rows of `T`'s table.
    #[must_use]
    pub fn reads<T: Entity>(mut self) -> Self {
        Arc::make_mut(&mut self.settings.declared).access::<T>(Access::Read);
        self
    }

    /// What it is and says of itself.
    pub fn describe(&self) -> Description {
        Description::of(&self.settings, FunctionKind::Query)
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        self.settings.name
    }

    /// Whether it can work: its name makes sense.
    pub fn check(&self) -> Result<(), FunctionError> {
        self.settings.check()
    }

    /// Handles one request.
    pub async fn handle(&self, ports: &Ports, invocation: Invocation, request: HttpRequest) -> HttpResponse {
        let (began, since) = (ports.clock.now(), ports.clock.monotonic());
        let value = request.path_parameters.get(self.parameter).cloned().unwrap_or_default();
        let event = EventMetadata {
            id: request.request_id.clone(),
            event_type: request.route.clone(),
            source: "http".to_owned(),
            subject: value.chars().take(SUBJECT_CHARS_MAX).collect(),
            time: began,
            sequence: None,
            correlation_id: request.request_id.clone(),
            trace: invocation.trace().unwrap_or_else(|| new_trace(ports)),
        };
        let call = Arc::new(Call {
            ports: ports.clone(),
            event,
            idempotency_key: request.request_id,
            identity: None,
            invocation,
            attempt: 1,
            declared: Arc::clone(&self.settings.declared),
            subject: OnceLock::new(),
        });
        let context = Context { dependencies: Arc::new(()), call: Arc::clone(&call) };
        let run = async {
            match value.len() {
                1..=PARAMETER_BYTES_MAX => (self.handler)(value, context).await,
                _ => Ok(None),
            }
        };
        let (response, outcome, reason) = match std::panic::AssertUnwindSafe(run).catch_unwind().await {
            Ok(Ok(Some(body))) => (HttpResponse { status: 200, body }, "answered", None),
            Ok(Ok(None)) => {
                let message = format!("there is nothing under this {}", self.parameter);
                (HttpResponse::refusal(404, "NotFound", &message, None), "answered", None)
            }
            Ok(Err(HandlerError::Terminal { message, field })) => {
                let refusal = HttpResponse::refusal(400, "InvalidRequest", &message, field.as_deref());
                (refusal, "refused", Some(message))
            }
            Ok(Err(error)) => (unavailable(), "retried", Some(error.to_string())),
            Err(_) => (unavailable(), "retried", Some("the handler panicked".to_owned())),
        };
        let hop = Hop {
            settings: &self.settings,
            event: &call.event,
            subject: call.subject(),
            attempt: 1,
            duration: ports.clock.monotonic().saturating_sub(since),
        };
        hop.report(outcome, reason.as_deref());
        response
    }
}

fn unavailable() -> HttpResponse {
    HttpResponse::refusal(503, "Unavailable", "the answer could not be read: try again", None)
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
