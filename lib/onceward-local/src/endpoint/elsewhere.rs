//! The endpoint where everything but the functions is another cloud's.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::Response,
    routing::get,
};

use super::{JSON, Services, answer, health};
use crate::wire::Protocol;

/// Lambda's API, and a word about where the rest is.
pub(crate) fn router(services: &Services) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/_localstack/health", get(health))
        .fallback(refuse)
        .with_state(services.clone())
        .merge(services.lambda.api())
}

async fn refuse(State(services): State<Services>, request: Request) -> Response<Body> {
    let is_json = request.headers().contains_key("x-amz-target");
    let protocol = is_json.then_some(Protocol::Json { content_type: JSON });
    let endpoint = &services.account.endpoint;
    let message = format!("this port answers Lambda only: every other service is the other cloud's, at {endpoint}");
    answer::into_http(answer::error(501, protocol, "NotImplemented", &message))
}
