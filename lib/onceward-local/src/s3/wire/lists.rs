//! `ListObjectsV2`, and the older `ListObjects`.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::answer::{Answer, iso8601};
use super::objects::checksum_type;
use super::request::Request;
use super::xml::{Xml, encoded};
use crate::s3::bucket::{Listing, Object, Page};
use crate::s3::{S3, S3Error};

/// Keys and common prefixes of one page.
const PAGE_MAX: usize = 1_000;

impl S3 {
    pub(super) fn list_objects(&self, request: &Request, name: &str) -> Result<Answer, S3Error> {
        let text = |parameter: &str| request.parameter(parameter).unwrap_or_default();
        let second = request.parameter("list-type").is_some();
        if second && text("list-type") != "2" {
            return Err(S3Error::argument("Invalid List Type specified in the request"));
        }
        let url = match request.parameter("encoding-type") {
            None => false,
            Some("url") => true,
            Some(_) => return Err(S3Error::argument("Invalid Encoding Method specified in Request")),
        };
        let asked = match request.parameter("max-keys").map(str::parse::<usize>) {
            None => PAGE_MAX,
            Some(Ok(max)) => max,
            Some(Err(_)) => return Err(S3Error::argument("Provided max-keys not an integer or within integer range")),
        };
        let token = request.parameter("continuation-token").map(decoded).transpose()?;
        let start = request.parameter(if second { "start-after" } else { "marker" });
        let listing = Listing {
            prefix: text("prefix"),
            delimiter: request.parameter("delimiter").filter(|delimiter| !delimiter.is_empty()),
            after: token.as_deref().or(start).filter(|after| !after.is_empty()),
            max: asked.min(PAGE_MAX),
        };
        self.with_bucket(name, |bucket| {
            let page = bucket.list(&listing);
            Ok(Answer::document(Xml::document("ListBucketResult", |xml| {
                xml.text("Name", name);
                xml.text("Prefix", &encoded(listing.prefix, url));
                if let Some(delimiter) = listing.delimiter {
                    xml.text("Delimiter", &encoded(delimiter, url));
                }
                xml.text("MaxKeys", &asked.to_string());
                if url {
                    xml.text("EncodingType", "url");
                }
                xml.text("IsTruncated", if page.last.is_some() { "true" } else { "false" });
                if second {
                    write_second(xml, request, &page, url);
                } else {
                    xml.text("Marker", &encoded(text("marker"), url));
                    // Without a delimiter the last key says as much.
                    if let Some(last) = page.last.as_ref().filter(|_| listing.delimiter.is_some()) {
                        xml.text("NextMarker", &encoded(last, url));
                    }
                }
                let owner = !second || text("fetch-owner").eq_ignore_ascii_case("true");
                for (key, object) in &page.objects {
                    write_object(xml, &encoded(key, url), object, owner.then_some(self.account.id.as_str()));
                }
                for prefix in &page.common_prefixes {
                    xml.element("CommonPrefixes", |xml| xml.text("Prefix", &encoded(prefix, url)));
                }
            })))
        })
    }
}

/// What the second version has and the first has not.
fn write_second(xml: &mut Xml, request: &Request, page: &Page<'_>, url: bool) {
    xml.text("KeyCount", &(page.objects.len() + page.common_prefixes.len()).to_string());
    if let Some(token) = request.parameter("continuation-token") {
        xml.text("ContinuationToken", token);
    }
    if let Some(last) = &page.last {
        xml.text("NextContinuationToken", &URL_SAFE_NO_PAD.encode(last));
    }
    if let Some(start) = request.parameter("start-after") {
        xml.text("StartAfter", &encoded(start, url));
    }
}

fn write_object(xml: &mut Xml, key: &str, object: &Object, owner: Option<&str>) {
    xml.element("Contents", |xml| {
        xml.text("Key", key);
        xml.text("LastModified", &iso8601(object.modified_ms));
        xml.text("ETag", &format!("\"{}\"", object.etag));
        xml.text("ChecksumAlgorithm", object.checksum.algorithm.name());
        xml.text("ChecksumType", checksum_type(object));
        xml.text("Size", &object.content.len().to_string());
        if let Some(owner) = owner {
            xml.element("Owner", |xml| xml.text("ID", owner));
        }
        xml.text(
            "StorageClass",
            object.description.headers.get("x-amz-storage-class").map_or("STANDARD", String::as_str),
        );
    });
}

/// A continuation token is the last key or common prefix of the page before.
fn decoded(token: &str) -> Result<String, S3Error> {
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| S3Error::argument("The continuation token provided is incorrect"))
}
