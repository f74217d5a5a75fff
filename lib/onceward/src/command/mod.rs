use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    Access, Context, Description, Entity, Event, EventMetadata, Fingerprint, FingerprintError, FunctionError,
    FunctionKind, HandlerResult, HttpRequest, HttpResponse, Invocation, Ports, Reason, TraceContext,
    context::{Call, new_trace},
    decode,
    execute::{Execution, Failure, Outcome},
    fingerprint,
    function::{Run, Settings},
    http::BODY_BYTES_MAX,
    telemetry::Hop,
};

/// Carries the caller's idempotency key; see <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>.
const IDEMPOTENCY_KEY_HEADER: &str = "idempotency-key";

/// The longest key a caller may send, in bytes.
const CALLER_KEY_BYTES_MAX: usize = 255;

/// A Lambda function behind a route that changes state.
///
/// The caller's `Idempotency-Key` makes a repeated request one request; without the header each request counts.
/// A new commit is answered with 202 and what the handler answered, a repetition with the same again. A malformed or
/// invalid request is answered with 400, naming the field; a key with another body, and a unit of work whose conditions
/// cannot hold, with 409; a failure with 503.
pub struct Command<D = ()> {
    settings: Settings,
    dependencies: Arc<D>,
    handler: Handler<D>,
}

type Handler<D> = Arc<dyn Fn(&[u8], Context<D>) -> Result<Run, Failure> + Send + Sync>;

impl Command {
    /// A function that runs `handler` for each request's JSON body.
    pub fn new<C, H, F>(name: &'static str, handler: H) -> Self
    where
        C: DeserializeOwned + Send + 'static,
        H: Fn(C, Context) -> F + Send + Sync + 'static,
        F: Future<Output = HandlerResult> + Send + 'static,
    {
        Self::with(name, (), handler)
    }
}

impl<D: Send + Sync + 'static> Command<D> {
    /// Like [`Command::new`], for a handler with dependencies.
    pub fn with<C, H, F>(name: &'static str, dependencies: D, handler: H) -> Self
    where
        C: DeserializeOwned + Send + 'static,
        H: Fn(C, Context<D>) -> F + Send + Sync + 'static,
        F: Future<Output = HandlerResult> + Send + 'static,
    {
        let run = move |body: &[u8], context| {
            let command = parse(body)?;
            Ok(Box::pin(handler(command, context)) as Run)
        };
        Self { settings: Settings::new(name), dependencies: Arc::new(dependencies), handler: Arc::new(run) }
    }

    /// The bounded context that publishes this function's events.
    #[must_use]
    pub fn source(mut self, source: &'static str) -> Self {
        self.settings.source = source;
        self
    }

    /// It publishes events of type `E`.
    #[must_use]
    pub fn publishes<E: Event>(mut self) -> Self {
        Arc::make_mut(&mut self.settings.declared).publish::<E>();
        self
    }

    /// It reads rows of `T`'s table.
    #[must_use]
    pub fn reads<T: Entity>(mut self) -> Self {
        Arc::make_mut(&mut self.settings.declared).access::<T>(Access::Read);
        self
    }

    /// It writes rows of `T`'s table, and may read them.
    #[must_use]
    pub fn writes<T: Entity>(mut self) -> Self {
        Arc::make_mut(&mut self.settings.declared).access::<T>(Access::Write);
        self
    }

    /// What it is and says of itself.
    pub fn describe(&self) -> Description {
        Description::of(&self.settings, FunctionKind::Command).with_ledger(&self.settings)
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        self.settings.name
    }

    /// Whether it can work: its name and settings make sense.
    pub fn check(&self) -> Result<(), FunctionError> {
        self.settings.check()
    }

    /// Handles one request.
    pub async fn handle(&self, ports: &Ports, invocation: Invocation, request: HttpRequest) -> HttpResponse {
        let (began, since) = (ports.clock.now(), ports.clock.monotonic());
        let key = idempotency_key(&request);
        let event = metadata(&request, began, ports, invocation);
        let call = Arc::new(Call {
            ports: ports.clone(),
            event,
            idempotency_key: key.clone().unwrap_or_default(),
            identity: None,
            invocation,
            attempt: 1,
            declared: Arc::clone(&self.settings.declared),
            subject: OnceLock::new(),
        });
        let outcome = match key.and_then(|_| acceptable(&request)) {
            Ok(()) => self.outcome(&call, &request).await,
            Err(failure) => Outcome::Failed(failure),
        };
        let (label, reason) = outcome.label("refused");
        let hop = Hop {
            settings: &self.settings,
            event: &call.event,
            subject: call.subject(),
            attempt: 1,
            duration: ports.clock.monotonic().saturating_sub(since),
        };
        hop.report(label, reason.as_deref());
        respond(outcome)
    }

    async fn outcome(&self, call: &Arc<Call>, request: &HttpRequest) -> Outcome {
        let body = request.body.as_slice();
        let by_text = || Fingerprint::of_text(fingerprint::of_json_text(self.settings.name, body));
        let json = serde_json::from_slice::<&RawValue>(body).map_err(|_| FingerprintError::NotJson);
        let fingerprint = json.and_then(|json| Fingerprint::of(self.settings.name, json.get()));
        let execution = Execution::new(&self.settings, Arc::clone(call), fingerprint, by_text);
        let context = Context { dependencies: Arc::clone(&self.dependencies), call: Arc::clone(call) };
        let outcome = execution.run(&HashMap::new(), || (self.handler)(body, context.clone())).await;
        // The caller's key may be another request's: then that is what is wrong, whatever is wrong with the body.
        match outcome {
            Outcome::Failed(failure @ Failure::Terminal { reason: Reason::SchemaRefused, .. }) if has_key(request) => {
                execution.unless_duplicate(failure).await
            }
            outcome => outcome,
        }
    }
}

/// Whether the key is the caller's.
fn has_key(request: &HttpRequest) -> bool {
    request.headers.contains_key(IDEMPOTENCY_KEY_HEADER)
}

fn parse<C: DeserializeOwned>(body: &[u8]) -> Result<C, Failure> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let error = format!("the body is not UTF-8: the first bad byte is at {}", error.valid_up_to());
        Failure::terminal(Reason::SchemaRefused, error)
    })?;
    decode::from_json_with_path(text).map_err(|error| {
        let field = Some(error.path().to_string()).filter(|path| !matches!(path.as_str(), "." | "?"));
        Failure::Terminal { reason: Reason::SchemaRefused, error: error.into_inner().to_string(), field }
    })
}

