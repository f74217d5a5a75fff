//! `Content-Encoding: aws-chunked`: a body in chunks, each perhaps with a signature, and headers that follow it. Signatures
//! are passed over, as those of requests are.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html>

use bytes::{Bytes, BytesMut};

use super::error::S3Error;

/// Bytes of a chunk's first line, and of a trailing header.
const LINE_BYTES_MAX: usize = 4_096;
/// Trailing headers.
const TRAILERS_MAX: usize = 16;

/// What was in the chunks.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded {
    pub(super) content: Bytes,
    /// Names in lower case.
    pub(super) trailers: Vec<(String, String)>,
}

/// Puts the chunks together.
pub(super) fn decode(mut body: &[u8]) -> Result<Decoded, S3Error> {
    let mut content = BytesMut::with_capacity(body.len());
    loop {
        let line = line(&mut body)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| incomplete("a chunk does not begin with its size"))?;
        if size == 0 {
            return Ok(Decoded { content: content.freeze(), trailers: trailers(body)? });
        }
        let Some((chunk, rest)) = body.split_at_checked(size) else {
            return Err(incomplete("a chunk is shorter than it says"));
        };
        content.extend_from_slice(chunk);
        body = rest.strip_prefix(b"\r\n").ok_or_else(|| incomplete("a chunk does not end where it says"))?;
    }
}

fn trailers(mut body: &[u8]) -> Result<Vec<(String, String)>, S3Error> {
    let mut trailers = Vec::new();
    while !body.is_empty() && trailers.len() < TRAILERS_MAX {
        let line = line(&mut body)?;
        if let Some((name, value)) = line.split_once(':') {
            trailers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    Ok(trailers)
}

/// Takes a line off the body.
fn line<'b>(body: &mut &'b [u8]) -> Result<&'b str, S3Error> {
    let found = body.iter().take(LINE_BYTES_MAX).position(|byte| *byte == b'\n');
    let end = found.ok_or_else(|| incomplete("a line does not end"))?;
    let (line, rest) = body.split_at(end);
    *body = &rest[1..];
    std::str::from_utf8(line).map(|line| line.trim_end_matches('\r')).map_err(|_| incomplete("a line is not text"))
}

fn incomplete(what: &str) -> S3Error {
    let reason = format!("The request body terminated unexpectedly, or is not aws-chunked: {what}");
    S3Error::refused("IncompleteBody", 400, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_joined_with_or_without_signatures() {
        let unsigned = b"3\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32: y/Q5Jg==\r\n\r\n";
        let decoded = decode(unsigned).unwrap();
        assert_eq!(decoded.content, "abcde");
        assert_eq!(decoded.trailers, [("x-amz-checksum-crc32".to_owned(), "y/Q5Jg==".to_owned())]);
        let signed = b"5;chunk-signature=ab\r\nabcde\r\n0;chunk-signature=cd\r\n\r\n";
        assert_eq!(decode(signed).unwrap(), Decoded { content: Bytes::from_static(b"abcde"), trailers: Vec::new() });
        assert_eq!(decode(b"0\r\n\r\n").unwrap().content, "");
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        for body in ["", "5\r\nabc", "3\r\nabcd\r\n0\r\n", "zz\r\n", "3\r\nabc\r\n"] {
            assert_eq!(decode(body.as_bytes()).unwrap_err().code(), "IncompleteBody", "{body:?}");
        }
    }
}
