//! `GetObject` and `HeadObject`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use std::ops::Range;

use super::answer::{Answer, http_date};
use super::condition::check_read;
use super::objects::{checksum_type, described};
use super::request::Request;
use crate::s3::{S3, S3Error};

/// Parameters that change a header of the answer.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
    ("response-content-language", "content-language"),
    ("response-content-type", "content-type"),
    ("response-expires", "expires"),
];

impl S3 {
    pub(super) fn get_object(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        let object = self.with_bucket(bucket, |bucket| bucket.object(key).cloned())?;
        check_read(request, &object)?;
        if request.parameter("partNumber").is_some() {
            return Err(S3Error::NotImplemented { what: "reading an object by its parts".to_owned() });
        }
        let size = object.content.len();
        let range = request.header("range").and_then(asked_range).map(|asked| within(asked, size)).transpose()?;
        let mut answer = described(Answer::status(if range.is_some() { 206 } else { 200 }), &object)
            .header("etag", format!("\"{}\"", object.etag))
            .header("last-modified", http_date(object.modified_ms))
            .header("accept-ranges", "bytes");
        for (parameter, header) in OVERRIDES {
            if let Some(value) = request.parameter(parameter) {
                answer = answer.header(header, value);
            }
        }
        let Some(range) = range else {
            if request.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")) {
                answer = answer
                    .header(object.checksum.algorithm.header(), &object.checksum.value)
                    .header("x-amz-checksum-type", checksum_type(&object));
            }
            return Ok(answer.content(object.content, &request.method));
        };
        let content_range = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        Ok(answer.header("content-range", content_range).content(object.content.slice(range), &request.method))
    }
}

/// The first and the last byte of a range; without the first, how many of the last bytes. A range that is none, or
/// several, is passed over, as on AWS.
fn asked_range(header: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| if text.is_empty() { Some(None) } else { text.trim().parse().ok().map(Some) };
    match (number(first)?, number(last)?) {
        (None, None) => None,
        (Some(first), Some(last)) if first > last => None,
        asked => Some(asked),
    }
}

fn within((first, last): (Option<usize>, Option<usize>), size: usize) -> Result<Range<usize>, S3Error> {
    let range = match (first, last) {
        (Some(first), last) => first..last.map_or(size, |last| size.min(last.saturating_add(1))),
        (None, count) => size.saturating_sub(count.unwrap_or_default())..size,
    };
    if range.is_empty() {
        return Err(S3Error::refused("InvalidRange", 416, "The requested range is not satisfiable"));
    }
    Ok(range)
}
