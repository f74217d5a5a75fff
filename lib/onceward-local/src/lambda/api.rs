//! Lambda's own REST API, as far as invoking goes. <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{
    error::LambdaError,
    pool::Finished,
    service::{Lambda, REQUEST_BYTES_MAX},
    spec::FunctionSpec,
};

/// The version every function has.
const VERSION: &str = "$LATEST";

impl Lambda {
    /// The Lambda API: `Invoke`, `GetFunction`, `ListFunctions`. What would change a function is refused: functions come
    /// from the template.
    pub fn api(&self) -> Router {
        Router::new()
            .route("/2015-03-31/functions/{name}/invocations", post(invoke))
            .route("/2015-03-31/functions/{name}", get(get_function).delete(refuse_change).put(refuse_change))
            .route("/2015-03-31/functions/{name}/configuration", get(get_configuration).put(refuse_change))
            .route("/2015-03-31/functions", get(list).post(refuse_change))
            .route("/2015-03-31/functions/", get(list).post(refuse_change))
            .with_state(self.clone())
    }
}

async fn invoke(State(lambda): State<Lambda>, Path(name): Path<String>, headers: HeaderMap, body: Body) -> Response {
    match try_invoke(&lambda, &name, &headers, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn try_invoke(lambda: &Lambda, name: &str, headers: &HeaderMap, body: Body) -> Result<Response, LambdaError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let too_large = |_| LambdaError::RequestTooLarge { bytes_max: REQUEST_BYTES_MAX };
    let payload = to_bytes(body, REQUEST_BYTES_MAX).await.map_err(too_large)?;
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(&payload) {
        return Err(LambdaError::InvalidRequestContent { reason: error.to_string() });
    }
    let trace_id = text("x-amzn-trace-id").map(str::to_owned);
    match text("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "DryRun" => {
            lambda.pool(name)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        "Event" => {
            lambda.invoke_later(name, payload, trace_id)?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        "RequestResponse" => {
            let finished = lambda.invoke_traced(name, payload, trace_id).await?;
            Ok(answer(finished, text("x-amz-log-type") == Some("Tail")))
        }
        other => Err(LambdaError::InvalidRequestContent { reason: format!("no such invocation type: {other}") }),
    }
}

fn answer(finished: Finished, tail: bool) -> Response {
    let mut response = Response::new(Body::from(finished.invocation.payload));
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("content-type", "application/json");
    set("x-amz-executed-version", VERSION);
    if let Some(error) = &finished.invocation.function_error {
        set("x-amz-function-error", error);
    }
    if tail {
        let log: String = finished.log.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        set("x-amz-log-result", &STANDARD.encode(log));
    }
    response
}

async fn get_function(State(lambda): State<Lambda>, Path(name): Path<String>) -> Response {
    match lambda.pool(&name) {
        Ok(pool) => Json(json!({
            "Configuration": configuration(&pool.spec, &pool.function_arn()),
            "Code": { "RepositoryType": "Local", "Location": format!("file://{}", pool.spec.bootstrap.display()) },
        }))
        .into_response(),
        Err(error) => error.into_response(),
    }
}

async fn get_configuration(State(lambda): State<Lambda>, Path(name): Path<String>) -> Response {
    match lambda.pool(&name) {
        Ok(pool) => Json(configuration(&pool.spec, &pool.function_arn())).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn list(State(lambda): State<Lambda>) -> Response {
    let pools = lambda.functions().into_iter().filter_map(|name| lambda.pool(&name).ok());
    let functions: Vec<Value> = pools.map(|pool| configuration(&pool.spec, &pool.function_arn())).collect();
    Json(json!({ "Functions": functions })).into_response()
}

async fn refuse_change() -> LambdaError {
    LambdaError::Unsupported {
        action: "creating, changing or deleting a function".to_owned(),
        instead: "declare it in template.yaml and start `onceward dev` again".to_owned(),
    }
}

fn configuration(spec: &FunctionSpec, arn: &str) -> Value {
    json!({
        "FunctionName": spec.name,
        "FunctionArn": arn,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "PackageType": "Zip",
        "Version": VERSION,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "Timeout": spec.timeout.as_secs(),
        "MemorySize": spec.memory_mb,
        "Environment": { "Variables": spec.environment },
    })
}

impl IntoResponse for LambdaError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let blame = if status.is_client_error() { "User" } else { "Service" };
        let body = Json(json!({ "Type": blame, "Message": self.to_string(), "message": self.to_string() }));
        (status, [("x-amzn-errortype", self.code())], body).into_response()
    }
}
