//! `Invoke`. <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use axum::{
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::parameter;
use crate::lambda::{
    error::LambdaError,
    pool::{Finished, Request},
    service::{Lambda, REQUEST_BYTES_MAX, VERSION},
};

const REQUEST_ID: &str = "x-amzn-requestid";

/// `name` with the qualifier of the query, which must not contradict one in the name.
pub(super) fn qualified(name: &str, uri: &Uri) -> Result<String, LambdaError> {
    let bare = name.split_once("function:").map_or(name, |(_, rest)| rest);
    match (parameter(uri, "Qualifier"), bare.split_once(':')) {
        (Some(qualifier), None) => Ok(format!("{name}:{qualifier}")),
        (Some(qualifier), Some((_, named))) if *named != qualifier => Err(LambdaError::InvalidParameter {
            message: format!(
                "The derived qualifier from the function name does not match the specified qualifier: {qualifier}"
            ),
        }),
        _ => Ok(name.to_owned()),
    }
}

pub(super) async fn invoke(
    State(lambda): State<Lambda>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, LambdaError> {
    let name = qualified(&name, &uri)?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let too_large = |_| LambdaError::RequestTooLarge { bytes_max: REQUEST_BYTES_MAX };
    let payload = to_bytes(body, REQUEST_BYTES_MAX).await.map_err(too_large)?;
    // Who invokes what first: a function that is not there is told before a payload that is none.
    lambda.pool(&name)?;
    let payload = if payload.is_empty() { Bytes::from_static(b"{}") } else { payload };
    if let Err(error) = serde_json::from_slice::<IgnoredAny>(&payload) {
        return Err(LambdaError::InvalidRequestContent { reason: error.to_string() });
    }
    let trace_id = text("x-amzn-trace-id").map(str::to_owned);
    match text("x-amz-invocation-type").unwrap_or("RequestResponse") {
        "DryRun" => Ok(StatusCode::NO_CONTENT.into_response()),
        "Event" => {
            let request_id = lambda.invoke_later(&name, payload, trace_id)?;
            Ok((StatusCode::ACCEPTED, [(REQUEST_ID, request_id)]).into_response())
        }
        "RequestResponse" => {
            let client_context = text("x-amz-client-context").map(client_context).transpose()?;
            let request = Request { client_context, ..Request::new(payload, trace_id) };
            let finished = lambda.invoke_request(&name, request).await?;
            Ok(answer(finished, text("x-amz-log-type") == Some("Tail")))
        }
        other => Err(LambdaError::InvalidParameter {
            message: format!(
                "1 validation error detected: Value '{other}' at 'invocationType' failed to satisfy constraint: Member \
                 must satisfy enum value set: [RequestResponse, Event, DryRun]"
            ),
        }),
    }
}

/// `X-Amz-Client-Context`: JSON in Base64. It is passed on as JSON, on one line, since it becomes a header again.
fn client_context(encoded: &str) -> Result<String, LambdaError> {
    let context =
        STANDARD.decode(encoded).ok().and_then(|json| serde_json::from_slice::<Map<String, Value>>(&json).ok());
    let invalid = || LambdaError::InvalidParameter {
        message: "Client context must be a valid Base64-encoded JSON object.".to_owned(),
    };
    context.map(|context| Value::Object(context).to_string()).ok_or_else(invalid)
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
    set(REQUEST_ID, &finished.request_id);
    if let Some(error) = &finished.invocation.function_error {
        set("x-amz-function-error", error);
    }
    if tail {
        let log: String = finished.log.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        set("x-amz-log-result", &STANDARD.encode(log));
    }
    response
}
