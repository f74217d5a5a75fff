//! One request of the AWS wire protocols, as the endpoint hands it to a service, and the service's answer.

use bytes::Bytes;

/// How a request and its answer are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `AWS JSON`: `X-Amz-Target: Prefix.Action`, a JSON body. The answer's content type repeats the version.
    Json {
        /// `application/x-amz-json-1.0` or `application/x-amz-json-1.1`.
        content_type: &'static str,
    },
    /// `AWS Query`: a form-encoded body with `Action` and `Version`; the answer is XML.
    Query,
}

/// A request to one service.
#[derive(Debug, Clone)]
pub struct AwsRequest {
    /// How it came and how to answer.
    pub protocol: Protocol,
    /// `SendMessage`, `PutEvents`, …
    pub action: String,
    /// Path of the URL: older SQS clients post to the queue's URL.
    pub path: String,
    /// The body as received: JSON, or `application/x-www-form-urlencoded`.
    pub body: Bytes,
}

/// The answer to an [`AwsRequest`].
#[derive(Debug, Clone)]
pub struct AwsResponse {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The encoded body.
    pub body: Bytes,
}
