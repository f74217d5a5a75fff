//! One request, signed, and its answer.

use std::time::{Duration, SystemTime};

use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{ANSWER_MAX, Credentials, RemoteError, between};

const JSON: &str = "application/x-amz-json-1.0";
const FORM: &str = "application/x-www-form-urlencoded";

/// What speaks to the other cloud.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    endpoint: String,
    region: String,
    pub(super) credentials: Credentials,
}

/// A request before it is signed.
struct Call<'c> {
    /// By which the signature names the service.
    service: &'c str,
    operation: &'c str,
    method: &'c str,
    path: &'c str,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// How long the answer may take.
    time_max: Duration,
}

impl Client {
    pub(super) fn new(endpoint: &str, region: &str, credentials: Credentials) -> Result<Self, RemoteError> {
        let fault = |reason: String| RemoteError::Endpoint { endpoint: endpoint.to_owned(), reason };
        let url: reqwest::Url = endpoint.parse().map_err(|error| fault(format!("{error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(fault("it is no address of a cloud".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let reason = "credentials do not belong in it but in the environment".to_owned();
            return Err(RemoteError::Endpoint { endpoint: "…".to_owned(), reason });
        }
        // Another may be there already: it will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        // No proxy: the functions' own clients, which have none, must reach the same place.
        let http = reqwest::Client::builder().no_proxy().connect_timeout(ANSWER_MAX).build();
        let http = http.map_err(|error| fault(error.to_string()))?;
        Ok(Self { http, endpoint: endpoint.to_owned(), region: region.to_owned(), credentials })
    }

    /// A request of AWS's JSON protocols; `target` is `AmazonSQS`, ….
    pub(super) async fn json(
        &self,
        service: &str,
        (target, operation): (&str, &str),
        request: &Value,
        wait: Duration,
    ) -> Result<Value, RemoteError> {
        let headers = vec![("content-type", JSON.to_owned()), ("x-amz-target", format!("{target}.{operation}"))];
        let body = request.to_string();
        let call = Call { service, operation, method: "POST", path: "/", headers, body, time_max: wait + ANSWER_MAX };
        self.parsed(call).await
    }

    /// A request of AWS's query protocol; the answer is XML.
    pub(super) async fn query(
        &self,
        service: &str,
        version: &str,
        operation: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, RemoteError> {
        let fixed = [("Action", operation), ("Version", version)];
        let body =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fixed).extend_pairs(parameters).finish();
        let headers = vec![("content-type", FORM.to_owned())];
        self.send(Call { service, operation, method: "POST", path: "/", headers, body, time_max: ANSWER_MAX }).await
    }

    /// A GET of a REST API.
    pub(super) async fn get(&self, service: &str, path: &str) -> Result<Value, RemoteError> {
        let call = Call {
            service,
            operation: path,
            method: "GET",
            path,
            headers: Vec::new(),
            body: String::new(),
            time_max: ANSWER_MAX,
        };
        self.parsed(call).await
    }

    async fn parsed(&self, call: Call<'_>) -> Result<Value, RemoteError> {
        let operation = call.operation.to_owned();
        let answer = self.send(call).await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer).map_err(|error| RemoteError::Refused {
            operation,
            code: "SerializationException".to_owned(),
            message: format!("the answer is no JSON: {error}"),
            status: 200,
        })
    }

    async fn send(&self, call: Call<'_>) -> Result<String, RemoteError> {
        let unreachable = |reason: String| RemoteError::Unreachable { endpoint: self.endpoint.clone(), reason };
        let operation = call.operation.to_owned();
        let request = self.signed(call).map_err(unreachable)?;
        let answer = self.http.execute(request).await.map_err(|error| unreachable(innermost(&error)))?;
        let status = answer.status().as_u16();
        let header = answer.headers().get("x-amzn-errortype").and_then(|code| code.to_str().ok()).map(str::to_owned);
        let body = answer.text().await.map_err(|error| unreachable(innermost(&error)))?;
        if status < 300 { Ok(body) } else { Err(refused(operation, status, header, &body)) }
    }

    fn signed(&self, call: Call<'_>) -> Result<reqwest::Request, String> {
        let Credentials { access_key_id, secret_access_key, session_token } = self.credentials.clone();
        let credentials =
            aws_credential_types::Credentials::new(access_key_id, secret_access_key, session_token, None, "onceward");
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(call.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let uri = format!("{}{}", self.endpoint, call.path);
        let headers = call.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(call.body.as_bytes());
        let signable = SignableRequest::new(call.method, &uri, headers, body).map_err(|error| error.to_string())?;
        let (instructions, _) = sign(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
        let mut request = http::Request::builder().method(call.method).uri(&uri);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let mut request = request.body(call.body).map_err(|error| error.to_string())?;
        instructions.apply_to_request_http1x(&mut request);
        let mut request = reqwest::Request::try_from(request).map_err(|error| error.to_string())?;
        *request.timeout_mut() = Some(call.time_max);
        Ok(request)
    }
}

/// A value in a URL's query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// An error answer in any of AWS's protocols.
fn refused(operation: String, status: u16, header: Option<String>, body: &str) -> RemoteError {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let field = |names: [&str; 3]| names.iter().find_map(|name| json[*name].as_str()).map(str::to_owned);
    let code = field(["__type", "code", "Code"]).or(header);
    let code = code.or_else(|| between(body, "<Code>", "</Code>").map(str::to_owned)).unwrap_or_default();
    // `com.amazonaws.sqs#QueueDoesNotExist`, `ResourceNotFoundException:http://…`
    let code = code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
    let message = field(["message", "Message", "errorMessage"]);
    let message = message.or_else(|| between(body, "<Message>", "</Message>").map(str::to_owned));
    let message = message.unwrap_or_else(|| format!("HTTP status {status}"));
    RemoteError::Refused { operation, code, message, status }
}

/// `reqwest` says what it did; the cause says what happened.
fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
