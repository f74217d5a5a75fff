//! A request as payload format 2.0 words it.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header, request::Parts};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::routes::Found;
use crate::account::Account;

/// The id of the only API.
const API_ID: &str = "local";
/// Header in which X-Ray's trace travels.
const TRACE_HEADER: &str = "x-amzn-trace-id";

/// A request, read to its end.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) parts: Parts,
    /// Decoded.
    pub(super) path: String,
    pub(super) body: Bytes,
    pub(super) source_ip: String,
}

impl Received {
    /// The caller's trace.
    pub(super) fn trace_id(&self) -> Option<String> {
        Some(self.parts.headers.get(TRACE_HEADER)?.to_str().ok()?.to_owned())
    }

    fn header(&self, name: &str) -> String {
        self.parts
            .headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    }
}

/// The event for the function of `found`. What a request does not have is left out, as API Gateway does.
pub(super) fn build(request: &Received, found: &Found, account: &Account) -> Value {
    let raw_query = request.parts.uri.query().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": found.key,
        "rawPath": request.path,
        "rawQueryString": raw_query,
        "headers": headers(request),
        "requestContext": context(request, found, account, Utc::now()),
        "isBase64Encoded": false,
    });
    let mut set = |name: &str, value: Value| {
        event[name] = value;
    };
    let cookies = cookies(&request.parts.headers);
    if !cookies.is_empty() {
        set("cookies", json!(cookies));
    }
    if !raw_query.is_empty() {
        set("queryStringParameters", joined(form_urlencoded::parse(raw_query.as_bytes())));
    }
    if !found.parameters.is_empty() {
        let parameters = found.parameters.iter().map(|(name, value)| (name.clone(), json!(value)));
        set("pathParameters", Value::Object(parameters.collect()));
    }
    if !request.body.is_empty() {
        let (body, encoded) = body(&request.body, &request.header("content-type"));
        set("body", json!(body));
        set("isBase64Encoded", json!(encoded));
    }
    event
}

/// Lower-cased by the server already; several values of one name are joined. Cookies have a field of their own.
fn headers(request: &Received) -> Value {
    let named = request.parts.headers.iter().filter(|(name, _)| **name != header::COOKIE);
    let pairs = named.map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())));
    let mut headers = joined(pairs);
    let host = request.header("host");
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port);
    let defaults =
        [("x-forwarded-for", request.source_ip.as_str()), ("x-forwarded-proto", "http"), ("x-forwarded-port", port)];
    for (name, value) in defaults {
        if headers.get(name).is_none() {
            headers[name] = json!(value);
        }
    }
    headers
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(';')).map(|cookie| cookie.trim().to_owned()).collect()
}

fn joined<N: AsRef<str>, V: AsRef<str>>(pairs: impl Iterator<Item = (N, V)>) -> Value {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in pairs {
        let joined = values.entry(name.as_ref().to_owned());
        joined
            .and_modify(|all| *all = format!("{all},{}", value.as_ref()))
            .or_insert_with(|| value.as_ref().to_owned());
    }
    Value::Object(values.into_iter().map(|(name, value)| (name, Value::String(value))).collect::<Map<_, _>>())
}

fn context(request: &Received, found: &Found, account: &Account, now: DateTime<Utc>) -> Value {
    let domain = request.header("host");
    json!({
        "accountId": account.id,
        "apiId": API_ID,
        "domainName": domain,
        "domainPrefix": domain.split('.').next().unwrap_or_default(),
        "http": {
            "method": request.parts.method.as_str(),
            "path": request.path,
            "protocol": format!("{:?}", request.parts.version),
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "requestId": Uuid::new_v4().to_string(),
        "routeKey": found.key,
        "stage": "$default",
        "time": now.format("%d/%b/%Y:%H:%M:%S +0000").to_string(),
        "timeEpoch": now.timestamp_millis(),
    })
}

/// The body and whether it is Base64: what is not text by its content type, or not UTF-8, is.
fn body(bytes: &Bytes, content_type: &str) -> (String, bool) {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = media.is_empty()
        || media.starts_with("text/")
        || matches!(media.as_str(), "application/json" | "application/javascript" | "application/xml")
        || media.ends_with("+json")
        || media.ends_with("+xml");
    match std::str::from_utf8(bytes) {
        Ok(body) if text => (body.to_owned(), false),
        _ => (STANDARD.encode(bytes), true),
    }
}
