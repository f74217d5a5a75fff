//! What a request is for, by its line and its headers.

use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use super::SUBRESOURCES;
use super::request::address;
use crate::s3::checksum::md5_base64;

/// What is refused by name, or not allowed.
const UNKNOWN: &str = "Unknown";

/// The operation, by AWS's name, and the bucket.
pub(crate) fn operation(parts: &Parts) -> (&'static str, Option<String>) {
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Ok((bucket, key)) = address(parts.uri.path(), host) else { return (UNKNOWN, None) };
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    let names: Vec<_> = form_urlencoded::parse(query).map(|(name, _)| name.into_owned()).collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    let copied = parts.headers.contains_key("x-amz-copy-source");
    let tagged = key.is_some() && has("tagging");
    let refused = !tagged && names.iter().any(|name| SUBRESOURCES.contains(&name.as_str()));
    let operation = match (parts.method.as_str(), &bucket, &key) {
        _ if refused => UNKNOWN,
        ("GET", None, _) => "ListBuckets",
        ("GET", Some(_), None) if has("location") => "GetBucketLocation",
        ("GET", Some(_), None) if has("uploads") => "ListMultipartUploads",
        ("GET", Some(_), None) if has("list-type") => "ListObjectsV2",
        ("GET", Some(_), None) => "ListObjects",
        ("HEAD", Some(_), None) => "HeadBucket",
        ("PUT", Some(_), None) => "CreateBucket",
        ("DELETE", Some(_), None) => "DeleteBucket",
        ("POST", Some(_), None) if has("delete") => "DeleteObjects",
        ("GET", Some(_), Some(_)) if tagged => "GetObjectTagging",
        ("PUT", Some(_), Some(_)) if tagged => "PutObjectTagging",
        ("DELETE", Some(_), Some(_)) if tagged => "DeleteObjectTagging",
        ("GET", Some(_), Some(_)) if has("uploadId") => "ListParts",
        ("POST", Some(_), Some(_)) if has("uploads") => "CreateMultipartUpload",
        ("POST", Some(_), Some(_)) if has("uploadId") => "CompleteMultipartUpload",
        ("DELETE", Some(_), Some(_)) if has("uploadId") => "AbortMultipartUpload",
        ("PUT", Some(_), Some(_)) if has("uploadId") && !copied => "UploadPart",
        ("GET", Some(_), Some(_)) => "GetObject",
        ("HEAD", Some(_), Some(_)) => "HeadObject",
        ("PUT", Some(_), Some(_)) if copied => "CopyObject",
        ("PUT", Some(_), Some(_)) => "PutObject",
        ("DELETE", Some(_), Some(_)) => "DeleteObject",
        _ => UNKNOWN,
    };
    (operation, bucket)
}

/// Says of `body`, which is no longer the one that was sent, what was said of that.
pub(crate) fn reseal(parts: &mut Parts, body: &[u8]) {
    let of_body = |name: &str| {
        let lengths = [header::CONTENT_LENGTH.as_str(), "x-amz-decoded-content-length", "x-amz-content-sha256"];
        lengths.contains(&name) || name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
    };
    let stale: Vec<_> = parts.headers.keys().filter(|name| of_body(name.as_str())).cloned().collect();
    for name in stale {
        parts.headers.remove(name);
    }
    if let Ok(digest) = HeaderValue::from_str(&md5_base64(body)) {
        parts.headers.insert("content-md5", digest);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::*;

    #[test]
    fn method_path_and_parameters_tell_the_operation() {
        let named = |method: Method, uri: &str| {
            let (parts, ()) = axum::http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts();
            operation(&parts)
        };
        let bucket = || Some("claims".to_owned());
        assert_eq!(named(Method::GET, "/"), ("ListBuckets", None));
        assert_eq!(named(Method::GET, "/claims?list-type=2"), ("ListObjectsV2", bucket()));
        assert_eq!(named(Method::PUT, "/claims/a/b"), ("PutObject", bucket()));
        assert_eq!(named(Method::PUT, "/claims/a?uploadId=u&partNumber=1"), ("UploadPart", bucket()));
        assert_eq!(named(Method::POST, "/claims?delete"), ("DeleteObjects", bucket()));
        assert_eq!(named(Method::GET, "/claims/a?tagging"), ("GetObjectTagging", bucket()));
        assert_eq!(named(Method::GET, "/claims?policy"), (UNKNOWN, bucket()));
    }
}
