//! Multipart uploads. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html>

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};

use super::OBJECT_BYTES_MAX;
use super::bucket::{Description, Object};
use super::checksum::{Algorithm, Checksum, hexadecimal};
use super::error::S3Error;

/// Numbers that parts may have.
pub(super) const PART_NUMBERS: std::ops::RangeInclusive<u32> = 1..=10_000;
/// Bytes that every part but the last has at least: 5 MiB.
const PART_BYTES_MIN: usize = 5 * 1024 * 1024;

/// An upload under way.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) started_ms: i64,
    pub(super) description: Description,
    /// What its parts are summed by, and whether the object's checksum is that of its parts' checksums.
    pub(super) algorithm: Algorithm,
    pub(super) composite: bool,
    pub(super) parts: BTreeMap<u32, Part>,
}

/// A part that has arrived.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) content: Bytes,
    /// Without the quotes.
    pub(super) etag: String,
    pub(super) checksum: Checksum,
    pub(super) modified_ms: i64,
}

impl Upload {
    /// Puts together the parts of these numbers and `ETag`s.
    pub(super) fn complete(&self, named: &[(u32, String)], now_ms: i64) -> Result<Object, S3Error> {
        if named.is_empty() {
            let reason = "The XML you provided was not well-formed or did not validate against our published schema";
            return Err(S3Error::refused("MalformedXML", 400, reason));
        }
        if !named.is_sorted_by(|(first, _), (second, _)| first < second) {
            let reason = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(S3Error::refused("InvalidPartOrder", 400, reason));
        }
        let mut parts = Vec::with_capacity(named.len());
        for (number, etag) in named {
            let part = self.parts.get(number).filter(|part| part.etag == etag.trim_matches('"'));
            parts.push(part.ok_or_else(|| {
                let reason = "One or more of the specified parts could not be found. The part may not have been \
                              uploaded, or the specified entity tag may not match the part's entity tag.";
                S3Error::refused("InvalidPart", 400, reason)
            })?);
        }
        if parts.iter().rev().skip(1).any(|part| part.content.len() < PART_BYTES_MIN) {
            let reason = "Your proposed upload is smaller than the minimum allowed size";
            return Err(S3Error::refused("EntityTooSmall", 400, reason));
        }
        if parts.iter().map(|part| part.content.len()).sum::<usize>() > OBJECT_BYTES_MAX {
            return Err(S3Error::EntityTooLarge { bytes_max: OBJECT_BYTES_MAX });
        }
        let mut content = BytesMut::new();
        let (mut digests, mut checksums) = (Md5::new(), Vec::new());
        for part in &parts {
            content.extend_from_slice(&part.content);
            digests.update(Md5::digest(&part.content));
            checksums.extend(STANDARD.decode(&part.checksum.value).unwrap_or_default());
        }
        let digest = hexadecimal(&digests.finalize());
        let count = parts.len();
        let mut checksum = Checksum::of(self.algorithm, if self.composite { &checksums } else { &content });
        if self.composite {
            checksum.value = format!("{}-{count}", checksum.value);
        }
        Ok(Object {
            content: content.freeze(),
            etag: format!("{digest}-{count}"),
            modified_ms: now_ms,
            checksum,
            composite: self.composite,
            description: self.description.clone(),
        })
    }
}
