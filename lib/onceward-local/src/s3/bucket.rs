//! Buckets and their objects.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::ops::Bound;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use super::error::S3Error;
use super::upload::Upload;

/// Bytes of a key. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
pub(super) const KEY_BYTES_MAX: usize = 1_024;

/// Prefixes and suffixes that AWS keeps for itself.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
const RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// A bucket.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) created_ms: i64,
    /// By key, in the order of their bytes, as listings have it.
    pub(super) objects: BTreeMap<String, Object>,
    /// Multipart uploads under way, by their ids.
    pub(super) uploads: BTreeMap<String, Upload>,
    /// Keys whose objects are not stored as they are.
    pub(super) changed: BTreeSet<String>,
}

/// An object. A clone shares the content.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Object {
    /// Stored for itself.
    #[serde(skip)]
    pub(super) content: Bytes,
    /// Without the quotes.
    pub(super) etag: String,
    pub(super) modified_ms: i64,
    pub(super) checksum: Checksum,
    /// The checksum is one of the parts' checksums.
    pub(super) composite: bool,
    pub(super) description: Description,
}

/// What whoever put an object said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description {
    /// `content-type`, `cache-control`, … as they were given, by their names in lower case.
    pub(super) headers: BTreeMap<Cow<'static, str>, String>,
    /// What follows `x-amz-meta-`, in lower case.
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
}

/// Which part of a bucket to list.
#[derive(Debug, Clone, Default)]
pub(super) struct Listing<'a> {
    pub(super) prefix: &'a str,
    pub(super) delimiter: Option<&'a str>,
    /// A key, or a common prefix all of which is behind.
    pub(super) after: Option<&'a str>,
    pub(super) max: usize,
}

/// One page of a listing.
#[derive(Debug, Default)]
pub(super) struct Page<'b> {
    pub(super) objects: Vec<(&'b str, &'b Object)>,
    pub(super) common_prefixes: Vec<String>,
    /// The last of both; there only if more follow.
    pub(super) last: Option<String>,
}

impl Bucket {
    pub(super) fn object(&self, key: &str) -> Result<&Object, S3Error> {
        self.objects.get(key).ok_or_else(|| S3Error::NoSuchKey { key: key.to_owned() })
    }

    pub(super) fn put(&mut self, key: &str, object: Object) {
        self.objects.insert(key.to_owned(), object);
        self.changed.insert(key.to_owned());
    }

    pub(super) fn remove(&mut self, key: &str) {
        if self.objects.remove(key).is_some() {
            self.changed.insert(key.to_owned());
        }
    }

    pub(super) fn set_tags(&mut self, key: &str, tags: BTreeMap<String, String>) -> Result<(), S3Error> {
        let object = self.objects.get_mut(key).ok_or_else(|| S3Error::NoSuchKey { key: key.to_owned() })?;
        object.description.tags = tags;
        self.changed.insert(key.to_owned());
        Ok(())
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
    pub(super) fn list(&self, listing: &Listing<'_>) -> Page<'_> {
        let Listing { prefix, delimiter, after, max } = *listing;
        let mut page = Page::default();
        let mut last = None;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        for (key, object) in self.objects.range::<str, _>((start, Bound::Unbounded)) {
            let Some(rest) = key.strip_prefix(prefix) else { break };
            let common = delimiter.and_then(|delimiter| {
                let end = rest.find(delimiter)? + delimiter.len();
                Some(&key[..prefix.len() + end])
            });
            // Of a common prefix that was listed there is nothing more to tell.
            if common.is_some() && (common == after || common == page.common_prefixes.last().map(String::as_str)) {
                continue;
            }
            if page.objects.len() + page.common_prefixes.len() >= max {
                page.last = last;
                break;
            }
            last = Some(common.unwrap_or(key).to_owned());
            match common {
                Some(common) => page.common_prefixes.push(common.to_owned()),
                None => page.objects.push((key, object)),
            }
        }
        page
    }
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn check_name(name: &str) -> Result<(), S3Error> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().last()].into_iter().all(|end| end.is_some_and(allowed));
    let valid = (3..=63).contains(&name.len())
        && ends
        && name.bytes().all(|b| allowed(b) || matches!(b, b'.' | b'-'))
        && !name.contains("..")
        && name.parse::<Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if valid { Ok(()) } else { Err(S3Error::InvalidBucketName { bucket: name.to_owned() }) }
}

pub(super) fn check_key(key: &str) -> Result<(), S3Error> {
    if key.len() > KEY_BYTES_MAX {
        return Err(S3Error::refused("KeyTooLongError", 400, "Your key is too long"));
    }
    Ok(())
}
