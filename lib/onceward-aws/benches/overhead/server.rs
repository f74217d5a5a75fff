//! The other side of a function: the Lambda Runtime API and DynamoDB on one port, answered at once.

use std::{
    fmt,
    future::pending,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use chrono::Utc;
use tokio::{
    net::TcpListener,
    sync::{mpsc, oneshot},
};

/// How long an invocation may take; it is far longer than it does.
const INVOCATION_MILLIS: i64 = 60_000;

/// Steps of the function that nobody has looked at yet: it takes one at a time.
const STEPS_MAX: usize = 4;

/// What a function did.
#[derive(Debug)]
pub(crate) enum Step {
    /// It asks for an invocation: this is where the payload goes.
    Next(oneshot::Sender<Vec<u8>>),
    /// It answered the invocation.
    Answer(Bytes),
    /// It says that it failed.
    Failed(Bytes),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next(_) => f.write_str("it asks for an invocation"),
            Self::Answer(body) => write!(f, "it answered {}", body.escape_ascii()),
            Self::Failed(body) => write!(f, "it failed with {}", body.escape_ascii()),
        }
    }
}

/// What DynamoDB was sent.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    pub(crate) count: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

/// A server for one function process.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) steps: mpsc::Receiver<Step>,
    pub(crate) transactions: Arc<Transactions>,
}

#[derive(Clone)]
struct Shared {
    steps: mpsc::Sender<Step>,
    transactions: Arc<Transactions>,
}

impl Server {
    /// Listens until the runtime ends.
    pub(crate) async fn start() -> std::io::Result<Self> {
        let (sender, steps) = mpsc::channel(STEPS_MAX);
        let transactions = Arc::new(Transactions::default());
        let shared = Shared { steps: sender, transactions: Arc::clone(&transactions) };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failed))
            .route("/2018-06-01/runtime/init/error", post(failed))
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(pending::<StatusCode>))
            .route("/", post(transact))
            .with_state(shared);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, steps, transactions })
    }
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next>
async fn next(State(shared): State<Shared>) -> Response {
    let (sender, payload) = oneshot::channel();
    // Whoever measures has gone when nobody takes the step; the function is about to be ended.
    let payload = match shared.steps.send(Step::Next(sender)).await {
        Ok(()) => payload.await.ok(),
        Err(_) => None,
    };
    let Some(payload) = payload else { return StatusCode::GONE.into_response() };
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned()),
        ("lambda-runtime-deadline-ms", (Utc::now().timestamp_millis() + INVOCATION_MILLIS).to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:reserve-stock".to_owned(),
        ),
        (
            "lambda-runtime-trace-id",
            "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1".to_owned(),
        ),
    ];
    (headers, payload).into_response()
}

async fn answer(State(shared): State<Shared>, body: Bytes) -> StatusCode {
    told(&shared, Step::Answer(body)).await
}

async fn failed(State(shared): State<Shared>, body: Bytes) -> StatusCode {
    told(&shared, Step::Failed(body)).await
}

async fn told(shared: &Shared, step: Step) -> StatusCode {
    let told = shared.steps.send(step).await;
    told.map_or(StatusCode::GONE, |()| StatusCode::ACCEPTED)
}

/// The extension that functions register to be told before they are stopped. It gets no event.
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html#extensions-registration-api-a>
async fn register() -> impl IntoResponse {
    let body = r#"{"functionName":"reserve-stock","functionVersion":"$LATEST","handler":"bootstrap"}"#;
    ([("lambda-extension-identifier", "37a5b2a4-1f2c-4f2e-9a56-2d5b0f0c9a11")], body)
}

/// The answer of a `TransactWriteItems` that committed, with the checksum that DynamoDB gives every answer.
async fn transact(State(shared): State<Shared>, body: Bytes) -> impl IntoResponse {
    shared.transactions.count.fetch_add(1, Ordering::Relaxed);
    shared.transactions.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
    let headers = [
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amz-crc32", "2745614147"),
        ("x-amzn-requestid", "C8TN7UUBE4GUK9P8I9FA9EA6ANVV4KQNSO5AEMVJF66Q9ASUAAJG"),
    ];
    (headers, "{}")
}
