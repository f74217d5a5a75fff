use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// The largest body a command accepts, in bytes; Lambda's own limit is 6 MB, and a DynamoDB item's 400 KB.
pub(crate) const BODY_BYTES_MAX: usize = 256 * 1024;

/// A request as an HTTP API hands it to a function.
#[derive(Clone, Default)]
pub struct HttpRequest {
    /// `POST /orders`: method and route.
    pub route: String,
    /// Id the gateway gave the request.
    pub request_id: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The route's parameters.
    pub path_parameters: BTreeMap<String, String>,
    /// The body's bytes, decoded if they came in base64.
    pub body: Vec<u8>,
}

/// The headers and the body may hold secrets and personal data: only their sizes are shown.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("route", &self.route)
            .field("request_id", &self.request_id)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// A function's answer: JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// JSON text.
    pub body: String,
}

/// What a refused request is told: `{"error":{"code","message","field"?}}`.
#[derive(Serialize)]
struct Refusal<'a> {
    error: RefusalBody<'a>,
}

#[derive(Serialize)]
struct RefusalBody<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

impl HttpResponse {
    pub(crate) fn refusal(status: u16, code: &str, message: &str, field: Option<&str>) -> Self {
        let refusal = Refusal { error: RefusalBody { code, message, field } };
        let body = serde_json::to_string(&refusal).expect("strings always serialize");
        Self { status, body }
    }
}
