//! `PutObject` and `DeleteObject`, and what is told of objects in headers.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use std::collections::BTreeMap;

use super::answer::Answer;
use super::condition::check_write;
use super::request::Request;
use super::tags;
use crate::s3::bucket::{Description, Object, check_key};
use crate::s3::checksum::{Algorithm, Checksum, md5_hexadecimal};
use crate::s3::{S3, S3Error};

/// Bytes of the user's metadata: names and values together.
const METADATA_BYTES_MAX: usize = 2_048;
const METADATA: &str = "x-amz-meta-";
/// Headers that are kept with an object and told with it.
pub(super) const KEPT: [&str; 6] =
    ["cache-control", "content-disposition", "content-language", "content-type", "expires", "x-amz-storage-class"];
const CONTENT_ENCODING: &str = "content-encoding";
/// How S3 encrypts what comes without other wishes; nothing is encrypted here.
const ENCRYPTION: &str = "x-amz-server-side-encryption";

impl S3 {
    pub(super) fn put_object(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        check_key(key)?;
        let description = description(request)?;
        let content = request.body.clone();
        let checksum = match &request.checksum {
            Some(checksum) => checksum.clone(),
            None => Checksum::of(request.algorithm()?.unwrap_or(Algorithm::Crc64Nvme), &content),
        };
        let etag = md5_hexadecimal(&content);
        let object = Object { content, etag, modified_ms: self.now_ms(), checksum, composite: false, description };
        let answer = written(Answer::status(200), &object);
        self.with_bucket(bucket, |bucket| {
            check_write(request, bucket, key)?;
            bucket.put(key, object);
            Ok(answer)
        })
    }

    /// An object that is not there is deleted already.
    pub(super) fn delete_object(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        self.with_bucket(bucket, |bucket| {
            if request.header("if-match").is_some() {
                check_write(request, bucket, key)?;
            }
            bucket.remove(key);
            Ok(Answer::status(204))
        })
    }
}

/// What is told to whoever wrote an object.
pub(super) fn written(answer: Answer, object: &Object) -> Answer {
    answer
        .header("etag", format!("\"{}\"", object.etag))
        .header(object.checksum.algorithm.header(), &object.checksum.value)
        .header("x-amz-checksum-type", checksum_type(object))
        .header(ENCRYPTION, encryption(object))
}

pub(super) fn checksum_type(object: &Object) -> &'static str {
    if object.composite { "COMPOSITE" } else { "FULL_OBJECT" }
}

/// What a request says of the object it brings.
pub(super) fn description(request: &Request) -> Result<Description, S3Error> {
    let mut headers = BTreeMap::new();
    for name in KEPT.into_iter().chain([ENCRYPTION]) {
        headers.extend(request.header(name).map(|value| (name.into(), value.to_owned())));
    }
    headers.extend(request.content_encoding().map(|value| (CONTENT_ENCODING.into(), value)));
    let mut metadata = BTreeMap::new();
    for (name, value) in &request.headers {
        if let Some(name) = name.as_str().strip_prefix(METADATA) {
            metadata.insert(name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
    }
    if metadata.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > METADATA_BYTES_MAX {
        let reason = "Your metadata headers exceed the maximum allowed metadata size";
        return Err(S3Error::refused("MetadataTooLarge", 400, reason));
    }
    let tags = request.header("x-amz-tagging").map_or_else(|| Ok(BTreeMap::new()), tags::of_header)?;
    Ok(Description { headers, metadata, tags })
}

/// What is told of an object to whoever reads it.
pub(super) fn described(mut answer: Answer, object: &Object) -> Answer {
    let Description { headers, metadata, tags } = &object.description;
    answer = answer.header("content-type", "binary/octet-stream");
    for (name, value) in headers {
        // The standard class is not told.
        if name != "x-amz-storage-class" || value != "STANDARD" {
            answer = answer.header(name, value);
        }
    }
    for (name, value) in metadata {
        answer = answer.header(&format!("{METADATA}{name}"), value);
    }
    if !tags.is_empty() {
        answer = answer.header("x-amz-tagging-count", tags.len().to_string());
    }
    answer.header(ENCRYPTION, encryption(object))
}

fn encryption(object: &Object) -> &str {
    object.description.headers.get(ENCRYPTION).map_or("AES256", String::as_str)
}
