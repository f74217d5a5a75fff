//! A client of the AWS JSON protocols that does as little as a client can, so that the clouds are measured.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::Error;

/// A client of one cloud, with a pool of connections.
#[derive(Clone)]
pub(crate) struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    url: String,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { http: Http::builder(TokioExecutor::new()).build(connector), url: url.to_owned() }
    }

    /// Whether something healthy answers.
    pub(crate) async fn healthy(&self) -> bool {
        match format!("{}/_localstack/health", self.url).parse() {
            Ok(uri) => self.http.get(uri).await.is_ok_and(|answer| answer.status().is_success()),
            Err(_) => false,
        }
    }

    pub(crate) async fn sqs(&self, action: &str, body: &Value) -> Result<Value, Error> {
        self.call("sqs", &format!("AmazonSQS.{action}"), "application/x-amz-json-1.0", body).await
    }

    pub(crate) async fn events(&self, action: &str, body: &Value) -> Result<Value, Error> {
        self.call("events", &format!("AWSEvents.{action}"), "application/x-amz-json-1.1", body).await
    }

    async fn call(&self, service: &str, target: &str, content_type: &str, body: &Value) -> Result<Value, Error> {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let request = http::Request::post(&self.url)
            .header("content-type", content_type)
            .header("x-amz-target", target)
            .header("authorization", scope)
            .body(Full::new(Bytes::from(body.to_string())))?;
        let answer = self.http.request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{target}: {status}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }
}
