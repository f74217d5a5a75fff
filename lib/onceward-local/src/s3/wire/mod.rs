//! REST and XML: which operation a request is for.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html>

mod answer;
mod buckets;
mod condition;
mod copies;
mod deletes;
mod lists;
mod objects;
mod operation;
mod reads;
mod request;
mod tags;
mod uploads;
mod xml;

use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Method, Response, header};

use self::answer::Answer;
pub(crate) use self::operation::{operation, reseal};
use self::request::Request;
use super::{BODY_BYTES_MAX, S3, S3Error};

/// Parameters that name a part of a bucket or an object, or something done to one.
const SUBRESOURCES: [&str; 37] = [
    "abac",
    "accelerate",
    "acl",
    "analytics",
    "annotation",
    "attributes",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metadataAnnotationTable",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "versioning",
    "versions",
    "website",
];

/// Headers that ask of an object what the local cloud does not do.
const REFUSED_HEADERS: [&str; 7] = [
    "x-amz-grant-full-control",
    "x-amz-grant-read",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
];

impl S3 {
    /// Answers one request.
    pub(crate) async fn handle(&self, parts: Parts, body: Body) -> Response<Body> {
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let outcome = match read(parts, body).await {
            Ok(request) => self.act(&request),
            Err(error) => Err(error),
        };
        outcome.unwrap_or_else(|error| Answer::error(&error, &path, &method)).into_http()
    }

    fn act(&self, request: &Request) -> Result<Answer, S3Error> {
        check(request)?;
        match (&request.bucket, &request.key) {
            (None, _) if request.method == Method::GET => Ok(self.list_buckets(request)),
            (None, _) => Err(not_allowed()),
            (Some(bucket), None) => self.act_on_bucket(request, bucket),
            (Some(bucket), Some(key)) => self.act_on_object(request, bucket, key),
        }
    }

    fn act_on_bucket(&self, request: &Request, bucket: &str) -> Result<Answer, S3Error> {
        let has = |name: &str| request.query.contains_key(name);
        match request.method {
            Method::GET if has("location") => self.bucket_location(bucket),
            Method::GET if has("uploads") => self.list_uploads(bucket),
            Method::GET => self.list_objects(request, bucket),
            Method::HEAD => self.head_bucket(bucket),
            Method::PUT => self.put_bucket(request, bucket),
            Method::DELETE => self.delete_bucket(bucket),
            Method::POST if has("delete") => self.delete_objects(request, bucket),
            Method::POST => Err(S3Error::NotImplemented { what: "uploads by a form".to_owned() }),
            _ => Err(not_allowed()),
        }
    }

    fn act_on_object(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        let has = |name: &str| request.query.contains_key(name);
        let copied = request.headers.contains_key("x-amz-copy-source");
        match request.method {
            Method::GET if has("tagging") => self.object_tags(bucket, key),
            Method::PUT if has("tagging") => self.put_object_tags(request, bucket, key),
            Method::DELETE if has("tagging") => self.delete_object_tags(bucket, key),
            Method::GET if has("uploadId") => self.list_parts(request, bucket, key),
            Method::POST if has("uploads") => self.create_upload(request, bucket, key),
            Method::POST if has("uploadId") => self.complete_upload(request, bucket, key),
            Method::DELETE if has("uploadId") => self.abort_upload(request, bucket, key),
            Method::PUT if has("uploadId") && copied => {
                Err(S3Error::NotImplemented { what: "UploadPartCopy".to_owned() })
            }
            Method::PUT if has("uploadId") => self.upload_part(request, bucket, key),
            Method::GET | Method::HEAD => self.get_object(request, bucket, key),
            Method::PUT if copied => self.copy_object(request, bucket, key),
            Method::PUT => self.put_object(request, bucket, key),
            Method::DELETE => self.delete_object(request, bucket, key),
            _ => Err(not_allowed()),
        }
    }
}

async fn read(parts: Parts, body: Body) -> Result<Request, S3Error> {
    let too_large = S3Error::EntityTooLarge { bytes_max: super::OBJECT_BYTES_MAX };
    let length =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_large);
    }
    let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| match length {
        // What came was less than what was announced, and not too much.
        Some(_) => S3Error::refused("IncompleteBody", 400, "The request body terminated unexpectedly"),
        None => too_large,
    })?;
    Request::read(parts, body)
}

/// Refuses by name what no operation here does.
fn check(request: &Request) -> Result<(), S3Error> {
    let tags_of_object = |name: &str| name == "tagging" && request.key.is_some();
    let named = request.query.keys().map(String::as_str);
    let mut refused = named.filter(|name| SUBRESOURCES.contains(name) && !tags_of_object(name));
    if let Some(name) = refused.next() {
        return Err(S3Error::NotImplemented { what: format!("{} ?{name}", request.method) });
    }
    if let Some(version) = request.parameter("versionId").filter(|version| *version != "null") {
        return Err(S3Error::argument(format!(
            "Invalid version id specified: {version}; buckets have no versions here"
        )));
    }
    if let Some(name) = REFUSED_HEADERS.into_iter().find(|name| request.headers.contains_key(*name)) {
        return Err(S3Error::NotImplemented { what: format!("the header {name}") });
    }
    match request.header("x-amz-acl") {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(_) => Err(S3Error::refused("AccessControlListNotSupported", 400, "The bucket does not allow ACLs")),
    }
}

fn not_allowed() -> S3Error {
    S3Error::refused("MethodNotAllowed", 405, "The specified method is not allowed against this resource.")
}
