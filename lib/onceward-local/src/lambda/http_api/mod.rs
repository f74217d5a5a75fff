//! API Gateway's HTTP API in front of functions, payload format 2.0.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

mod answer;
mod cors;
mod event;
mod routes;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::json;
use tokio::time::timeout;

pub use self::cors::Cors;
use self::{event::Received, routes::Routes};
use super::{error::LambdaError, pool::Finished, service::Lambda, spec::Route};
use crate::faults::Call;

/// Largest request. <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Longest wait for a function.
pub const INTEGRATION_MAX: Duration = Duration::from_secs(30);
/// The source of a request whose server does not say it.
const SOURCE_UNKNOWN: &str = "127.0.0.1";

#[derive(Debug, Clone)]
struct HttpApi {
    lambda: Lambda,
    routes: Arc<Routes>,
    cors: Option<Arc<Cors>>,
}

impl Lambda {
    /// An HTTP API with `routes`; with `cors` it answers browsers itself. Serve it with `into_make_service_with_connect_info::<SocketAddr>()` and functions learn
    /// the client's address.
    pub fn http_api(&self, routes: Vec<Route>, cors: Option<Cors>) -> Router {
        let routes = Arc::new(Routes::new(routes));
        let api = HttpApi { lambda: self.clone(), routes, cors: cors.map(Arc::new) };
        Router::new().fallback(handle).with_state(api)
    }
}

async fn handle(State(api): State<HttpApi>, request: Request) -> Response {
    let Some(cors) = api.cors.clone() else { return call(api, request).await };
    if let Some(answer) = cors.preflight(request.method(), request.headers()) {
        return answer;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut answer = call(api, request).await;
    cors.complete(origin.as_ref(), &mut answer);
    answer
}

/// One call, unless a fault comes in between.
async fn call(api: HttpApi, request: Request) -> Response {
    let (faults, path) = (api.lambda.faults().clone(), request.uri().path().to_owned());
    let call = Call::of("execute-api", "Invoke").on([path.as_str()]).with(request.method());
    faults.before(&call, route(api, request)).await
}

async fn route(api: HttpApi, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = routes::decode(parts.uri.path());
    let Some(found) = api.routes.find(parts.method.as_str(), &path) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let source = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let source_ip = source.map_or(SOURCE_UNKNOWN.to_owned(), |ConnectInfo(address)| address.ip().to_string());
    let received = Received { parts, path, body, source_ip };
    let trace_id = received.trace_id();
    let event = Bytes::from(event::build(&received, &found, api.lambda.account()).to_string());
    let outcome = timeout(
        INTEGRATION_MAX,
        api.lambda.invoke_request(&found.function, super::pool::Request::new(event, trace_id)),
    )
    .await;
    let problem = match outcome {
        Ok(Ok(Finished { invocation, .. })) => {
            if let (None, Some(answer)) = (&invocation.function_error, answer::parse(&invocation.payload)) {
                return answer;
            }
            String::from_utf8_lossy(&invocation.payload).into_owned()
        }
        Ok(Err(LambdaError::RequestTooLarge { .. })) => {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        }
        Ok(Err(LambdaError::TooManyRequests { .. } | LambdaError::Throttled { .. } | LambdaError::ShuttingDown))
        | Err(_) => {
            return message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
        }
        Ok(Err(error)) => error.to_string(),
    };
    let report = format!("{} -> {}: {problem}", found.key, found.function);
    api.lambda.sink().report(&found.function, 0, "ERROR", &report);
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn message(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "message": text }))).into_response()
}
