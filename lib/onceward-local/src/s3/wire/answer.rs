//! Answers: a status, headers, and a document or an object's content.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::xml::Xml;
use crate::s3::S3Error;

/// What S3 answers.
#[derive(Debug, Default)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
    /// Length of what is not sent, because only the headers were asked for.
    length: Option<usize>,
}

impl Answer {
    pub(super) fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(super) fn document(document: String) -> Self {
        Self { body: Bytes::from(document), ..Self::status(200) }.header("content-type", "application/xml")
    }

    /// The content of an object; the answer to a `HEAD` leaves it out.
    pub(super) fn content(mut self, content: Bytes, method: &Method) -> Self {
        self.length = Some(content.len());
        if *method != Method::HEAD {
            self.body = content;
        }
        self
    }

    #[must_use]
    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The error's document, or for a `HEAD` its headers only.
    pub(super) fn error(error: &S3Error, path: &str, method: &Method) -> Self {
        let answer = Self::status(error.status());
        if let S3Error::NotModified { etag } = error {
            return answer.header("etag", etag.clone());
        }
        if *method == Method::HEAD {
            return answer;
        }
        let document = Xml::error(|xml| {
            xml.text("Code", error.code());
            xml.text("Message", &error.to_string());
            if let Some((name, value)) = error.detail() {
                xml.text(name, value);
            }
            xml.text("Resource", path);
            xml.text("RequestId", &request_id());
            xml.text("HostId", "onceward");
        });
        Self { status: error.status(), ..Self::document(document) }
    }

    pub(super) fn into_http(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let length = self.length.map(|length| (header::CONTENT_LENGTH.to_string(), length.to_string()));
        let own = [("x-amz-request-id".to_owned(), request_id()), ("server".to_owned(), "AmazonS3".to_owned())];
        for (name, value) in self.headers.into_iter().chain(length).chain(own) {
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
            {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// As documents have times.
pub(super) fn iso8601(ms: i64) -> String {
    at(ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// As headers have times, which know no milliseconds.
pub(super) fn http_date(ms: i64) -> String {
    at(ms).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn at(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

fn request_id() -> String {
    Uuid::new_v4().simple().to_string()[..16].to_ascii_uppercase()
}
