//! Faults on the way to the services, and the address where they are set: `/_onceward/faults`.

use std::future::Future;
use std::io;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::time::sleep;

use super::rule::Kind;
use super::{Call, Fault, FaultError, Faults, Plan, batch};
use crate::endpoint::into_http;
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
                let items = ["TransactItems", "TransactStatements"].iter().find_map(|name| request[*name].as_array());
                let items = items.map_or(1, Vec::len).max(1);
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

    /// The same for a call whose body is left to `serve`.
    pub(crate) async fn before(&self, call: &Call<'_>, serve: impl Future<Output = Response<Body>>) -> Response<Body> {
        if self.is_off() {
            return serve.await;
        }
        let mut served = None;
        let answer = self
            .around(call, Bytes::new(), async |_| {
                served = Some(serve.await);
                call.asked().encoded(200, Bytes::new())
            })
            .await;
        match (answer, served) {
            (None, _) => dropped(call),
            (Some(_), Some(response)) => response,
            (Some(refusal), None) => into_http(refusal),
        }
    }
}

/// An answer that never arrives: the server gives up the connection before it has sent anything.
pub(crate) fn dropped(call: &Call<'_>) -> Response<Body> {
    if call.is_head {
        // Nothing is read of a body that could break off: the connection's task ends, without a word to standard error.
        std::panic::resume_unwind(Box::new("a response lost on purpose"));
    }
    let broken = stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionAborted)) });
    Response::new(Body::from_stream(broken))
}

/// `GET`, `PUT` and `DELETE` of all faults, `POST` of further ones.
pub(crate) fn routes(faults: Faults) -> Router {
    Router::new().route(PATH, get(show).put(set).post(add).delete(end)).with_state(faults)
}

async fn show(State(faults): State<Faults>) -> Response<Body> {
    let (seed, rules) = faults.counts();
    Json(json!({"seed": seed, "rules": rules})).into_response()
}

async fn set(State(faults): State<Faults>, body: Body) -> Response<Body> {
    take(faults, body, Faults::set).await
}

async fn add(State(faults): State<Faults>, body: Body) -> Response<Body> {
    take(faults, body, Faults::add).await
}

async fn take(faults: Faults, body: Body, change: fn(&Faults, Plan) -> Result<u64, FaultError>) -> Response<Body> {
    let refuse = |message: String| (StatusCode::BAD_REQUEST, Json(json!({"message": message}))).into_response();
    let Ok(body) = to_bytes(body, PLAN_BYTES_MAX).await else {
        return refuse(format!("the faults are longer than {PLAN_BYTES_MAX} bytes"));
    };
    let plan = match serde_json::from_slice::<Plan>(&body) {
        Ok(plan) => plan,
        Err(error) => return refuse(format!("not {{\"seed\": …, \"rules\": […]}}: {error}")),
    };
    match change(&faults, plan) {
        Ok(_) => show(State(faults)).await,
        Err(error) => refuse(error.to_string()),
    }
}

async fn end(State(faults): State<Faults>) -> StatusCode {
    // Nothing to refuse in no rules.
    drop(faults.set(Plan::default()));
    StatusCode::NO_CONTENT
}
