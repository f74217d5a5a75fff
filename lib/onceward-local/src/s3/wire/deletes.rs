//! `DeleteObjects`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>

use super::answer::Answer;
use super::request::Request;
use super::xml::{self, Xml};
use crate::s3::{S3, S3Error};

/// Keys of one request.
const KEYS_MAX: usize = 1_000;

impl S3 {
    pub(super) fn delete_objects(&self, request: &Request, bucket: &str) -> Result<Answer, S3Error> {
        if request.header("content-md5").is_none() && request.checksum.is_none() {
            return Err(S3Error::request("Missing required header for this request: Content-MD5 OR x-amz-checksum-*"));
        }
        let (keys, quiet) = xml::read(&request.body, "Delete", |root| {
            let mut keys = Vec::new();
            for object in xml::children(root, "Object") {
                if xml::child_text(object, "VersionId").is_some_and(|version| version != "null") {
                    return Err(S3Error::NotImplemented { what: "versions".to_owned() });
                }
                let etag = xml::child_text(object, "ETag");
                keys.push((xml::child_text(object, "Key").ok_or_else(xml::malformed)?, etag));
            }
            Ok((keys, xml::child_text(root, "Quiet").is_some_and(|quiet| quiet == "true")))
        })?;
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(xml::malformed());
        }
        self.with_bucket(bucket, |bucket| {
            let document = Xml::document("DeleteResult", |xml| {
                for (key, etag) in keys {
                    let expected = etag.as_deref().map(|etag| etag.trim_matches('"'));
                    let found = bucket.objects.get(&key);
                    if expected.is_some_and(|etag| etag != "*" && found.is_some_and(|object| object.etag != etag)) {
                        let refused = S3Error::PreconditionFailed { condition: "ETag" };
                        xml.element("Error", |xml| {
                            xml.text("Key", &key);
                            xml.text("Code", refused.code());
                            xml.text("Message", &refused.to_string());
                        });
                        continue;
                    }
                    bucket.remove(&key);
                    if !quiet {
                        xml.element("Deleted", |xml| xml.text("Key", &key));
                    }
                }
            });
            Ok(Answer::document(document))
        })
    }
}
