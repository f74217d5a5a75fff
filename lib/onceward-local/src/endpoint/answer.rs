//! Answers that are the endpoint's own, and the headers every answer has.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::account::Account;
use crate::iam::Caller;
use crate::wire::{AwsResponse, Protocol};

const XML: &str = "text/xml";

/// An error in the protocol of the request, or in XML where there is none.
pub(super) fn error(status: u16, protocol: Option<Protocol>, code: &str, message: &str) -> AwsResponse {
    let (content_type, body) = if let Some(Protocol::Json { content_type }) = protocol {
        (content_type, json!({"__type": code, "message": message}).to_string())
    } else {
        let (code, message) = (escaped(code), escaped(message));
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
        (XML, format!("<ErrorResponse>{error}<RequestId>{}</RequestId></ErrorResponse>", request_id()))
    };
    AwsResponse { status, content_type, headers: Vec::new(), body: body.into() }
}

/// `GetCallerIdentity`, which people try first: a function is its role's session, whoever else asks the account's root.
pub(super) fn caller_identity(account: &Account, caller: &Caller) -> AwsResponse {
    let id = &account.id;
    let (arn, user_id) = (caller.name(id), caller.user_id(id));
    let body = format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>{id}</Account></GetCallerIdentityResult>\
         <ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
        request_id()
    );
    AwsResponse { status: 200, content_type: XML, headers: Vec::new(), body: body.into() }
}

/// The HTTP response, with a request id if the service gave none.
pub(crate) fn into_http(answer: AwsResponse) -> Response<Body> {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    if !headers.contains_key(&REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(&request_id())
    {
        headers.insert(REQUEST_ID, id);
    }
    response
}

fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
