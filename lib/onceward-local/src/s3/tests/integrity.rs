use super::*;
use crate::s3::OBJECT_BYTES_MAX;
use crate::s3::checksum::{ALGORITHMS, Checksum};

#[test]
fn checksums_are_those_of_the_check_word() {
    // The values that the CRC catalogue and FIPS 180 give for "123456789" and "abc".
    let of = |position: usize, content: &str| Checksum::of(ALGORITHMS[position], content.as_bytes()).value;
    assert_eq!(of(0, "123456789"), "y/Q5Jg==");
    assert_eq!(of(1, "123456789"), "4waSgw==");
    assert_eq!(of(2, "123456789"), "rosUhgp5mIg=");
    assert_eq!(of(3, "abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    assert_eq!(of(4, "abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

#[tokio::test]
async fn a_checksum_is_verified_kept_and_told() {
    let s3 = claims();
    for algorithm in ALGORITHMS {
        let right = Checksum::of(algorithm, b"123456789").value;
        let stored = call(&s3, "PUT", "/claims/a", &[(algorithm.header(), &right)], "123456789").await;
        assert_eq!((stored.status, stored.header(algorithm.header())), (200, right.as_str()));
        let got = get(&s3, "/claims/a", &[("x-amz-checksum-mode", "ENABLED")]).await;
        assert_eq!(
            (got.header(algorithm.header()), got.header("x-amz-checksum-type")),
            (right.as_str(), "FULL_OBJECT")
        );
        let wrong = call(&s3, "PUT", "/claims/a", &[(algorithm.header(), &right)], "12345678").await;
        assert_eq!(wrong.refusal(), (400, "BadDigest"), "{algorithm:?}");
        let malformed = call(&s3, "PUT", "/claims/a", &[(algorithm.header(), "zz")], "123456789").await;
        assert_eq!(malformed.refusal(), (400, "InvalidRequest"), "{algorithm:?}");
    }
    let none = put(&s3, "/claims/b", "123456789").await;
    assert_eq!(none.header("x-amz-checksum-crc64nvme"), "rosUhgp5mIg=", "S3's own, where none was given");
    let two = [("x-amz-checksum-crc32", "y/Q5Jg=="), ("x-amz-checksum-crc32c", "4waSgw==")];
    assert_eq!(call(&s3, "PUT", "/claims/b", &two, "123456789").await.refusal(), (400, "InvalidRequest"));
    let unknown = [("x-amz-checksum-xxhash64", "AAAAAAAAAAA=")];
    assert_eq!(call(&s3, "PUT", "/claims/b", &unknown, "x").await.refusal(), (501, "NotImplemented"));
}

#[tokio::test]
async fn the_body_is_compared_with_its_digests() {
    let s3 = claims();
    let put = async |name: &str, value: &str| call(&s3, "PUT", "/claims/a", &[(name, value)], "abc").await;
    assert_eq!(put("content-md5", "kAFQmDzST7DWlj99KOF/cg==").await.status, 200);
    assert_eq!(put("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==").await.refusal(), (400, "BadDigest"));
    assert_eq!(put("content-md5", "short").await.refusal(), (400, "InvalidDigest"));
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(put("x-amz-content-sha256", sha256).await.status, 200);
    assert_eq!(put("x-amz-content-sha256", "UNSIGNED-PAYLOAD").await.status, 200);
    let other = sha256.replace('b', "c");
    assert_eq!(put("x-amz-content-sha256", &other).await.refusal(), (400, "XAmzContentSHA256Mismatch"));
}

#[tokio::test]
async fn a_body_in_chunks_with_a_checksum_behind_it_is_what_sdks_send() {
    let s3 = claims();
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "9"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-sdk-checksum-algorithm", "CRC32"),
    ];
    let body = |checksum: &str| format!("9\r\n123456789\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n");
    let stored = call(&s3, "PUT", "/claims/a", &headers, body("y/Q5Jg==")).await;
    assert_eq!((stored.status, stored.header("x-amz-checksum-crc32")), (200, "y/Q5Jg=="), "{}", stored.text());
    let got = get(&s3, "/claims/a", &[]).await;
    assert_eq!((got.text(), got.header("content-encoding")), ("123456789", ""));
    assert_eq!(call(&s3, "PUT", "/claims/a", &headers, body("AAAAAA==")).await.refusal(), (400, "BadDigest"));
    let short = call(&s3, "PUT", "/claims/a", &headers, "4\r\n1234\r\n0\r\n\r\n").await;
    assert_eq!(short.refusal(), (400, "IncompleteBody"));
    let signed =
        [("content-encoding", "aws-chunked,gzip"), ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")];
    call(&s3, "PUT", "/claims/b", &signed, "2;chunk-signature=0\r\nhi\r\n0;chunk-signature=0\r\n\r\n").await;
    let got = get(&s3, "/claims/b", &[]).await;
    assert_eq!((got.text(), got.header("content-encoding")), ("hi", "gzip"));
}

#[tokio::test]
async fn an_object_has_a_limit() {
    let s3 = claims();
    let content = vec![b'x'; OBJECT_BYTES_MAX + 1];
    let refused = call(&s3, "PUT", "/claims/a", &[], content.clone()).await;
    assert_eq!(refused.refusal(), (400, "EntityTooLarge"));
    assert_eq!(call(&s3, "PUT", "/claims/a", &[], content[1..].to_vec()).await.status, 200);
    let announced = [("content-length", "5368709120")];
    assert_eq!(call(&s3, "PUT", "/claims/a", &announced, "").await.refusal(), (400, "EntityTooLarge"));
}
