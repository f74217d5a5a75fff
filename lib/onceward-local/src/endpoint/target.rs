//! Which service and action a request is for, in any of the AWS protocols.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};

use crate::wire::Protocol;

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

/// The services behind the endpoint. Lambda's REST paths have a router of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Sqs,
    Events,
    Sns,
    DynamoDb,
    Logs,
    Sts,
}

impl Service {
    /// Its name in signatures, and before the colon of its permissions.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::Events => "events",
            Self::Sns => "sns",
            Self::DynamoDb => "dynamodb",
            Self::Logs => "logs",
            Self::Sts => "sts",
        }
    }
}

/// Key, date, region, service and the end.
const CREDENTIAL_PARTS: usize = 5;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) service: Service,
    pub(super) protocol: Protocol,
    pub(super) action: String,
}

/// Why it goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unroutable {
    #[error(
        "the local cloud does not have {service}; it has SQS, EventBridge and its Scheduler, SNS, DynamoDB with its \
         streams, S3, Lambda, CloudWatch Logs and STS GetCallerIdentity"
    )]
    UnknownService { service: String },
    #[error(
        "the request names no action: neither the header X-Amz-Target (AmazonSQS.SendMessage) nor the parameter Action"
    )]
    NoAction,
    #[error("the action {action} is not one the local cloud knows, and the request's signature names no service")]
    UnknownAction { action: String },
}

/// Reads the target from the headers, else from the form parameters in `body` or the query.
pub(super) fn resolve(uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Target, Unroutable> {
    if let Some(target) = header_text(headers, "x-amz-target") {
        return json_target(target, headers);
    }
    let signed_for = signed_service(uri, headers);
    match parameter(body, "Action").or_else(|| parameter(uri.query().unwrap_or_default().as_bytes(), "Action")) {
        Some(action) => query_target(action, signed_for.as_deref()),
        None => match signed_for {
            Some(service) if by_signing_name(&service).is_none() => Err(Unroutable::UnknownService { service }),
            _ => Err(Unroutable::NoAction),
        },
    }
}

/// Whether a request is S3's: it is signed for it, or, unsigned, it names a bucket and no action.
pub(super) fn is_for_s3(parts: &Parts) -> bool {
    if let Some(service) = signed_service(&parts.uri, &parts.headers) {
        return service == "s3";
    }
    let action = parameter(parts.uri.query().unwrap_or_default().as_bytes(), "Action");
    let rest = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE].contains(&parts.method);
    rest && parts.uri.path() != "/" && action.is_none() && !parts.headers.contains_key("x-amz-target")
}

fn json_target(target: &str, headers: &HeaderMap) -> Result<Target, Unroutable> {
    let (prefix, action) = target.split_once('.').unwrap_or((target, ""));
    let service = match prefix {
        "AmazonSQS" => Service::Sqs,
        "AWSEvents" => Service::Events,
        "Logs_20140328" => Service::Logs,
        "DynamoDB_20120810" | "DynamoDBStreams_20120810" => Service::DynamoDb,
        _ => return Err(Unroutable::UnknownService { service: prefix.to_owned() }),
    };
    if action.is_empty() {
        return Err(Unroutable::NoAction);
    }
    let sent = header_text(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let content_type = match sent {
        sent if sent.starts_with(JSON_1_1) => JSON_1_1,
        sent if sent.starts_with(JSON_1_0) => JSON_1_0,
        _ if matches!(service, Service::Events | Service::Logs) => JSON_1_1,
        _ => JSON_1_0,
    };
    Ok(Target { service, protocol: Protocol::Json { content_type }, action: action.to_owned() })
}

fn query_target(action: String, signed_for: Option<&str>) -> Result<Target, Unroutable> {
    let service = match signed_for {
        Some(name) => by_signing_name(name).ok_or_else(|| Unroutable::UnknownService { service: name.to_owned() })?,
        None => by_action(&action).ok_or_else(|| Unroutable::UnknownAction { action: action.clone() })?,
    };
    Ok(Target { service, protocol: Protocol::Query, action })
}

fn by_signing_name(name: &str) -> Option<Service> {
    Some(match name {
        "sqs" => Service::Sqs,
        "events" => Service::Events,
        "sns" => Service::Sns,
        "dynamodb" => Service::DynamoDb,
        "logs" => Service::Logs,
        "sts" => Service::Sts,
        _ => return None,
    })
}

/// For unsigned requests, as from curl. `AddPermission`, `RemovePermission` and the tag actions are SQS's here.
fn by_action(action: &str) -> Option<Service> {
    let has = |words: &[&str]| words.iter().any(|word| action.contains(word));
    if action == "GetCallerIdentity" {
        return Some(Service::Sts);
    }
    if has(&["Topic", "Subscri", "Publish"]) {
        return Some(Service::Sns);
    }
    has(&["Queue", "Message", "Permission"]).then_some(Service::Sqs)
}

/// The service in the credential scope.
pub(super) fn signed_service(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    credential(uri, headers).map(|(_, service)| service)
}

/// Access key id and service of the credential: `Credential={key}/{date}/{region}/{service}/aws4_request`, in the header
/// or, for a presigned URL, in the query.
pub(crate) fn credential(uri: &Uri, headers: &HeaderMap) -> Option<(String, String)> {
    let scope = match header_text(headers, header::AUTHORIZATION.as_str()) {
        Some(authorization) => authorization.split_once("Credential=")?.1.to_owned(),
        None => parameter(uri.query()?.as_bytes(), "X-Amz-Credential")?,
    };
    let scope = scope.split([',', ' ']).next().unwrap_or_default();
    // Counted from the end: an access key may hold a slash.
    let mut parts = scope.rsplitn(CREDENTIAL_PARTS, '/');
    let (end, service) = (parts.next()?, parts.next()?);
    let key = parts.nth(2)?;
    (end == "aws4_request").then(|| (key.to_owned(), service.to_owned()))
}

fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn parameter(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
