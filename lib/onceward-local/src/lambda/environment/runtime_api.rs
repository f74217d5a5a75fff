//! The Runtime API of one environment, on a port of its own, and of the Extensions API what an internal extension that
//! waits for SIGTERM needs.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html>
//!
//! The handlers decide nothing: each call goes to the environment's task, which answers it.

use std::{io, net::Ipv4Addr, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{guard::Guard, lambda::failure::RESPONSE_BYTES_MAX};

/// Calls of one process that its environment has not looked at yet. A runtime makes one at a time.
const CALLS_MAX: usize = 16;

/// The largest registration of an extension.
const EXTENSION_BYTES_MAX: usize = 64 * 1024;

/// What a process asks of its environment. Dropping the sender inside refuses the call.
#[derive(Debug)]
pub(super) enum Call {
    /// `GET …/invocation/next`
    Next(oneshot::Sender<Delivery>),
    /// `POST …/invocation/{id}/response` or `…/error`
    Finished { request_id: String, outcome: Outcome, accepted: oneshot::Sender<()> },
    /// `POST …/init/error`
    InitError(Bytes),
    /// `POST …/extension/register`
    Extension,
}

/// How the process says its invocation ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Response(Bytes),
    Error(Bytes),
    TooLarge,
}

/// An invocation as `next` answers it.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) request_id: String,
    /// Epoch milliseconds.
    pub(super) deadline_ms: i64,
    pub(super) function_arn: String,
    pub(super) trace_id: String,
    /// JSON.
    pub(super) client_context: Option<String>,
    pub(super) payload: Bytes,
}

/// A listening Runtime API.
#[derive(Debug)]
pub(in crate::lambda) struct RuntimeApi {
    pub(in crate::lambda) address: SocketAddr,
    pub(super) calls: mpsc::Receiver<Call>,
    server: JoinHandle<()>,
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl RuntimeApi {
    /// The same as [`listen`], without waiting.
    pub(in crate::lambda) fn listen_at_once() -> io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        serve(TcpListener::from_std(listener)?)
    }
}

/// Listens on a free port.
pub(super) async fn listen() -> io::Result<RuntimeApi> {
    serve(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?)
}

fn serve(listener: TcpListener) -> io::Result<RuntimeApi> {
    let address = listener.local_addr()?;
    let (sender, calls) = mpsc::channel(CALLS_MAX);
    // Without this, the second packet of an answer waits for the client's delayed acknowledgement: 40 ms.
    let listener = listener.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    let server = tokio::spawn(async move {
        // A page that takes an invocation would be as good as the function.
        let _ = axum::serve(listener, Guard::new(Arc::default()).before(router(sender))).await;
    });
    Ok(RuntimeApi { address, calls, server })
}

fn router(calls: mpsc::Sender<Call>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .route("/2020-01-01/extension/register", post(register_extension))
        .route("/2020-01-01/extension/event/next", get(next_extension_event))
        .layer(DefaultBodyLimit::disable())
        .with_state(calls)
}

async fn next(State(calls): State<mpsc::Sender<Call>>) -> Response {
    let (sender, delivery) = oneshot::channel();
    if calls.send(Call::Next(sender)).await.is_err() {
        return refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "the environment is stopping");
    }
    match delivery.await {
        Ok(delivery) => delivery.into_response(),
        Err(_) => refusal(StatusCode::FORBIDDEN, "InvalidStateTransition", "the last invocation is not answered yet"),
    }
}

async fn response(State(calls): State<mpsc::Sender<Call>>, Path(request_id): Path<String>, body: Body) -> Response {
    let Ok(payload) = to_bytes(body, RESPONSE_BYTES_MAX).await else {
        finish(&calls, request_id, Outcome::TooLarge).await;
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", "the response is over 6 MB");
    };
    finish(&calls, request_id, Outcome::Response(payload)).await
}

async fn error(State(calls): State<mpsc::Sender<Call>>, Path(request_id): Path<String>, body: Body) -> Response {
    let payload = to_bytes(body, RESPONSE_BYTES_MAX).await.unwrap_or_default();
    finish(&calls, request_id, Outcome::Error(payload)).await
}

async fn finish(calls: &mpsc::Sender<Call>, request_id: String, outcome: Outcome) -> Response {
    let (accepted, answer) = oneshot::channel();
    let sent = calls.send(Call::Finished { request_id, outcome, accepted }).await;
    if sent.is_ok() && answer.await.is_ok() {
        return ok();
    }
    refusal(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

async fn init_error(State(calls): State<mpsc::Sender<Call>>, body: Body) -> Response {
    let payload = to_bytes(body, RESPONSE_BYTES_MAX).await.unwrap_or_default();
    let _ = calls.send(Call::InitError(payload)).await;
    ok()
}

/// Extensions that want events are refused: none is ever sent.
async fn register_extension(State(calls): State<mpsc::Sender<Call>>, body: Body) -> Response {
    #[derive(Default, Deserialize)]
    struct Registration {
        #[serde(default)]
        events: Vec<String>,
    }
    let body = to_bytes(body, EXTENSION_BYTES_MAX).await.unwrap_or_default();
    let wanted = serde_json::from_slice::<Registration>(&body).unwrap_or_default().events;
    if !wanted.is_empty() {
        let message = format!("the local cloud has no events for extensions: {} cannot be had", wanted.join(", "));
        return refusal(StatusCode::BAD_REQUEST, "InvalidExtensionState", &message);
    }
    let _ = calls.send(Call::Extension).await;
    let answer = json!({ "functionName": "", "functionVersion": "$LATEST", "handler": "bootstrap" });
    ([("lambda-extension-identifier", uuid::Uuid::new_v4().to_string())], Json(answer)).into_response()
}

/// An extension without events waits for as long as the process lives.
async fn next_extension_event() -> Response {
    std::future::pending().await
}

fn ok() -> Response {
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
}

fn refusal(status: StatusCode, error_type: &str, message: &str) -> Response {
    (status, Json(json!({ "errorType": error_type, "errorMessage": message }))).into_response()
}

impl IntoResponse for Delivery {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.payload));
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("lambda-runtime-aws-request-id", self.request_id),
            ("lambda-runtime-deadline-ms", self.deadline_ms.to_string()),
            ("lambda-runtime-invoked-function-arn", self.function_arn),
            ("lambda-runtime-trace-id", self.trace_id),
        ];
        let client_context = self.client_context.map(|context| ("lambda-runtime-client-context", context));
        for (name, value) in headers.into_iter().chain(client_context) {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}
