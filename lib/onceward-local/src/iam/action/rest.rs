//! The services that are called by paths: Lambda, S3 and `EventBridge` Scheduler.
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html>,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridgescheduler.html>

use std::collections::BTreeMap;

use axum::http::{HeaderMap, Method, Uri};

use crate::account::Account;
use crate::iam::evaluate::Need;

/// The permissions that a request needs; `None` if `service` is not called by paths.
pub(crate) fn rest(
    account: &Account,
    service: &str,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Option<Vec<Need>> {
    let query: BTreeMap<String, String> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let path = decoded(uri.path());
    Some(match service {
        "lambda" => vec![lambda(account, method, &path)],
        "s3" => s3(method, &path, &query, headers),
        "scheduler" => vec![scheduler(account, method, &path, &query)],
        _ => return None,
    })
}

/// A path's percent-encoding undone; a `+` in it is a plus.
fn decoded(path: &str) -> String {
    let escaped = path.replace('+', "%2B");
    let whole = format!("p={}", escaped.replace('&', "%26"));
    form_urlencoded::parse(whole.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn lambda(account: &Account, method: &Method, path: &str) -> Need {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let arn = |name: &str| {
        let bare = name.split_once("function:").map_or(name, |(_, rest)| rest);
        account.arn("lambda", &format!("function:{bare}"))
    };
    match (method.as_str(), parts.as_slice()) {
        ("POST", [_, "functions", name, "invocations" | "invoke-async" | "response-streaming-invocations"]) => {
            Need::new("lambda", "InvokeFunction", arn(name))
        }
        ("GET", [_, "functions", name]) => Need::new("lambda", "GetFunction", arn(name)),
        ("GET", [_, "functions", name, "configuration"]) => Need::new("lambda", "GetFunctionConfiguration", arn(name)),
        ("GET", [_, "functions"]) => Need::new("lambda", "ListFunctions", "*"),
        ("GET", [_, "event-source-mappings"]) => Need::new("lambda", "ListEventSourceMappings", "*"),
        (method, [_, "event-source-mappings", rest @ ..]) => {
            let action = match method {
                "GET" => "GetEventSourceMapping",
                "PUT" => "UpdateEventSourceMapping",
                "DELETE" => "DeleteEventSourceMapping",
                _ => "CreateEventSourceMapping",
            };
            let id = rest.first().copied().unwrap_or("*");
            Need::new("lambda", action, account.arn("lambda", &format!("event-source-mapping:{id}")))
        }
        // Whatever else there is changes a function.
        (_, [_, "functions", name, ..]) => Need::new("lambda", "UpdateFunctionConfiguration", arn(name)),
        _ => Need::new("lambda", "CreateFunction", "*"),
    }
}

/// S3's actions are told by the method and by which bare parameter the query has.
fn s3(method: &Method, path: &str, query: &BTreeMap<String, String>, headers: &HeaderMap) -> Vec<Need> {
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    let has = |name: &str| query.contains_key(name);
    let one = |name: &str| query.get(name).cloned().into_iter().collect();
    let on_bucket = |action: &str| vec![Need::new("s3", action, format!("arn:aws:s3:::{bucket}"))];
    let on_object = |action: &str| Need::new("s3", action, format!("arn:aws:s3:::{bucket}/{key}"));
    let versioned =
        |action: &str| on_object(&if has("versionId") { format!("{action}Version") } else { action.to_owned() });
    if bucket.is_empty() {
        return vec![Need::new("s3", "ListAllMyBuckets", "*")];
    }
    if key.is_empty() {
        return match method.as_str() {
            "PUT" if query.is_empty() => on_bucket("CreateBucket"),
            "DELETE" if query.is_empty() => on_bucket("DeleteBucket"),
            "POST" if has("delete") => vec![Need::new("s3", "DeleteObject", format!("arn:aws:s3:::{bucket}/*"))],
            "GET" if has("location") => on_bucket("GetBucketLocation"),
            "GET" if has("uploads") => on_bucket("ListBucketMultipartUploads"),
            "GET" if has("versions") => on_bucket("ListBucketVersions"),
            method => match query.keys().find_map(|name| configuration(name)) {
                Some(name) if method == "GET" => on_bucket(&format!("Get{name}")),
                Some(name) => on_bucket(&format!("Put{name}")),
                None => vec![
                    Need::new("s3", "ListBucket", format!("arn:aws:s3:::{bucket}"))
                        .with("s3:prefix", one("prefix"))
                        .with("s3:delimiter", one("delimiter"))
                        .with("s3:max-keys", one("max-keys")),
                ],
            },
        };
    }
    match method.as_str() {
        "GET" if has("uploadId") => vec![on_object("ListMultipartUploadParts")],
        "GET" | "HEAD" if has("tagging") => vec![on_object("GetObjectTagging")],
        "GET" | "HEAD" => vec![versioned("GetObject")],
        "DELETE" if has("uploadId") => vec![on_object("AbortMultipartUpload")],
        "DELETE" if has("tagging") => vec![on_object("DeleteObjectTagging")],
        "DELETE" => vec![versioned("DeleteObject")],
        "PUT" if has("tagging") => vec![on_object("PutObjectTagging")],
        "PUT" if has("acl") => vec![on_object("PutObjectAcl")],
        // A copy reads its source, too.
        _ => {
            let source = headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok());
            let source = source.map(|source| decoded(source.split('?').next().unwrap_or_default()));
            let read = source.map(|it| Need::new("s3", "GetObject", format!("arn:aws:s3:::{}", it.trim_matches('/'))));
            [Some(on_object("PutObject")), read].into_iter().flatten().collect()
        }
    }
}

/// The permission's name for a part of a bucket's configuration.
fn configuration(parameter: &str) -> Option<&'static str> {
    Some(match parameter {
        "acl" => "BucketAcl",
        "cors" => "BucketCORS",
        "encryption" => "EncryptionConfiguration",
        "lifecycle" => "LifecycleConfiguration",
        "notification" => "BucketNotification",
        "policy" => "BucketPolicy",
        "publicAccessBlock" => "BucketPublicAccessBlock",
        "tagging" => "BucketTagging",
        "versioning" => "BucketVersioning",
        _ => return None,
    })
}

fn scheduler(account: &Account, method: &Method, path: &str, query: &BTreeMap<String, String>) -> Need {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let verb = match method.as_str() {
        "POST" => "Create",
        "PUT" => "Update",
        "DELETE" => "Delete",
        _ => "Get",
    };
    let group = query.get("groupName").map_or("default", String::as_str);
    match parts.as_slice() {
        ["schedules"] => Need::new("scheduler", "ListSchedules", "*"),
        ["schedules", name] => Need::new(
            "scheduler",
            &format!("{verb}Schedule"),
            // A group named in the body is not looked for here: a policy on the group's schedules has a wildcard.
            account.arn("scheduler", &format!("schedule/{group}/{name}")),
        ),
        ["schedule-groups"] => Need::new("scheduler", "ListScheduleGroups", "*"),
        ["schedule-groups", name] => {
            let arn = account.arn("scheduler", &format!("schedule-group/{name}"));
            Need::new("scheduler", &format!("{verb}ScheduleGroup"), arn)
        }
        _ => Need::new("scheduler", &format!("{verb}Tags"), "*"),
    }
}
