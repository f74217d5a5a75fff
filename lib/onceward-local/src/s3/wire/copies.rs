//! `CopyObject`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>

use percent_encoding::percent_decode_str;

use super::answer::{Answer, iso8601};
use super::condition::{check_source, check_write};
use super::objects::description;
use super::request::Request;
use super::xml::Xml;
use crate::s3::bucket::{Object, check_key};
use crate::s3::checksum::{Checksum, md5_hexadecimal};
use crate::s3::{S3, S3Error};

impl S3 {
    pub(super) fn copy_object(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        check_key(key)?;
        let (source_bucket, source_key) = source(request.header("x-amz-copy-source").unwrap_or_default())?;
        let replaces = |header: &str| match request.header(header) {
            None | Some("COPY") => Ok(false),
            Some("REPLACE") => Ok(true),
            Some(_) => Err(S3Error::argument(format!("Unknown value of {header}"))),
        };
        let (metadata, tags) = (replaces("x-amz-metadata-directive")?, replaces("x-amz-tagging-directive")?);
        let class = request.headers.contains_key("x-amz-storage-class");
        if (source_bucket.as_str(), source_key.as_str()) == (bucket, key) && !(metadata || tags || class) {
            return Err(S3Error::request(
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes.",
            ));
        }
        let source = self.with_bucket(&source_bucket, |bucket| bucket.object(&source_key).cloned())?;
        check_source(request, &source)?;
        let given = description(request)?;
        let mut description = source.description.clone();
        if metadata {
            description = crate::s3::bucket::Description { tags: description.tags, ..given.clone() };
        }
        if tags {
            description.tags = given.tags;
        }
        let algorithm = request.algorithm()?.unwrap_or(source.checksum.algorithm);
        let object = Object {
            etag: md5_hexadecimal(&source.content),
            checksum: Checksum::of(algorithm, &source.content),
            modified_ms: self.now_ms(),
            composite: false,
            description,
            content: source.content,
        };
        let document = Xml::document("CopyObjectResult", |xml| {
            xml.text("LastModified", &iso8601(object.modified_ms));
            xml.text("ETag", &format!("\"{}\"", object.etag));
            xml.text("ChecksumType", "FULL_OBJECT");
            xml.text(object.checksum.algorithm.element(), &object.checksum.value);
        });
        self.with_bucket(bucket, |bucket| {
            check_write(request, bucket, key)?;
            bucket.put(key, object);
            Ok(Answer::document(document))
        })
    }
}

/// `{bucket}/{key}`, percent-encoded, with or without a slash before it.
fn source(header: &str) -> Result<(String, String), S3Error> {
    let invalid = || S3Error::argument("Invalid copy source object key");
    let (path, version) = header.split_once("?versionId=").map_or((header, None), |(path, id)| (path, Some(id)));
    if version.is_some_and(|version| version != "null") {
        return Err(S3Error::NotImplemented { what: "versions".to_owned() });
    }
    let path = percent_decode_str(path).decode_utf8().map_err(|_| invalid())?;
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/').ok_or_else(invalid)?;
    if bucket.is_empty() || key.is_empty() {
        return Err(invalid());
    }
    Ok((bucket.to_owned(), key.to_owned()))
}
