//! Faults on the way to the services, and the address where they are set: `/_onceward/faults`.

use std::future::Future;
use std::io;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::middleware::Next;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::time::sleep;

use super::rule::Kind;
use super::{Call, Fault, Faults, Plan, batch};
use crate::wire::AwsResponse;

/// The path where faults are looked at, set and ended.
const PATH: &str = "/_onceward/faults";
/// Largest body of a plan.
const PLAN_BYTES_MAX: usize = 256 * 1024;

impl Faults {
    /// Has `serve` answer the call with `body`, unless a fault comes in between. `None`: the connection breaks.
    pub(crate) async fn around<F: Future<Output = AwsResponse>>(
        &self,
        call: &Call<'_>,
        body: Bytes,
        serve: impl FnOnce(Bytes) -> F,
    ) -> Option<AwsResponse> {
        let (delay, fault) = self.on_the_way(call);
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let Some(Fault { rule, chance }) = fault else { return Some(serve(body).await) };
        let asked = call.asked();
        match rule.kind {
            Kind::Throttle => Some(asked.throttled()),
            Kind::Error => Some(asked.failed(rule.status.unwrap_or(500))),
            Kind::Conflict => {
                let request: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
                let items = request["TransactItems"].as_array().map_or(1, Vec::len).max(1);
                let at = usize::try_from(chance.below(items as u64)).unwrap_or_default();
                Some(asked.conflicting(items, at))
            }
            Kind::Partial => Some(batch::partially(asked, chance, body, serve).await),
            Kind::LostRequest => None,
            Kind::LostResponse => {
                drop(serve(body).await);
                None
            }
            // Latency has happened; the others do not happen on the way.
            Kind::Latency | Kind::Duplicate | Kind::Reorder | Kind::Kill => Some(serve(body).await),
        }
    }
}

/// An answer that never arrives: the server gives up the connection before it has sent anything.
pub(crate) fn dropped() -> Response<Body> {
    let broken = stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted)) });
    Response::new(Body::from_stream(broken))
}

/// In front of Lambda's own API.
pub(crate) async fn lambda(State(faults): State<Faults>, request: Request, next: Next) -> Response<Body> {
    if faults.is_off() {
        return next.run(request).await;
    }
    let (headers, path) = (request.headers().clone(), request.uri().path().to_owned());
    let Some(function) = path.strip_prefix("/2015-03-31/functions") else { return next.run(request).await };
    let mut parts = function.trim_matches('/').split('/');
    let name = parts.next().unwrap_or_default();
    let operation = match (parts.next(), name.is_empty()) {
        (Some("invocations"), _) => "Invoke",
        (Some("configuration"), _) => "GetFunctionConfiguration",
        (_, true) => "ListFunctions",
        _ => "GetFunction",
    };
    let call = Call::of("lambda", operation).on([name]).signed(&headers);
    let mut response = None;
    let answer = faults
        .around(&call, Bytes::new(), async |_| {
            response = Some(next.run(request).await);
            AwsResponse { status: 200, content_type: "", headers: Vec::new(), body: Bytes::new() }
        })
        .await;
    match (answer, response) {
        (None, _) => dropped(),
        (Some(_), Some(response)) => response,
        (Some(refusal), None) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let headers = axum::response::AppendHeaders(refusal.headers);
            (status, [("content-type", refusal.content_type)], headers, refusal.body).into_response()
        }
    }
}

/// `GET`, `PUT` and `DELETE` of all faults.
pub(crate) fn routes(faults: Faults) -> Router {
    Router::new().route(PATH, get(show).put(set).delete(end)).with_state(faults)
}

async fn show(State(faults): State<Faults>) -> Response<Body> {
    let (seed, rules) = faults.counts();
    Json(json!({"seed": seed, "rules": rules})).into_response()
}

async fn set(State(faults): State<Faults>, body: Body) -> Response<Body> {
    let refuse = |message: String| (StatusCode::BAD_REQUEST, Json(json!({"message": message}))).into_response();
    let Ok(body) = to_bytes(body, PLAN_BYTES_MAX).await else {
        return refuse(format!("the faults are longer than {PLAN_BYTES_MAX} bytes"));
    };
    let plan = match serde_json::from_slice::<Plan>(&body) {
        Ok(plan) => plan,
        Err(error) => return refuse(format!("not {{\"seed\": …, \"rules\": […]}}: {error}")),
    };
    match faults.set(plan) {
        Ok(_) => show(State(faults)).await,
        Err(error) => refuse(error.to_string()),
    }
}

async fn end(State(faults): State<Faults>) -> StatusCode {
    // Nothing to refuse in no rules.
    drop(faults.set(Plan::default()));
    StatusCode::NO_CONTENT
}
