use super::*;

/// With keys in three folders, and beside them.
async fn folders() -> S3 {
    let s3 = claims();
    for key in ["a", "b/1", "b/2", "b/c/1", "d/1", "e%20f", "z"] {
        put(&s3, &format!("/claims/{key}"), key).await;
    }
    s3
}

#[tokio::test]
async fn a_listing_has_keys_in_order_and_what_objects_are() {
    let s3 = folders().await;
    let all = get(&s3, "/claims?list-type=2", &[]).await;
    assert_eq!(all.elements("Key"), ["a", "b/1", "b/2", "b/c/1", "d/1", "e f", "z"]);
    assert_eq!((all.elements("KeyCount"), all.elements("IsTruncated")), (vec!["7"], vec!["false"]));
    assert_eq!(all.elements("Size")[0], "1");
    assert_eq!(all.elements("ETag")[0], "&quot;0cc175b9c0f1b6a831c399e269772661&quot;");
    assert_eq!(all.elements("LastModified")[0], "2023-11-14T22:13:20.000Z");
    assert_eq!((all.elements("StorageClass")[0], all.elements("Owner").len()), ("STANDARD", 0));
    let url = get(&s3, "/claims?list-type=2&encoding-type=url&prefix=e", &[]).await;
    assert_eq!(url.elements("Key"), ["e%20f"]);
}

#[tokio::test]
async fn a_delimiter_gathers_keys_under_common_prefixes() {
    let s3 = folders().await;
    let top = get(&s3, "/claims?list-type=2&delimiter=/", &[]).await;
    assert_eq!(top.elements("Key"), ["a", "e f", "z"]);
    assert_eq!(top.elements("Prefix"), ["", "b/", "d/"], "the first is what was asked for");
    let below = get(&s3, "/claims?list-type=2&delimiter=/&prefix=b/", &[]).await;
    assert_eq!((below.elements("Key"), below.elements("Prefix")), (vec!["b/1", "b/2"], vec!["b/", "b/c/"]));
}

#[tokio::test]
async fn pages_count_keys_and_common_prefixes_and_go_on_where_they_ended() {
    let s3 = folders().await;
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = get(&s3, &format!("/claims?list-type=2&delimiter=/&max-keys=2{token}"), &[]).await;
        seen.push([page.elements("Key"), page.elements("Prefix")[1..].to_vec()].concat().join(" "));
        let Some(next) = page.elements("NextContinuationToken").first().copied() else { break };
        assert_eq!(page.elements("IsTruncated"), ["true"]);
        token = format!("&continuation-token={next}");
    }
    assert_eq!(seen, ["a b/", "e f d/", "z"]);
    let after = get(&s3, "/claims?list-type=2&start-after=b/2", &[]).await;
    assert_eq!(after.elements("Key"), ["b/c/1", "d/1", "e f", "z"]);
    let none = get(&s3, "/claims?list-type=2&max-keys=0", &[]).await;
    assert_eq!((none.elements("KeyCount"), none.elements("IsTruncated")), (vec!["0"], vec!["false"]));
    let wrong = get(&s3, "/claims?list-type=2&continuation-token=%21", &[]).await;
    assert_eq!(wrong.refusal(), (400, "InvalidArgument"));
}

#[tokio::test]
async fn the_first_version_of_listings_goes_on_by_a_marker() {
    let s3 = folders().await;
    let first = get(&s3, "/claims?delimiter=/&max-keys=2", &[]).await;
    assert_eq!((first.elements("NextMarker"), first.elements("KeyCount").len()), (vec!["b/"], 0));
    let next = get(&s3, "/claims?delimiter=/&max-keys=2&marker=b/", &[]).await;
    assert_eq!((next.elements("Key"), next.elements("Prefix")), (vec!["e f"], vec!["", "d/"]));
}
