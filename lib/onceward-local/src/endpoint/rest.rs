//! The services that are called by paths: what goes wrong on the way to them, and whether their answers can be kept.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Response};
use axum::middleware::Next;
use bytes::Bytes;

use super::{Services, answer, credential};
use crate::faults::{self, Call};
use crate::s3;
use crate::store::StoreError;
use crate::wire::AwsResponse;

/// In front of Lambda's API.
pub(super) async fn lambda(State(services): State<Arc<Services>>, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let (operation, name) = lambda_operation(request.method(), &path);
    let name = name.split_once("function:").map_or(name, |(_, rest)| rest);
    let name = name.split(':').next().unwrap_or_default();
    serve(&services, "lambda", operation, &[name], request, next).await
}

/// In front of Scheduler's.
pub(super) async fn scheduler(State(services): State<Arc<Services>>, request: Request, next: Next) -> Response<Body> {
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let (operation, name) = scheduler_operation(request.method(), &path);
    let groups =
        form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == "groupName" || key == "ScheduleGroup");
    let names: Vec<_> = groups.map(|(_, group)| group.into_owned()).chain([name.to_owned()]).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    serve(&services, "scheduler", operation, &names, request, next).await
}

async fn serve(
    services: &Services,
    service: &str,
    operation: &str,
    about: &[&str],
    request: Request,
    next: Next,
) -> Response<Body> {
    let key = credential(request.uri(), request.headers()).map(|(key, _)| key);
    let call = Call::of(service, operation).on(about.iter().copied()).by(key);
    let kept = async {
        services
            .store
            .kept(next.run(request))
            .await
            .unwrap_or_else(|failure| answer::into_http(unkept(&call, &failure)))
    };
    services.faults.before(&call, kept).await
}

/// S3's.
pub(super) async fn s3(services: &Services, mut parts: Parts, body: Body) -> Response<Body> {
    let (operation, bucket) = s3::operation(&parts);
    let key = credential(&parts.uri, &parts.headers).map(|(key, _)| key);
    let call = Call::of("s3", operation).on(bucket.as_deref()).by(key).with(&parts.method);
    let refuse = |failure: StoreError| answer::into_http(unkept(&call, &failure));
    // Of this one a part may fail, so its body is looked into.
    if operation != "DeleteObjects" || services.faults.is_off() {
        let kept = async { services.store.kept(services.s3.handle(parts, body)).await.unwrap_or_else(refuse) };
        return services.faults.before(&call, kept).await;
    }
    // Longer ones are refused by S3 itself, as what is left of them.
    let body = to_bytes(body, s3::BODY_BYTES_MAX).await.unwrap_or_default();
    let whole = body.clone();
    let answered = services.faults.around(&call, body, async |body| {
        if body != whole {
            s3::reseal(&mut parts, &body);
        }
        match services.store.kept(services.s3.handle(parts, body.into())).await {
            Ok(response) => buffered(response).await,
            Err(failure) => unkept(&call, &failure),
        }
    });
    answered.await.map_or_else(|| faults::dropped(&call), answer::into_http)
}

/// The document S3 answers; its headers say nothing that a client needs.
async fn buffered(response: Response<Body>) -> AwsResponse {
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    AwsResponse { status, content_type: "application/xml", headers: Vec::new(), body }
}

/// What was changed is in memory only: nobody is told that it is done.
pub(super) fn unkept(call: &Call<'_>, failure: &StoreError) -> AwsResponse {
    call.asked().failed_because(500, &failure.to_string())
}

/// Operation and function; `Unknown` for what is refused by name.
fn lambda_operation<'p>(method: &Method, path: &'p str) -> (&'static str, &'p str) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (operation, name) = match (method.as_str(), parts.as_slice()) {
        ("POST", [_, "functions", name, "invocations"]) => ("Invoke", *name),
        ("GET", [_, "functions"]) => ("ListFunctions", ""),
        ("GET", [_, "functions", name]) => ("GetFunction", *name),
        ("GET", [_, "functions", name, part]) => match *part {
            "aliases" => ("ListAliases", *name),
            "concurrency" => ("GetFunctionConcurrency", *name),
            "configuration" => ("GetFunctionConfiguration", *name),
            "event-invoke-config" => ("GetFunctionEventInvokeConfig", *name),
            "policy" => ("GetPolicy", *name),
            "versions" => ("ListVersionsByFunction", *name),
            _ => (UNKNOWN, *name),
        },
        ("GET", [_, "functions", name, "event-invoke-config", "list"]) => ("ListFunctionEventInvokeConfigs", *name),
        ("GET", [_, "account-settings"]) => ("GetAccountSettings", ""),
        ("GET", [_, "tags", arn]) => ("ListTags", *arn),
        ("GET", [_, "event-source-mappings"]) => ("ListEventSourceMappings", ""),
        ("GET", [_, "event-source-mappings", _]) => ("GetEventSourceMapping", ""),
        _ => (UNKNOWN, ""),
    };
    (operation, name)
}

/// Operation, and schedule, group or ARN.
fn scheduler_operation<'p>(method: &Method, path: &'p str) -> (&'static str, &'p str) {
    let (kind, name) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_matches('/'), ""));
    let operation = match (method.as_str(), kind, name.is_empty()) {
        ("GET", "schedules", true) => "ListSchedules",
        ("GET", "schedules", false) => "GetSchedule",
        ("POST", "schedules", false) => "CreateSchedule",
        ("PUT", "schedules", false) => "UpdateSchedule",
        ("DELETE", "schedules", false) => "DeleteSchedule",
        ("GET", "schedule-groups", true) => "ListScheduleGroups",
        ("GET", "schedule-groups", false) => "GetScheduleGroup",
        ("POST", "schedule-groups", false) => "CreateScheduleGroup",
        ("DELETE", "schedule-groups", false) => "DeleteScheduleGroup",
        ("GET", "tags", false) => "ListTagsForResource",
        ("POST", "tags", false) => "TagResource",
        ("DELETE", "tags", false) => "UntagResource",
        _ => UNKNOWN,
    };
    (operation, name)
}

const UNKNOWN: &str = "Unknown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_the_operation() {
        let lambda = |method: Method, path| lambda_operation(&method, path);
        assert_eq!(lambda(Method::POST, "/2015-03-31/functions/f/invocations"), ("Invoke", "f"));
        assert_eq!(lambda(Method::GET, "/2015-03-31/functions/"), ("ListFunctions", ""));
        assert_eq!(lambda(Method::GET, "/2019-09-30/functions/f/concurrency"), ("GetFunctionConcurrency", "f"));
        let list = "/2019-09-25/functions/f/event-invoke-config/list";
        assert_eq!(lambda(Method::GET, list), ("ListFunctionEventInvokeConfigs", "f"));
        assert_eq!(lambda(Method::PUT, "/2015-03-31/functions/f/code").0, UNKNOWN);
        let scheduler = |method: Method, path| scheduler_operation(&method, path);
        assert_eq!(scheduler(Method::PUT, "/schedules/daily"), ("UpdateSchedule", "daily"));
        assert_eq!(scheduler(Method::GET, "/schedules"), ("ListSchedules", ""));
        let arn = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/g";
        assert_eq!(scheduler(Method::DELETE, &format!("/tags/{arn}")), ("UntagResource", arn));
    }
}
