//! A Runtime API in the hands of a test: it decides when which invocation is given out.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Notify, oneshot},
};

use crate::system::eventually;

/// An invocation's time limit.
const TIMEOUT_SECONDS: i64 = 180;

/// How long an answer is waited for.
const ANSWER_MAX: Duration = Duration::from_mins(3);

/// A Runtime API on a port of its own.
pub(super) struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    has_extensions: bool,
    state: Mutex<Queue>,
    given: Notify,
}

#[derive(Default)]
struct Queue {
    /// How often the function asked for an event.
    asked: u32,
    waiting: VecDeque<(String, String, Value)>,
    answers: HashMap<String, oneshot::Sender<Value>>,
}

/// The answer to an invocation that was given out.
pub(super) async fn answered(answer: oneshot::Receiver<Value>) -> Value {
    let answer = tokio::time::timeout(ANSWER_MAX, answer).await;
    answer.expect("not within the time of an invocation").expect("an answer")
}

/// A function's process.
pub(super) struct Process {
    pub(super) child: Child,
}

impl RuntimeApi {
    /// With or without an Extensions API.
    pub(super) async fn start(has_extensions: bool) -> Self {
        let shared = Arc::new(Shared { has_extensions, ..Shared::default() });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(answer))
            .route("/2020-01-01/extension/register", post(register))
            .route("/2020-01-01/extension/event/next", get(std::future::pending::<()>))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, shared }
    }

    /// Starts a function against it.
    pub(super) fn run(&self, mut function: Command) -> Process {
        let child = function.env("AWS_LAMBDA_RUNTIME_API", self.address.to_string()).spawn();
        Process { child: child.expect("the function starts") }
    }

    /// Gives out an invocation; the answer comes later.
    pub(super) async fn begin(&self, payload: &Value, trace: &str) -> oneshot::Receiver<Value> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.shared.state();
            let id = format!("request-{}", rand::random::<u64>());
            state.waiting.push_back((id.clone(), trace.to_owned(), payload.clone()));
            state.answers.insert(id, sender);
        }
        self.shared.given.notify_one();
        eventually("the invocation is taken", async || self.shared.state().waiting.is_empty()).await;
        receiver
    }

    /// Gives out an invocation and waits for its answer, or its error.
    pub(super) async fn invoke(&self, payload: &Value) -> Value {
        answered(self.begin(payload, "").await).await
    }

    /// Waits until the function has asked so often for an event.
    pub(super) async fn asked(&self, times: u32) {
        eventually("the function asks for an event", async || self.shared.state().asked >= times).await;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process {
    /// Asks it to come to its end.
    pub(super) fn terminate(&mut self) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("it runs");
        kill_process(pid, Signal::TERM).expect("it is ours");
    }

    /// The code it ends with by itself.
    pub(super) async fn ended(&mut self) -> Option<i32> {
        self.child.wait().await.expect("it is ours").code()
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    shared.state().asked += 1;
    loop {
        let given = shared.given.notified();
        if let Some((id, trace, payload)) = shared.state().waiting.pop_front() {
            let deadline = chrono::Utc::now().timestamp_millis() + TIMEOUT_SECONDS * 1_000;
            let headers = [
                ("lambda-runtime-aws-request-id", id),
                ("lambda-runtime-deadline-ms", deadline.to_string()),
                ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:0:function:probe".to_owned()),
                ("lambda-runtime-trace-id", trace),
            ];
            let headers = headers.map(|(name, value)| (name, value.parse().expect("a header")));
            let headers: HeaderMap =
                headers.map(|(name, value)| (name.parse().expect("a name"), value)).into_iter().collect();
            return (headers, Json(payload)).into_response();
        }
        given.await;
    }
}

/// Functions do not say that it is JSON.
async fn answer(State(shared): State<Arc<Shared>>, Path(id): Path<String>, answer: String) -> StatusCode {
    let answer = serde_json::from_str(&answer).expect("a function answers JSON");
    if let Some(sender) = shared.state().answers.remove(&id) {
        let _ = sender.send(answer);
    }
    StatusCode::ACCEPTED
}

async fn register(State(shared): State<Arc<Shared>>) -> Response {
    if !shared.has_extensions {
        return StatusCode::NOT_FOUND.into_response();
    }
    let answer = json!({"functionName": "probe", "functionVersion": "1", "handler": "bootstrap"});
    ([("lambda-extension-identifier", "an-extension")], Json(answer)).into_response()
}
