//! Conditions of reads, writes and copies.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>

use chrono::DateTime;

use super::request::Request;
use crate::s3::S3Error;
use crate::s3::bucket::{Bucket, Object};

const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";
const IF_UNMODIFIED_SINCE: &str = "If-Unmodified-Since";

/// Whether a writer's condition holds for what is there under `key`.
pub(super) fn check_write(request: &Request, bucket: &Bucket, key: &str) -> Result<(), S3Error> {
    match request.header(IF_NONE_MATCH) {
        Some("*") if bucket.objects.contains_key(key) => {
            return Err(S3Error::PreconditionFailed { condition: IF_NONE_MATCH });
        }
        None | Some("*") => {}
        Some(_) => return Err(S3Error::NotImplemented { what: "If-None-Match of a write other than *".to_owned() }),
    }
    match request.header(IF_MATCH) {
        None => Ok(()),
        Some(etags) if matches(etags, bucket.object(key)?) => Ok(()),
        Some(_) => Err(S3Error::PreconditionFailed { condition: IF_MATCH }),
    }
}

/// Whether a reader wants the object.
pub(super) fn check_read(request: &Request, object: &Object) -> Result<(), S3Error> {
    check(request, object, "")
}

/// Whether the source of a copy is as it should be.
pub(super) fn check_source(request: &Request, object: &Object) -> Result<(), S3Error> {
    match check(request, object, "x-amz-copy-source-") {
        Err(S3Error::NotModified { .. }) => {
            Err(S3Error::PreconditionFailed { condition: "x-amz-copy-source-If-None-Match" })
        }
        outcome => outcome,
    }
}

fn check(request: &Request, object: &Object, prefix: &str) -> Result<(), S3Error> {
    let header = |name: &str| request.header(&format!("{prefix}{name}"));
    let after = |name: &str| header(name).and_then(|date| modified_after(object, date));
    // A matching ETag outweighs the time.
    match header("if-match") {
        Some(etags) if matches(etags, object) => {}
        Some(_) => return Err(S3Error::PreconditionFailed { condition: IF_MATCH }),
        None if after("if-unmodified-since") != Some(true) => {}
        None => return Err(S3Error::PreconditionFailed { condition: IF_UNMODIFIED_SINCE }),
    }
    let known = match header("if-none-match") {
        Some(etags) => matches(etags, object),
        None => after("if-modified-since") == Some(false),
    };
    if known { Err(S3Error::NotModified { etag: format!("\"{}\"", object.etag) }) } else { Ok(()) }
}

fn matches(etags: &str, object: &Object) -> bool {
    etags.split(',').map(|etag| etag.trim().trim_matches('"')).any(|etag| etag == "*" || etag == object.etag)
}

/// Dates of headers have whole seconds; one that is none is passed over.
fn modified_after(object: &Object, date: &str) -> Option<bool> {
    let date = DateTime::parse_from_rfc2822(date).ok()?;
    Some(object.modified_ms / 1_000 > date.timestamp())
}
