use super::*;

#[tokio::test]
async fn a_bucket_is_created_found_listed_and_deleted() {
    let s3 = s3();
    let created = call(&s3, "PUT", "/claims", &[], "").await;
    assert_eq!((created.status, created.header("location")), (200, "/claims"));
    assert_eq!(call(&s3, "PUT", "/claims", &[], "").await.status, 200, "in us-east-1 one's own bucket is no conflict");
    let head = call(&s3, "HEAD", "/claims", &[], "").await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, "us-east-1"));
    let listed = get(&s3, "/", &[]).await;
    assert_eq!(listed.elements("Name"), ["claims"]);
    assert_eq!(listed.elements("CreationDate"), ["2023-11-14T22:13:20.000Z"]);
    let location = get(&s3, "/claims?location", &[]).await;
    assert!(location.text().contains("<LocationConstraint xmlns"), "{}", location.text());
    put(&s3, "/claims/a", "x").await;
    let full = call(&s3, "DELETE", "/claims", &[], "").await;
    assert_eq!(full.refusal(), (409, "BucketNotEmpty"));
    assert_eq!(call(&s3, "DELETE", "/claims/a", &[], "").await.status, 204);
    assert_eq!(call(&s3, "DELETE", "/claims", &[], "").await.status, 204);
    let gone = call(&s3, "HEAD", "/claims", &[], "").await;
    assert_eq!((gone.status, gone.body.len()), (404, 0));
    assert_eq!(get(&s3, "/claims?list-type=2", &[]).await.refusal(), (404, "NoSuchBucket"));
}

#[tokio::test]
async fn outside_us_east_1_a_bucket_needs_its_location_and_is_created_once() {
    let s3 = S3::open(Account::new("eu-west-1", "http://127.0.0.1:4566"), &Store::memory()).unwrap();
    let location = |region: &str| {
        format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>\
                 {region}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    let create = async |body: String| call(&s3, "PUT", "/claims", &[], body).await;
    assert_eq!(create(String::new()).await.refusal(), (400, "IllegalLocationConstraintException"));
    assert_eq!(create(location("eu-central-1")).await.refusal(), (400, "IllegalLocationConstraintException"));
    assert_eq!(create("<x".to_owned()).await.refusal(), (400, "MalformedXML"));
    assert_eq!(create(location("eu-west-1")).await.status, 200);
    assert_eq!(create(location("eu-west-1")).await.refusal(), (409, "BucketAlreadyOwnedByYou"));
    assert!(get(&s3, "/claims?location", &[]).await.text().contains(">eu-west-1</LocationConstraint>"));
}

#[tokio::test]
async fn names_that_break_the_rules_are_refused() {
    let s3 = s3();
    let long = "a".repeat(64);
    for name in ["ab", "Upper", "a_b", "-ab", "ab-", "a..b", "192.168.5.4", "xn--ab", "ab-s3alias", &long] {
        assert_eq!(s3.create_bucket(name).unwrap_err().code(), "InvalidBucketName", "{name}");
    }
    for name in ["abc", "my.bucket-1", "1a1", &long[..63]] {
        s3.create_bucket(name).unwrap();
    }
}

#[tokio::test]
async fn what_the_local_cloud_does_not_do_is_refused_by_name() {
    let s3 = claims();
    for subresource in ["versioning", "lifecycle", "notification", "policy", "encryption", "tagging", "acl"] {
        let refused = call(&s3, "PUT", &format!("/claims?{subresource}"), &[], "<x/>").await;
        assert_eq!(refused.refusal(), (501, "NotImplemented"), "{subresource}");
        assert!(refused.text().contains(subresource), "{}", refused.text());
    }
    put(&s3, "/claims/a", "x").await;
    assert_eq!(get(&s3, "/claims/a?versionId=1", &[]).await.refusal(), (400, "InvalidArgument"));
    let public = call(&s3, "PUT", "/claims/a", &[("x-amz-acl", "public-read")], "x").await;
    assert_eq!(public.refusal(), (400, "AccessControlListNotSupported"));
    let customer = [("x-amz-server-side-encryption-customer-algorithm", "AES256")];
    assert_eq!(call(&s3, "PUT", "/claims/a", &customer, "x").await.refusal(), (501, "NotImplemented"));
}