fn idempotency_key(request: &HttpRequest) -> Result<String, Failure> {
    let Some(key) = request.headers.get(IDEMPOTENCY_KEY_HEADER) else { return Ok(request.request_id.clone()) };
    let printable = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if printable && (1..=CALLER_KEY_BYTES_MAX).contains(&key.len()) {
        return Ok(key.clone());
    }
    Err(Failure::Terminal {
        reason: Reason::IdempotencyKeyInvalid,
        error: format!("it must have 1 to {CALLER_KEY_BYTES_MAX} printable ASCII characters"),
        field: Some("Idempotency-Key".to_owned()),
    })
}

fn acceptable(request: &HttpRequest) -> Result<(), Failure> {
    match request.body.len() {
        0..=BODY_BYTES_MAX => Ok(()),
        length => {
            let error = format!("the body has {length} bytes: at most {BODY_BYTES_MAX} are accepted");
            Err(Failure::terminal(Reason::SchemaRefused, error))
        }
    }
}

fn metadata(request: &HttpRequest, time: DateTime<Utc>, ports: &Ports, invocation: Invocation) -> EventMetadata {
    let trace = request.headers.get("traceparent").and_then(|header| TraceContext::parse(header));
    let trace = trace.or(invocation.trace());
    EventMetadata {
        id: request.request_id.clone(),
        event_type: request.route.clone(),
        source: "http".to_owned(),
        subject: String::new(),
        time,
        sequence: None,
        correlation_id: request.request_id.clone(),
        trace: trace.unwrap_or_else(|| new_trace(ports)),
    }
}

fn respond(outcome: Outcome) -> HttpResponse {
    match outcome {
        Outcome::Committed(answer) | Outcome::Replayed(answer) => {
            HttpResponse { status: 202, body: answer.unwrap_or_else(|| "{}".to_owned()) }
        }
        Outcome::Failed(Failure::Retry { .. }) => {
            let message = "the request could not be completed and had no effect that a repetition would double: \
                           send it again with the same Idempotency-Key";
            HttpResponse::refusal(503, "Unavailable", message, None)
        }
        Outcome::Failed(Failure::Terminal { reason, error, field }) => {
            let (status, code) = match reason {
                Reason::IdempotencyKeyReused => (409, "IdempotencyKeyReused"),
                Reason::ConditionCannotHold => {
                    let message = "what the request needs is not there, or is there already: the log names the row";
                    return HttpResponse::refusal(409, reason.as_str(), message, None);
                }
                Reason::InvalidUnitOfWork => (500, "InternalError"),
                Reason::RecordOfAnotherFunction => {
                    let message = "the record of this Idempotency-Key is another function's: the log names both";
                    return HttpResponse::refusal(500, reason.as_str(), message, None);
                }
                _ => (400, "InvalidRequest"),
            };
            HttpResponse::refusal(status, code, &error, field.as_deref())
        }
    }
}

impl<D> fmt::Debug for Command<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
