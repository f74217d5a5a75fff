use super::*;

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let s3 = claims();
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("x-amz-meta-Order", "o-1"),
        ("x-amz-tagging", "team=orders&tier=1"),
    ];
    let stored = call(&s3, "PUT", "/claims/2026/a%20b%2Bc.json", &headers, "{}").await;
    assert_eq!((stored.status, stored.header("etag")), (200, "\"99914b932bd37a50b983c5e7c90ae93b\""), "the MD5");
    assert_eq!(stored.header("x-amz-server-side-encryption"), "AES256");
    assert_eq!(s3.content("claims", "2026/a b+c.json").unwrap(), "{}");
    let got = get(&s3, "/claims/2026/a%20b%2Bc.json", &[]).await;
    assert_eq!((got.status, got.text()), (200, "{}"));
    for (name, value) in [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("x-amz-meta-order", "o-1"),
        ("x-amz-tagging-count", "2"),
        ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT"),
        ("accept-ranges", "bytes"),
        ("content-length", "2"),
    ] {
        assert_eq!(got.header(name), value, "{name}");
    }
    let head = call(&s3, "HEAD", "/claims/2026/a%20b%2Bc.json", &[], "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, "2", 0));
    let other = get(&s3, "/claims/2026/a%20b%2Bc.json?response-content-type=text%2Fplain", &[]).await;
    assert_eq!(other.header("content-type"), "text/plain");
    put(&s3, "/claims/plain", "x").await;
    assert_eq!(get(&s3, "/claims/plain", &[]).await.header("content-type"), "binary/octet-stream");
}

#[tokio::test]
async fn an_object_that_is_not_there_has_the_documented_errors() {
    let s3 = claims();
    let missing = get(&s3, "/claims/gone", &[]).await;
    assert_eq!(missing.refusal(), (404, "NoSuchKey"));
    assert_eq!((missing.elements("Key"), missing.header("content-type")), (vec!["gone"], "application/xml"));
    let head = call(&s3, "HEAD", "/claims/gone", &[], "").await;
    assert_eq!((head.status, head.body.len()), (404, 0));
    assert_eq!(call(&s3, "DELETE", "/claims/gone", &[], "").await.status, 204, "deleting it again is no error");
    assert_eq!(call(&s3, "PUT", "/nowhere/a", &[], "x").await.refusal(), (404, "NoSuchBucket"));
    let long = format!("/claims/{}", "k".repeat(1_025));
    assert_eq!(call(&s3, "PUT", &long, &[], "x").await.refusal(), (400, "KeyTooLongError"));
    let large = [("x-amz-meta-a", "v".repeat(2_048))];
    let large = [(large[0].0, large[0].1.as_str())];
    assert_eq!(call(&s3, "PUT", "/claims/a", &large, "x").await.refusal(), (400, "MetadataTooLarge"));
}

