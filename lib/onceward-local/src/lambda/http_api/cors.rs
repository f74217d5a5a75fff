//! Cross-origin requests, answered by the API and not by its functions.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};

/// What the API tells browsers. What is empty is not told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// `https://shop.example.com`, `https://*`, or `*`.
    pub allow_origins: Vec<String>,
    /// Upper case, or `*`.
    pub allow_methods: Vec<String>,
    /// Lower case, or `*`.
    pub allow_headers: Vec<String>,
    /// Lower case, or `*`.
    pub expose_headers: Vec<String>,
    /// Whether cookies may come along.
    pub allow_credentials: bool,
    /// How long a browser may remember a preflight's answer.
    pub max_age: Option<Duration>,
}

impl Cors {
    /// The answer to a preflight request; `None` if this is not one.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let asks = headers.contains_key(header::ORIGIN) && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if method != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if self.allow(headers.get(header::ORIGIN), response.headers_mut()) {
            let answer = response.headers_mut();
            set(answer, header::ACCESS_CONTROL_ALLOW_METHODS, &self.allow_methods.join(","));
            set(answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &self.allow_headers.join(","));
            if let Some(age) = self.max_age {
                set(answer, header::ACCESS_CONTROL_MAX_AGE, &age.as_secs().to_string());
            }
        }
        Some(response)
    }

    /// Puts the API's headers in the place of those that a function answered.
    pub(super) fn complete(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        let answer = response.headers_mut();
        let own: Vec<HeaderName> =
            answer.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
        for name in own {
            answer.remove(name);
        }
        if self.allow(origin, answer) {
            set(answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, &self.expose_headers.join(","));
        }
    }

    /// Says that `origin` is allowed, if it is.
    fn allow(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) -> bool {
        let Some(origin) = origin.and_then(|origin| origin.to_str().ok()) else { return false };
        let Some(allowed) = self.allow_origins.iter().find(|allowed| matches(allowed, origin)) else { return false };
        set(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, if allowed == "*" { "*" } else { origin });
        if self.allow_credentials {
            set(answer, header::ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        true
    }
}

/// `https://*` is every origin of that scheme.
fn matches(allowed: &str, origin: &str) -> bool {
    match allowed.strip_suffix('*') {
        Some(start) => origin.starts_with(start),
        None => allowed == origin,
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}
