//! Tags of objects. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>

use std::collections::BTreeMap;

use super::answer::Answer;
use super::request::Request;
use super::xml::{self, Xml};
use crate::s3::{S3, S3Error};

/// Tags of one object.
const TAGS_MAX: usize = 10;
/// Characters of a tag's key, and of its value.
const KEY_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 256;

impl S3 {
    pub(super) fn object_tags(&self, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        let tags = self.with_bucket(bucket, |bucket| Ok(bucket.object(key)?.description.tags.clone()))?;
        Ok(Answer::document(Xml::document("Tagging", |xml| {
            xml.element("TagSet", |xml| {
                for (key, value) in &tags {
                    xml.element("Tag", |xml| {
                        xml.text("Key", key);
                        xml.text("Value", value);
                    });
                }
            });
        })))
    }

    pub(super) fn put_object_tags(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        let tags = xml::read(&request.body, "Tagging", |root| {
            let mut tags = Vec::new();
            for tag in xml::children(root, "TagSet").flat_map(|set| xml::children(set, "Tag")) {
                let key = xml::child_text(tag, "Key").ok_or_else(xml::malformed)?;
                tags.push((key, xml::child_text(tag, "Value").ok_or_else(xml::malformed)?));
            }
            checked(tags)
        })?;
        self.set_tags(bucket, key, tags, 200)
    }

    pub(super) fn delete_object_tags(&self, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        self.set_tags(bucket, key, BTreeMap::new(), 204)
    }

    fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        tags: BTreeMap<String, String>,
        status: u16,
    ) -> Result<Answer, S3Error> {
        self.with_bucket(bucket, |bucket| {
            bucket.set_tags(key, tags)?;
            Ok(Answer::status(status))
        })
    }
}

/// The header `x-amz-tagging`: tags as parameters of a URL.
pub(super) fn of_header(text: &str) -> Result<BTreeMap<String, String>, S3Error> {
    checked(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
}

fn checked(tags: Vec<(String, String)>) -> Result<BTreeMap<String, String>, S3Error> {
    if tags.len() > TAGS_MAX {
        return Err(S3Error::refused("BadRequest", 400, format!("Object tags cannot be greater than {TAGS_MAX}")));
    }
    let count = tags.len();
    let fits = |(key, value): &(String, String)| {
        (1..=KEY_CHARS_MAX).contains(&key.chars().count()) && value.chars().count() <= VALUE_CHARS_MAX
    };
    if !tags.iter().all(fits) {
        return Err(S3Error::refused("InvalidTag", 400, "The TagKey or the TagValue you have provided is invalid"));
    }
    let tags: BTreeMap<_, _> = tags.into_iter().collect();
    if tags.len() < count {
        return Err(S3Error::refused("InvalidTag", 400, "Cannot provide multiple Tags with the same key"));
    }
    Ok(tags)
}