#[tokio::test]
async fn ranges_are_inclusive_and_those_beyond_the_end_are_refused() {
    let s3 = claims();
    put(&s3, "/claims/a", "0123456789").await;
    for (range, text, content_range) in [
        ("bytes=0-3", "0123", "bytes 0-3/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
        ("bytes=-100", "0123456789", "bytes 0-9/10"),
    ] {
        let part = get(&s3, "/claims/a", &[("range", range), ("x-amz-checksum-mode", "ENABLED")]).await;
        assert_eq!((part.status, part.text(), part.header("content-range")), (206, text, content_range), "{range}");
        assert_eq!(part.header("x-amz-checksum-crc64nvme"), "", "the checksum is of the whole object");
    }
    assert_eq!(get(&s3, "/claims/a", &[("range", "bytes=10-")]).await.refusal(), (416, "InvalidRange"));
    for passed_over in ["bytes=3-1", "bytes=0-1,4-5", "lines=1-2"] {
        assert_eq!(get(&s3, "/claims/a", &[("range", passed_over)]).await.status, 200, "{passed_over}");
    }
}

#[tokio::test]
async fn conditions_of_reads_hold_by_etag_and_by_time() {
    let s3 = claims();
    let etag = put(&s3, "/claims/a", "x").await.header("etag").to_owned();
    let (then, later) = ("Tue, 14 Nov 2023 22:13:20 GMT", "Wed, 15 Nov 2023 22:13:20 GMT");
    let before = "Mon, 13 Nov 2023 22:13:20 GMT";
    let cases: [(&[(&str, &str)], u16); 9] = [
        (&[("if-match", &etag)], 200),
        (&[("if-match", "\"other\"")], 412),
        (&[("if-none-match", &etag)], 304),
        (&[("if-none-match", "\"other\"")], 200),
        (&[("if-modified-since", then)], 304),
        (&[("if-modified-since", before)], 200),
        (&[("if-unmodified-since", before)], 412),
        (&[("if-unmodified-since", later)], 200),
        (&[("if-match", &etag), ("if-unmodified-since", before)], 200),
    ];
    for (headers, status) in cases {
        assert_eq!(get(&s3, "/claims/a", headers).await.status, status, "{headers:?}");
    }
    let unchanged = get(&s3, "/claims/a", &[("if-none-match", &etag)]).await;
    assert_eq!((unchanged.header("etag"), unchanged.body.len()), (etag.as_str(), 0));
}

#[tokio::test]
async fn conditions_of_writes_keep_what_is_there() {
    let s3 = claims();
    let first = [("if-none-match", "*")];
    let stored = call(&s3, "PUT", "/claims/a", &first, "1").await;
    assert_eq!(stored.status, 200);
    assert_eq!(call(&s3, "PUT", "/claims/a", &first, "2").await.refusal(), (412, "PreconditionFailed"));
    let etag = stored.header("etag");
    assert_eq!(call(&s3, "PUT", "/claims/a", &[("if-match", "\"other\"")], "2").await.status, 412);
    assert_eq!(call(&s3, "PUT", "/claims/b", &[("if-match", etag)], "2").await.refusal(), (404, "NoSuchKey"));
    assert_eq!(call(&s3, "PUT", "/claims/a", &[("if-none-match", etag)], "2").await.refusal(), (501, "NotImplemented"));
    assert_eq!(s3.content("claims", "a").unwrap(), "1");
    assert_eq!(call(&s3, "PUT", "/claims/a", &[("if-match", etag)], "2").await.status, 200);
    assert_eq!(call(&s3, "DELETE", "/claims/a", &[("if-match", etag)], "").await.status, 412);
}

#[tokio::test]
async fn a_copy_keeps_or_replaces_what_is_said_of_the_object() {
    let s3 = claims();
    s3.create_bucket("other").unwrap();
    call(&s3, "PUT", "/claims/a%20b", &[("x-amz-meta-n", "1"), ("content-type", "text/plain")], "x").await;
    let source = ("x-amz-copy-source", "/claims/a%20b");
    let copied = call(&s3, "PUT", "/other/c", &[source], "").await;
    assert_eq!((copied.status, copied.elements("ETag")), (200, vec!["&quot;9dd4e461268c8034f5c8564e155c67a6&quot;"]));
    let copy = get(&s3, "/other/c", &[]).await;
    assert_eq!((copy.text(), copy.header("x-amz-meta-n"), copy.header("content-type")), ("x", "1", "text/plain"));
    let replace = [source, ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-n", "2")];
    call(&s3, "PUT", "/claims/a%20b", &replace, "").await;
    let replaced = get(&s3, "/claims/a%20b", &[]).await;
    assert_eq!((replaced.header("x-amz-meta-n"), replaced.header("content-type")), ("2", "binary/octet-stream"));
    assert_eq!(
        call(&s3, "PUT", "/claims/a%20b", &[source], "").await.refusal(),
        (400, "InvalidRequest"),
        "onto itself"
    );
    let condition = [source, ("x-amz-copy-source-if-none-match", "*")];
    assert_eq!(call(&s3, "PUT", "/other/d", &condition, "").await.refusal(), (412, "PreconditionFailed"));
    let missing = [("x-amz-copy-source", "claims/gone")];
    assert_eq!(call(&s3, "PUT", "/other/d", &missing, "").await.refusal(), (404, "NoSuchKey"));
}

#[tokio::test]
async fn objects_have_tags() {
    let s3 = claims();
    put(&s3, "/claims/a", "x").await;
    let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>a &amp; b</Value></Tag></TagSet></Tagging>";
    assert_eq!(call(&s3, "PUT", "/claims/a?tagging", &[], tags).await.status, 200);
    assert_eq!(get(&s3, "/claims/a?tagging", &[]).await.elements("Value"), ["a &amp; b"]);
    let twice = tags.replace("</TagSet>", "<Tag><Key>k</Key><Value/></Tag></TagSet>");
    assert_eq!(call(&s3, "PUT", "/claims/a?tagging", &[], twice).await.refusal(), (400, "InvalidTag"));
    assert_eq!(call(&s3, "DELETE", "/claims/a?tagging", &[], "").await.status, 204);
    assert!(get(&s3, "/claims/a?tagging", &[]).await.elements("Tag").is_empty());
    assert_eq!(get(&s3, "/claims/gone?tagging", &[]).await.refusal(), (404, "NoSuchKey"));
}

#[tokio::test]
async fn a_bucket_may_be_in_the_hosts_name() {
    let s3 = claims();
    for host in ["claims.localhost:4566", "claims.s3.localhost:4566"] {
        assert_eq!(call(&s3, "PUT", "/a/b", &[("host", host)], "x").await.status, 200);
        assert_eq!(s3.content("claims", "a/b").unwrap(), "x");
    }
    assert_eq!(get(&s3, "/claims/a/b", &[("host", "localhost:4566")]).await.status, 200);
}

#[tokio::test]
async fn many_objects_are_deleted_at_once() {
    let s3 = claims();
    for key in ["a", "b", "c&d"] {
        put(&s3, &format!("/claims/{key}"), key).await;
    }
    let delete = async |body: &str| {
        let md5 = crate::s3::checksum::md5_base64(body.as_bytes());
        call(&s3, "POST", "/claims?delete", &[("content-md5", &md5)], body.to_owned()).await
    };
    let object = |key: &str| format!("<Object><Key>{key}</Key></Object>");
    let deleted = delete(&format!("<Delete>{}{}{}</Delete>", object("a"), object("gone"), object("c&amp;d"))).await;
    assert_eq!(deleted.elements("Key"), ["a", "gone", "c&amp;d"]);
    let other = "<Object><Key>b</Key><ETag>\"other\"</ETag></Object>";
    let kept = delete(&format!("<Delete><Quiet>true</Quiet>{other}</Delete>")).await;
    assert_eq!((kept.elements("Code"), kept.elements("Deleted").len()), (vec!["PreconditionFailed"], 0));
    assert_eq!(s3.with_bucket("claims", |bucket| Ok(bucket.objects.len())), Ok(1));
    assert_eq!(delete("<Delete></Delete>").await.refusal(), (400, "MalformedXML"));
    let without = call(&s3, "POST", "/claims?delete", &[], "<Delete/>").await;
    assert_eq!(without.refusal(), (400, "InvalidRequest"));
}
