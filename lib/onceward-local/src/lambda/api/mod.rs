//! Lambda's own REST API. <https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html>
//!
//! Functions are invoked and described here; they and their settings come from the template, so whatever would change
//! them is refused by name.

mod describe;
mod invoke;
mod mappings;

use axum::{
    Json, Router,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use serde_json::json;

use super::{error::LambdaError, service::Lambda};

impl Lambda {
    /// The Lambda API: `Invoke`, and what describes functions and their event source mappings.
    pub fn api(&self) -> Router {
        let function = |rest: &str| format!("/2015-03-31/functions/{{name}}{rest}");
        let invoke_config = "/2019-09-25/functions/{name}/event-invoke-config";
        let changes = |put, post, delete| [(Method::PUT, put), (Method::POST, post), (Method::DELETE, delete)];
        let mut api = Router::new()
            .route(&function("/invocations"), post(invoke::invoke))
            .route(&function(""), fixed(get(describe::function), [(Method::DELETE, "DeleteFunction")]))
            .route(
                &function("/configuration"),
                fixed(get(describe::configuration), [(Method::PUT, "UpdateFunctionConfiguration")]),
            )
            .route(&function("/code"), fixed(MethodRouter::new(), [(Method::PUT, "UpdateFunctionCode")]))
            .route(&function("/versions"), fixed(get(describe::versions), [(Method::POST, "PublishVersion")]))
            .route(&function("/aliases"), fixed(get(describe::aliases), [(Method::POST, "CreateAlias")]))
            .route(&function("/policy"), fixed(get(describe::policy), [(Method::POST, "AddPermission")]))
            .route("/2019-09-30/functions/{name}/concurrency", get(describe::concurrency))
            .route(
                "/2017-10-31/functions/{name}/concurrency",
                fixed(
                    MethodRouter::new(),
                    [(Method::PUT, "PutFunctionConcurrency"), (Method::DELETE, "DeleteFunctionConcurrency")],
                ),
            )
            .route(
                invoke_config,
                fixed(
                    get(describe::invoke_config),
                    changes(
                        "PutFunctionEventInvokeConfig",
                        "UpdateFunctionEventInvokeConfig",
                        "DeleteFunctionEventInvokeConfig",
                    ),
                ),
            )
            .route(&format!("{invoke_config}/list"), get(describe::invoke_configs))
            .route(
                "/2017-03-31/tags/{arn}",
                fixed(get(describe::tags), [(Method::POST, "TagResource"), (Method::DELETE, "UntagResource")]),
            )
            .route(
                "/2021-11-15/functions/{name}/response-streaming-invocations",
                fixed(MethodRouter::new(), [(Method::POST, "InvokeWithResponseStream")]),
            )
            .route(
                "/2015-03-31/event-source-mappings/{uuid}",
                fixed(
                    get(mappings::one),
                    [(Method::PUT, "UpdateEventSourceMapping"), (Method::DELETE, "DeleteEventSourceMapping")],
                ),
            );
        // boto3 writes some paths with a slash at the end and some without; so do other SDKs, and not the same.
        for slash in ["", "/"] {
            let invoke_async = [(Method::POST, "InvokeAsync (use Invoke with the invocation type Event)")];
            api = api
                .route(
                    &format!("/2015-03-31/event-source-mappings{slash}"),
                    fixed(get(mappings::list), [(Method::POST, "CreateEventSourceMapping")]),
                )
                .route(
                    &format!("/2015-03-31/functions{slash}"),
                    fixed(get(describe::functions), [(Method::POST, "CreateFunction")]),
                )
                .route(&format!("/2016-08-19/account-settings{slash}"), get(describe::account_settings))
                .route(
                    &format!("/2014-11-13/functions/{{name}}/invoke-async{slash}"),
                    fixed(MethodRouter::new(), invoke_async),
                );
        }
        api.with_state(self.clone())
    }
}

/// What the Lambda API answers to a request that none of its routes takes.
pub(crate) fn unknown(method: &Method, uri: &Uri) -> Response {
    unsupported(format!("{method} {}", uri.path())).into_response()
}

fn unsupported(action: String) -> LambdaError {
    let instead = "functions and their settings come from the template; change it and start `onceward dev` again";
    LambdaError::Unsupported { action, instead: instead.to_owned() }
}

/// A parameter of the query.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?.as_bytes();
    form_urlencoded::parse(query).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Refuses every method that `reading` does not have: by its action, if it is one.
fn fixed<const N: usize>(reading: MethodRouter<Lambda>, actions: [(Method, &'static str); N]) -> MethodRouter<Lambda> {
    reading.fallback(move |method: Method, uri: Uri| async move {
        match actions.iter().find(|(known, _)| *known == method) {
            Some((_, action)) => unsupported((*action).to_owned()).into_response(),
            None => unknown(&method, &uri),
        }
    })
}

impl IntoResponse for LambdaError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let blame = if status.is_client_error() { "User" } else { "Service" };
        let mut body = json!({ "Type": blame, "Message": self.to_string(), "message": self.to_string() });
        if let Some(reason) = self.reason() {
            body["Reason"] = json!(reason);
        }
        (status, [("x-amzn-errortype", self.code())], Json(body)).into_response()
    }
}
