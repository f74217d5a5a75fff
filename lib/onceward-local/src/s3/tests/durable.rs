//! Buckets of a data folder.

use super::*;
use crate::store::tests::Folder;

#[tokio::test]
async fn buckets_and_objects_outlive_the_process() {
    let folder = Folder::new();
    let s3 = stored_in(&Store::open(&folder.0).unwrap());
    for bucket in ["claims", "claims-2", "gone"] {
        s3.create_bucket(bucket).unwrap();
    }
    let headers = [("content-type", "text/plain"), ("x-amz-meta-of", "me"), ("x-amz-tagging", "a=b")];
    call(&s3, "PUT", "/claims/a/b", &headers, "text").await;
    put(&s3, "/claims/gone", "gone").await;
    put(&s3, "/claims-2/a", "other").await;
    call(&s3, "PUT", "/claims-2/binary", &[], vec![0, 255, 10]).await;
    call(&s3, "PUT", "/claims-2/copy", &[("x-amz-copy-source", "claims/a/b")], "").await;
    let tags = "<Tagging><TagSet><Tag><Key>c</Key><Value>d</Value></Tag></TagSet></Tagging>";
    assert_eq!(call(&s3, "PUT", "/claims-2/a?tagging", &[], tags).await.status, 200);
    call(&s3, "DELETE", "/claims/gone", &[], "").await;
    call(&s3, "DELETE", "/gone", &[], "").await;
    call(&s3, "POST", "/claims/upload?uploads", &[], "").await;
    let uris = ["/claims/a/b", "/claims-2/a", "/claims-2/a?tagging", "/claims-2/binary", "/claims-2/copy", "/"];
    let mut before = Vec::new();
    for uri in uris {
        before.push(get(&s3, uri, &[("x-amz-checksum-mode", "ENABLED")]).await);
    }
    drop(s3);

    let s3 = stored_in(&Store::open(&folder.0).unwrap());
    let own = |answered: &Answered| {
        let mut headers = answered.headers.clone();
        headers.remove("x-amz-request-id");
        headers.remove("x-amz-id-2");
        (answered.status, headers, answered.body.clone())
    };
    for (uri, before) in uris.into_iter().zip(before) {
        assert_eq!(before.status, 200, "{uri}");
        let after = get(&s3, uri, &[("x-amz-checksum-mode", "ENABLED")]).await;
        assert_eq!(own(&after), own(&before), "{uri}");
    }
    assert_eq!(get(&s3, "/claims/gone", &[]).await.refusal(), (404, "NoSuchKey"));
    assert_eq!(s3.buckets(), ["claims", "claims-2"]);
    assert!(get(&s3, "/claims?uploads", &[]).await.elements("Upload").is_empty());
}
