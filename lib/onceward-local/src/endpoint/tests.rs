//! Where requests go. What services answer is tested with the services.

use axum::http::{HeaderMap, HeaderValue, Uri};

use super::target::{Service, Unroutable, is_for_s3, resolve, signed_service};
use super::*;

fn signed(service: &str) -> HeaderMap {
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=key/with/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    );
    HeaderMap::from_iter([(axum::http::header::AUTHORIZATION, HeaderValue::from_str(&scope).unwrap())])
}

fn targeted(target: &'static str, content_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", HeaderValue::from_static(target));
    headers.insert("content-type", HeaderValue::from_static(content_type));
    headers
}

fn root() -> Uri {
    Uri::from_static("/")
}

#[test]
fn json_requests_go_by_their_target() {
    let cases = [
        ("AmazonSQS.SendMessage", "application/x-amz-json-1.0", Service::Sqs, "application/x-amz-json-1.0"),
        ("AWSEvents.PutEvents", "application/x-amz-json-1.1", Service::Events, "application/x-amz-json-1.1"),
        ("AWSEvents.PutEvents", "application/json", Service::Events, "application/x-amz-json-1.1"),
        ("DynamoDB_20120810.PutItem", "application/x-amz-json-1.0", Service::DynamoDb, "application/x-amz-json-1.0"),
        ("DynamoDBStreams_20120810.GetRecords", "", Service::DynamoDb, "application/x-amz-json-1.0"),
    ];
    for (target, sent, service, content_type) in cases {
        let resolved = resolve(&root(), &targeted(target, sent), b"{}").unwrap();
        assert_eq!(resolved.service, service, "{target}");
        assert_eq!(resolved.protocol, Protocol::Json { content_type }, "{target}");
        assert!(target.ends_with(&resolved.action));
    }
}

#[test]
fn query_requests_go_by_their_signature_else_by_their_action() {
    let go = |headers: &HeaderMap, body: &str| resolve(&root(), headers, body.as_bytes()).map(|target| target.service);
    assert_eq!(go(&signed("sns"), "Action=AddPermission"), Ok(Service::Sns));
    assert_eq!(go(&signed("sqs"), "Action=AddPermission"), Ok(Service::Sqs));
    assert_eq!(go(&HeaderMap::new(), "Version=1&Action=Publish"), Ok(Service::Sns));
    assert_eq!(go(&HeaderMap::new(), "Action=SendMessage"), Ok(Service::Sqs));
    assert_eq!(go(&HeaderMap::new(), "Action=GetCallerIdentity"), Ok(Service::Sts));
    let by_url = Uri::from_static("/000000000000/queue?Action=ReceiveMessage");
    assert_eq!(resolve(&by_url, &HeaderMap::new(), b"").unwrap().service, Service::Sqs);
    let presigned = Uri::from_static("/?X-Amz-Credential=a%2F20260101%2Feu-west-1%2Fsns%2Faws4_request");
    assert_eq!(signed_service(&presigned, &HeaderMap::new()).as_deref(), Some("sns"));
}

#[test]
fn a_service_that_is_not_here_is_named() {
    let ssm = resolve(&root(), &targeted("AmazonSSM.GetParameter", ""), b"{}").unwrap_err();
    assert!(ssm.to_string().starts_with("the local cloud does not have AmazonSSM;"), "{ssm}");
    let apprunner = resolve(&Uri::from_static("/service"), &signed("apprunner"), b"").unwrap_err();
    assert_eq!(apprunner, Unroutable::UnknownService { service: "apprunner".to_owned() });
    let iam = resolve(&root(), &signed("iam"), b"Action=ListUsers").unwrap_err();
    assert_eq!(iam, Unroutable::UnknownService { service: "iam".to_owned() });
    let action = resolve(&root(), &HeaderMap::new(), b"Action=ListUsers").unwrap_err();
    assert_eq!(action, Unroutable::UnknownAction { action: "ListUsers".to_owned() });
    assert_eq!(resolve(&root(), &HeaderMap::new(), b""), Err(Unroutable::NoAction));
}

#[test]
fn what_is_signed_for_s3_or_names_a_bucket_and_no_action_goes_to_s3() {
    let goes = |method: &str, uri: &str, headers: HeaderMap| {
        let (mut parts, ()) = axum::http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
        parts.headers = headers;
        is_for_s3(&parts)
    };
    assert!(goes("POST", "/bucket?delete", signed("s3")));
    assert!(goes("GET", "/", signed("s3")));
    assert!(goes("GET", "/bucket/key", HeaderMap::new()));
    assert!(goes("PUT", "/bucket/key?X-Amz-Credential=a%2F20260101%2Feu-west-1%2Fs3%2Faws4_request", HeaderMap::new()));
    assert!(!goes("GET", "/bucket", signed("sqs")));
    assert!(!goes("GET", "/000000000000/queue?Action=ReceiveMessage", HeaderMap::new()));
    assert!(!goes("POST", "/", HeaderMap::new()));
    assert!(!goes("GET", "/", HeaderMap::new()));
}

#[test]
fn bodies_no_service_could_read() {
    let json = Protocol::Json { content_type: "" };
    assert_eq!(unreadable(json, b"{}"), None);
    assert!(unreadable(json, b"").unwrap().contains("empty"));
    assert!(unreadable(json, b"{\"a\":\"\xff\"}").unwrap().contains("not UTF-8"));
    assert!(unreadable(json, b"{").unwrap().contains("not JSON"));
    assert_eq!(unreadable(Protocol::Query, b"Action=x"), None);
}

#[test]
fn every_answer_has_a_request_id() {
    let error = answer::error(400, None, "UnknownOperationException", "a < b");
    assert!(String::from_utf8_lossy(&error.body).contains("<Message>a &lt; b</Message>"));
    assert!(answer::into_http(error).headers().contains_key("x-amzn-requestid"));
    let mut own = answer::caller_identity(&Account::new("eu-west-1", "http://127.0.0.1:4566"), &Caller::Developer);
    own.headers.push(("x-amzn-RequestId", "own".to_owned()));
    assert_eq!(answer::into_http(own).headers()["x-amzn-requestid"], "own");
}
