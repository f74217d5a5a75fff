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
        let mut api = Router::new()
            .route(&function("/invocations"), post(invoke::invoke))
            .route(&function(""), fixed(get(describe::function), "UpdateFunction or DeleteFunction"))
            .route(&function("/configuration"), fixed(get(describe::configuration), "UpdateFunctionConfiguration"))
            .route(&function("/code"), fixed(MethodRouter::new(), "UpdateFunctionCode"))
            .route(&function("/versions"), fixed(get(describe::versions), "PublishVersion"))
            .route(&function("/aliases"), fixed(get(describe::aliases), "CreateAlias"))
            .route(&function("/policy"), fixed(get(describe::policy), "AddPermission"))
            .route("/2019-09-30/functions/{name}/concurrency", get(describe::concurrency))
            .route(
                "/2017-10-31/functions/{name}/concurrency",
                fixed(MethodRouter::new(), "PutFunctionConcurrency or DeleteFunctionConcurrency"),
            )
            .route(invoke_config, fixed(get(describe::invoke_config), "PutFunctionEventInvokeConfig"))
            .route(&format!("{invoke_config}/list"), get(describe::invoke_configs))
            .route("/2016-08-19/account-settings", get(describe::account_settings))
            .route("/2016-08-19/account-settings/", get(describe::account_settings))
            .route("/2017-03-31/tags/{arn}", fixed(get(describe::tags), "TagResource or UntagResource"))
            .route(
                "/2014-11-13/functions/{name}/invoke-async/",
                fixed(MethodRouter::new(), "InvokeAsync (use Invoke with InvocationType Event)"),
            )
            .route(
                "/2021-11-15/functions/{name}/response-streaming-invocations",
                fixed(MethodRouter::new(), "InvokeWithResponseStream"),
            );
        let mapping = || fixed(get(mappings::one), "UpdateEventSourceMapping or DeleteEventSourceMapping");
        for path in ["/2015-03-31/event-source-mappings", "/2015-03-31/event-source-mappings/"] {
            api = api.route(path, fixed(get(mappings::list), "CreateEventSourceMapping"));
        }
        for path in ["/2015-03-31/functions", "/2015-03-31/functions/"] {
            api = api.route(path, fixed(get(describe::functions), "CreateFunction"));
        }
        api.route("/2015-03-31/event-source-mappings/{uuid}", mapping()).with_state(self.clone())
    }
}

/// A parameter of the query.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?.as_bytes();
    form_urlencoded::parse(query).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Refuses, by the name of the action, every method that `reading` does not have.
fn fixed(reading: MethodRouter<Lambda>, action: &'static str) -> MethodRouter<Lambda> {
    reading.fallback(move |method: Method| async move {
        LambdaError::Unsupported {
            action: format!("{method}: {action}"),
            instead: "declare it in template.yaml and start `onceward dev` again".to_owned(),
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
