//! What one check has: a cloud's address, names that nobody else uses, and a list of what it must clean up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::behaviour::Finding;
use super::request::{Json, Query, Reply, Request};
use crate::cloud::REGION;

/// How often a condition is asked for that is known to come true some time.
const GLANCE: Duration = Duration::from_millis(50);

/// How long it may take, on a busy machine too. Each check has a deadline of its own besides.
const EVENTUALLY_MAX: Duration = Duration::from_secs(30);

/// The HTTP client that all checks of a cloud share.
pub(super) type Http = Client<HttpConnector, Full<Bytes>>;

/// A client with a pool of connections.
pub(super) fn http() -> Http {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

/// One check's view of a cloud. Clones share it.
#[derive(Clone)]
pub(super) struct Session {
    shared: Arc<Shared>,
}

struct Shared {
    http: Http,
    /// Base URL, without a trailing slash.
    url: String,
    prefix: String,
    names: AtomicU64,
    /// What ends the resources that were made, in the order they were made.
    leftovers: Mutex<Vec<Request>>,
}

impl Session {
    /// A session with names of its own on the cloud at `url`.
    pub(super) fn new(http: Http, url: &str) -> Self {
        let prefix = format!("conf-{}", &uuid::Uuid::new_v4().simple().to_string()[..12]);
        let (names, leftovers) = (AtomicU64::new(0), Mutex::default());
        Self { shared: Arc::new(Shared { http, url: url.to_owned(), prefix, names, leftovers }) }
    }

    /// A name that no other resource has.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.shared.prefix, self.shared.names.fetch_add(1, Ordering::Relaxed))
    }

    /// What all names of this session begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.shared.prefix
    }

    /// Base URL of the cloud.
    pub(super) fn url(&self) -> &str {
        &self.shared.url
    }

    /// Sends `request` and reads the whole answer, whatever it is.
    pub(super) async fn send(&self, request: Request) -> Result<Reply, Finding> {
        let broken = |error: &dyn std::fmt::Display| Finding::Differs(format!("{}: no answer: {error}", request.what));
        let mut wire = http::Request::new(Full::new(request.body.clone()));
        *wire.method_mut() = request.method.clone();
        let uri = format!("{}{}", self.shared.url, request.path);
        *wire.uri_mut() = uri.parse().map_err(|error: http::uri::InvalidUri| broken(&error))?;
        *wire.headers_mut() = request.signed(REGION);
        let answer = self.shared.http.request(wire).await.map_err(|error| broken(&error))?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| broken(&error))?.to_bytes();
        Ok(Reply { what: request.what, status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// An action that must succeed.
    pub(super) async fn call(&self, service: Json, action: &str, body: Value) -> Result<Value, Finding> {
        Ok(self.send(Request::json(service, action, &body)).await?.success()?.json())
    }

    /// An action that must be refused with this code, and its answer.
    pub(super) async fn refuse(&self, service: Json, action: &str, body: Value, code: &str) -> Result<Reply, Finding> {
        self.send(Request::json(service, action, &body)).await?.refusal(&[code])
    }

    /// An action that must succeed, and its answer in XML.
    pub(super) async fn query(
        &self,
        service: Query,
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Finding> {
        Ok(self.send(Request::query(service, action, parameters)).await?.success()?.text())
    }

    /// An action that must be refused with this code, and its answer.
    pub(super) async fn refuse_query(
        &self,
        service: Query,
        action: &str,
        parameters: &[(&str, &str)],
        code: &str,
    ) -> Result<Reply, Finding> {
        self.send(Request::query(service, action, parameters)).await?.refusal(&[code])
    }

    /// Asks until there is an answer, which must come some time.
    pub(super) async fn eventually<T>(
        &self,
        what: &str,
        mut ask: impl AsyncFnMut() -> Result<Option<T>, Finding>,
    ) -> Result<T, Finding> {
        let began = tokio::time::Instant::now();
        loop {
            if let Some(answer) = ask().await? {
                return Ok(answer);
            }
            if began.elapsed() > EVENTUALLY_MAX {
                return Err(Finding::Differs(format!("not within {} s: {what}", EVENTUALLY_MAX.as_secs())));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// What ends a resource that was made; it is sent when the check is over.
    pub(super) fn clean_up_with(&self, request: Request) {
        self.shared.leftovers.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    /// Ends what was made, the youngest first. What is gone already answers an error, which is fine.
    pub(super) async fn clean_up(&self) {
        let leftovers = std::mem::take(&mut *self.shared.leftovers.lock().unwrap_or_else(PoisonError::into_inner));
        for request in leftovers.into_iter().rev() {
            let _ = self.send(request).await;
        }
    }
}
