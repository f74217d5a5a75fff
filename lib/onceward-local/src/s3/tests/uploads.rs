use super::*;

const PART_BYTES: usize = 5 * 1024 * 1024;

/// Starts an upload of `big`; gives its id.
async fn start(s3: &S3, headers: &[(&str, &str)]) -> String {
    let started = call(s3, "POST", "/claims/big?uploads", headers, "").await;
    assert_eq!(started.status, 200, "{}", started.text());
    started.elements("UploadId")[0].to_owned()
}

async fn part(s3: &S3, id: &str, number: u32, content: Vec<u8>) -> String {
    let stored = call(s3, "PUT", &format!("/claims/big?partNumber={number}&uploadId={id}"), &[], content).await;
    assert_eq!(stored.status, 200, "{}", stored.text());
    stored.header("etag").to_owned()
}

async fn complete(s3: &S3, id: &str, parts: &[(u32, &str)]) -> Answered {
    let parts =
        parts.iter().map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    let body = format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>());
    call(s3, "POST", &format!("/claims/big?uploadId={id}"), &[], body).await
}

#[tokio::test]
async fn parts_become_one_object() {
    let s3 = claims();
    let id = start(&s3, &[("x-amz-meta-n", "1"), ("x-amz-checksum-algorithm", "CRC32")]).await;
    let second = part(&s3, &id, 2, b"end".to_vec()).await;
    let first = part(&s3, &id, 1, vec![b'x'; PART_BYTES]).await;
    let listed = get(&s3, &format!("/claims/big?uploadId={id}"), &[]).await;
    assert_eq!(listed.elements("PartNumber"), ["1", "2"]);
    assert_eq!(get(&s3, "/claims?uploads", &[]).await.elements("Key"), ["big"]);
    let done = complete(&s3, &id, &[(1, &first), (2, &second)]).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.elements("ETag")[0].ends_with("-2&quot;"), "{}", done.text());
    assert_eq!(
        (done.elements("ChecksumType"), done.elements("ChecksumCRC32")[0].ends_with("-2")),
        (vec!["COMPOSITE"], true)
    );
    let object = call(&s3, "HEAD", "/claims/big", &[], "").await;
    assert_eq!((object.header("content-length"), object.header("x-amz-meta-n")), ("5242883", "1"));
    assert_eq!(complete(&s3, &id, &[(1, &first)]).await.refusal(), (404, "NoSuchUpload"));
}

#[tokio::test]
async fn an_upload_that_is_not_right_is_not_completed() {
    let s3 = claims();
    let id = start(&s3, &[]).await;
    let first = part(&s3, &id, 1, b"small".to_vec()).await;
    let second = part(&s3, &id, 2, b"end".to_vec()).await;
    assert_eq!(complete(&s3, &id, &[(1, &first), (2, &second)]).await.refusal(), (400, "EntityTooSmall"));
    assert_eq!(complete(&s3, &id, &[(2, &second), (1, &first)]).await.refusal(), (400, "InvalidPartOrder"));
    assert_eq!(complete(&s3, &id, &[(1, &second)]).await.refusal(), (400, "InvalidPart"));
    assert_eq!(complete(&s3, &id, &[]).await.refusal(), (400, "MalformedXML"));
    let number = call(&s3, "PUT", &format!("/claims/big?partNumber=10001&uploadId={id}"), &[], "x").await;
    assert_eq!(number.refusal(), (400, "InvalidArgument"));
    assert_eq!(call(&s3, "DELETE", &format!("/claims/big?uploadId={id}"), &[], "").await.status, 204);
    assert_eq!(complete(&s3, &id, &[(1, &first)]).await.refusal(), (404, "NoSuchUpload"));
    assert_eq!(get(&s3, "/claims/big", &[]).await.refusal(), (404, "NoSuchKey"));
}
