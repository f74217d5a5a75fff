//! A request, taken apart: which bucket and key, which parameters, and a body that is what its checksums say.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>

use std::collections::BTreeMap;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use percent_encoding::percent_decode_str;

use crate::s3::checksum::{ALGORITHMS, Algorithm, Checksum, md5_base64, sha256_hexadecimal};
use crate::s3::chunked::{self, Decoded};
use crate::s3::{OBJECT_BYTES_MAX, S3Error};

/// Prefix of every checksum's header.
const CHECKSUM: &str = "x-amz-checksum-";
/// Headers with that prefix which are none.
const NO_CHECKSUM: [&str; 3] = ["x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"];
/// Begins the content hash of a body in chunks.
const STREAMING: &str = "STREAMING-";
const CHUNKED: &str = "aws-chunked";

/// A request whose body is whole.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) bucket: Option<String>,
    pub(super) key: Option<String>,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What the sender said of the body, found to be true.
    pub(super) checksum: Option<Checksum>,
}

impl Request {
    pub(super) fn read(parts: Parts, body: Bytes) -> Result<Self, S3Error> {
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
        let (bucket, key) =
            address(parts.uri.path(), parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()))?;
        let mut request =
            Self { method: parts.method, bucket, key, query, headers: parts.headers, body, checksum: None };
        request.check_body()?;
        Ok(request)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    /// Takes the body out of its chunks, and compares it with all that was said of it.
    fn check_body(&mut self) -> Result<(), S3Error> {
        let sha256 = self.header("x-amz-content-sha256").unwrap_or_default().to_owned();
        let mut trailers = Vec::new();
        if sha256.starts_with(STREAMING) || self.content_encodings().any(|encoding| encoding == CHUNKED) {
            let Decoded { content, trailers: found } = chunked::decode(&self.body)?;
            let length = self.header("x-amz-decoded-content-length").and_then(|length| length.parse::<usize>().ok());
            if length.is_some_and(|length| length != content.len()) {
                let reason = "You did not provide the number of bytes specified by the x-amz-decoded-content-length";
                return Err(S3Error::refused("IncompleteBody", 400, reason));
            }
            (self.body, trailers) = (content, found);
        } else if sha256.len() == 64 && sha256 != sha256_hexadecimal(&self.body) {
            let reason = "The provided 'x-amz-content-sha256' header does not match what was computed.";
            return Err(S3Error::refused("XAmzContentSHA256Mismatch", 400, reason));
        }
        if self.body.len() > OBJECT_BYTES_MAX {
            return Err(S3Error::EntityTooLarge { bytes_max: OBJECT_BYTES_MAX });
        }
        if let Some(given) = self.header("content-md5") {
            if STANDARD.decode(given).map_or(true, |digest| digest.len() != 16) {
                let reason = "The Content-MD5 you specified is not valid.";
                return Err(S3Error::refused("InvalidDigest", 400, reason));
            }
            if given != md5_base64(&self.body) {
                return Err(bad_digest("Content-MD5"));
            }
        }
        self.checksum = self.given_checksum(&trailers)?;
        Ok(())
    }

    /// The checksum in the headers or behind the body.
    fn given_checksum(&self, trailers: &[(String, String)]) -> Result<Option<Checksum>, S3Error> {
        let headers = self.headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let trailers = trailers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut given =
            headers.chain(trailers).filter(|(name, _)| name.starts_with(CHECKSUM) && !NO_CHECKSUM.contains(name));
        let Some((name, value)) = given.next() else { return Ok(None) };
        if given.next().is_some() {
            return Err(S3Error::request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
        let Some(algorithm) = ALGORITHMS.into_iter().find(|algorithm| algorithm.header() == name) else {
            return Err(S3Error::NotImplemented { what: format!("checksums by {name}") });
        };
        // Completing an upload, it is that of the whole object.
        if self.parameter("uploadId").is_some() && self.method == Method::POST {
            return Ok(Some(Checksum { algorithm, value: value.to_owned() }));
        }
        if STANDARD.decode(value).map_or(true, |sum| sum.len() != algorithm.bytes()) {
            return Err(S3Error::request(format!("Value for {name} header is invalid.")));
        }
        let computed = Checksum::of(algorithm, &self.body);
        if computed.value != value {
            return Err(bad_digest(algorithm.name()));
        }
        Ok(Some(computed))
    }

    /// What the sender wants to be computed where it gave no checksum.
    pub(super) fn algorithm(&self) -> Result<Option<Algorithm>, S3Error> {
        let name = self.header("x-amz-checksum-algorithm").or_else(|| self.header("x-amz-sdk-checksum-algorithm"));
        let named = |name: &str| {
            Algorithm::named(name).ok_or_else(|| S3Error::NotImplemented { what: format!("checksums by {name}") })
        };
        name.map(named).transpose()
    }

    /// `Content-Encoding` without the one that is not the object's.
    pub(super) fn content_encoding(&self) -> Option<String> {
        let own: Vec<_> = self.content_encodings().filter(|encoding| *encoding != CHUNKED).collect();
        (!own.is_empty()).then(|| own.join(","))
    }

    fn content_encodings(&self) -> impl Iterator<Item = &str> {
        let encodings = self.header(header::CONTENT_ENCODING.as_str()).unwrap_or_default().split(',');
        encodings.map(str::trim).filter(|encoding| !encoding.is_empty())
    }
}

/// Bucket and key: of the path, or of a host such as `bucket.localhost` or `bucket.s3.localhost` and the path.
pub(super) fn address(path: &str, host: Option<&str>) -> Result<(Option<String>, Option<String>), S3Error> {
    let decoded = |part: &str| {
        let text = percent_decode_str(part).decode_utf8();
        text.map(std::borrow::Cow::into_owned)
            .map_err(|_| S3Error::refused("InvalidURI", 400, "Couldn't parse the specified URI."))
    };
    let path = path.strip_prefix('/').unwrap_or(path);
    let some = |text: String| (!text.is_empty()).then_some(text);
    if let Some(bucket) = host.and_then(bucket_of_host) {
        return Ok((Some(bucket.to_owned()), some(decoded(path)?)));
    }
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    Ok((some(decoded(bucket)?), some(decoded(key)?)))
}

fn bucket_of_host(host: &str) -> Option<&str> {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let bucket = name.strip_suffix(".localhost").or_else(|| name.strip_suffix(".localhost.localstack.cloud"))?;
    let bucket = bucket.strip_suffix(".s3").unwrap_or(bucket);
    (bucket != "s3").then_some(bucket)
}

fn bad_digest(what: &str) -> S3Error {
    let reason = format!("The {what} you specified did not match what we received.");
    S3Error::refused("BadDigest", 400, reason)
}
