//! A server that answers AWS calls from a script, over real TCP, and remembers what it was asked.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::SdkConfig;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::net::TcpListener;

/// Long enough for a request to arrive at a busy machine.
const IMPATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

/// One prepared answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    delay: std::time::Duration,
}

/// The text of an answer.
pub(crate) struct Body(String);

impl From<Value> for Body {
    fn from(json: Value) -> Self {
        Self(json.to_string())
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Answer {
    /// Success.
    pub(crate) fn ok(body: impl Into<Body>) -> Self {
        let Body(body) = body.into();
        Self { status: 200, headers: Vec::new(), body, delay: std::time::Duration::ZERO }
    }

    /// A whole answer with any status and body.
    pub(crate) fn raw(status: u16, body: &str) -> Self {
        Self { status, ..Self::ok(body) }
    }

    /// An error in AWS's JSON protocols.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let body = serde_json::json!({"__type": format!("com.amazonaws.test#{code}"), "message": message});
        let id = ("x-amzn-requestid", "REQUEST-1".to_owned());
        Self { status, headers: vec![id], ..Self::ok(body) }
    }

    /// The code that SQS's older protocol has for the error: it goes along in a header.
    pub(crate) fn with_query_code(mut self, code: &str) -> Self {
        self.headers.push(("x-amzn-query-error", format!("{code};Sender")));
        self
    }

    /// An answer that comes only after the patience of any client has ended.
    pub(crate) fn never() -> Self {
        Self { delay: std::time::Duration::from_mins(5), ..Self::ok("{}") }
    }
}

/// The server, and what it has been asked.
#[derive(Debug)]
pub(crate) struct Scripted {
    address: SocketAddr,
    script: Arc<Script>,
}

#[derive(Debug, Default)]
struct Script {
    answers: Mutex<HashMap<&'static str, VecDeque<Answer>>>,
    requests: Mutex<Vec<(String, Value)>>,
}

impl Scripted {
    /// Starts it without any answer.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let script = Arc::new(Script::default());
        let router = Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, script }
    }

    /// Adds answers for an operation. Each is given once, the last one again and again.
    pub(crate) fn answer<const N: usize>(&self, operation: &'static str, answers: [Answer; N]) {
        let mut script = self.script.answers.lock().unwrap_or_else(PoisonError::into_inner);
        script.entry(operation).or_default().extend(answers);
    }

    /// What the operation was asked so far, in order: JSON, or the text of a form.
    pub(crate) fn requests(&self, operation: &str) -> Vec<Value> {
        let requests = self.script.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.iter().filter(|(name, _)| name == operation).map(|(_, body)| body.clone()).collect()
    }

    /// What clients of a function are made of, but for the endpoint, the credentials and their patience.
    pub(crate) async fn config(&self) -> SdkConfig {
        crate::clients::tests::config(&format!("http://{}", self.address)).await
    }

    /// The same for clients that soon give up: the request arrives within it, [`Answer::never`] does not.
    pub(crate) async fn impatient_config(&self) -> SdkConfig {
        crate::clients::tests::config_with(&format!("http://{}", self.address), IMPATIENCE).await
    }
}

async fn answer(State(script): State<Arc<Script>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let operation = match target.and_then(|target| target.split_once('.')) {
        Some((_, operation)) => operation.to_owned(),
        None => form_action(&body),
    };
    let answer = next(&script, &operation);
    script.requests.lock().unwrap_or_else(PoisonError::into_inner).push((operation, body));
    let Some(answer) = answer else { return (StatusCode::NOT_IMPLEMENTED, "not in the script").into_response() };
    tokio::time::sleep(answer.delay).await;
    let status = StatusCode::from_u16(answer.status).expect("the script has HTTP's statuses");
    (status, axum::response::AppendHeaders(answer.headers), answer.body).into_response()
}

fn next(script: &Script, operation: &str) -> Option<Answer> {
    let mut answers = script.answers.lock().unwrap_or_else(PoisonError::into_inner);
    let answers = answers.get_mut(operation)?;
    if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
}

/// SNS's operation stands in the form itself.
fn form_action(body: &Value) -> String {
    let form = body.as_str().unwrap_or_default();
    form.split('&').find_map(|pair| pair.strip_prefix("Action=")).unwrap_or_default().to_owned()
}

/// An error with its sources, as the core's log has it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |&error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
