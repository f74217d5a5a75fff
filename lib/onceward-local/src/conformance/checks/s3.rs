//! S3, to the extent of claim checks.

use http::Method;

use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, holds, same};
use crate::conformance::request::{Reply, Request, elements};
use crate::conformance::session::Session;

const PUT: &str = "API/API_PutObject.html";
const GET: &str = "API/API_GetObject.html";
const LIST: &str = "API/API_ListObjectsV2.html";
const CONDITIONAL: &str = "userguide/conditional-writes.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new("S3", "https://docs.aws.amazon.com/AmazonS3/latest/")
        .add("put-get", "An object comes back with its bytes, type, metadata, length and ETag", GET, put_get)
        .add("etag", "The ETag of an object put at once is the MD5 of its bytes", "API/API_Object.html", etag)
        .add("head", "HeadObject answers the headers without the bytes", "API/API_HeadObject.html", head)
        .add("overwrite", "Putting an object again replaces it", PUT, overwrite)
        .add("range", "A Range answers a part of the object with status 206", GET, range)
        .add("unknown-key", "An object that does not exist is NoSuchKey, status 404", GET, unknown_key)
        .add("unknown-bucket", "A bucket that does not exist is NoSuchBucket, status 404", PUT, unknown_bucket)
        .add("if-none-match", "If-None-Match * refuses to overwrite an object: 412", CONDITIONAL, if_none_match)
        .add("if-match", "If-Match with another ETag refuses to overwrite an object: 412", CONDITIONAL, if_match)
        .add("not-modified", "Reading with If-None-Match of the object's ETag answers 304", GET, not_modified)
        .add("delete", "Deleting an object twice answers 204 both times", "API/API_DeleteObject.html", delete)
        .add("list", "Objects are listed by prefix, in the order of their keys", LIST, list)
        .add("list-folders", "A delimiter groups keys to common prefixes", LIST, folders)
        .add("list-pages", "max-keys makes pages, with a token for the next", LIST, pages)
        .add(
            "bucket-not-empty",
            "A bucket with objects cannot be deleted: BucketNotEmpty, status 409",
            "API/API_DeleteBucket.html",
            bucket_not_empty,
        )
        .done()
}

fn request(method: Method, path: &str, body: impl Into<bytes::Bytes>) -> Request {
    Request::rest("s3", method, path, body).header("x-amz-content-sha256", "UNSIGNED-PAYLOAD")
}

/// A bucket's path.
async fn bucket(session: &Session) -> Result<String, Finding> {
    let path = format!("/{}", session.name());
    session.send(request(Method::PUT, &path, "")).await?.success()?;
    session.clean_up_with(request(Method::DELETE, &path, ""));
    Ok(path)
}

async fn put(session: &Session, path: &str, body: &str) -> Result<Reply, Finding> {
    let reply = session.send(request(Method::PUT, path, body.to_owned())).await?.success()?;
    session.clean_up_with(request(Method::DELETE, path, ""));
    Ok(reply)
}

async fn get(session: &Session, path: &str) -> Result<Reply, Finding> {
    session.send(request(Method::GET, path, "")).await
}

async fn put_get(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/claims/1";
    let put =
        request(Method::PUT, &path, "hello").header("content-type", "text/plain").header("x-amz-meta-kind", "order");
    let put = session.send(put).await?.success()?;
    session.clean_up_with(request(Method::DELETE, &path, ""));
    let got = get(&session, &path).await?.success()?;
    same("the bytes", got.text(), "hello")?;
    same("Content-Type", got.header("content-type"), "text/plain")?;
    same("x-amz-meta-kind", got.header("x-amz-meta-kind"), "order")?;
    same("Content-Length", got.header("content-length"), "5")?;
    holds(!got.header("last-modified").is_empty(), "there is no Last-Modified")?;
    same("ETag", got.header("etag"), put.header("etag"))
}

async fn etag(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    same("ETag", put(&session, &path, "hello").await?.header("etag"), "\"5d41402abc4b2a76b9719d911017c592\"")
}

async fn head(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    put(&session, &path, "hello").await?;
    let head = session.send(request(Method::HEAD, &path, "")).await?.success()?;
    same("Content-Length", head.header("content-length"), "5")?;
    holds(head.body.is_empty(), "there is a body")?;
    let missing = session.send(request(Method::HEAD, &format!("{path}-not"), "")).await?;
    same("status of an object that does not exist", missing.status, 404)
}

async fn overwrite(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    put(&session, &path, "one").await?;
    put(&session, &path, "two").await?;
    same("the bytes", get(&session, &path).await?.success()?.text(), "two")
}

async fn range(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    put(&session, &path, "0123456789").await?;
    let part = session.send(request(Method::GET, &path, "").header("range", "bytes=2-4")).await?;
    same("status", part.status, 206)?;
    same("the bytes", part.text(), "234")?;
    same("Content-Range", part.header("content-range"), "bytes 2-4/10")
}

async fn unknown_key(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/none";
    same("status", get(&session, &path).await?.refusal(&["NoSuchKey"])?.status, 404)
}

async fn unknown_bucket(session: Session) -> Outcome {
    let path = format!("/{}/1", session.name());
    let reply = session.send(request(Method::PUT, &path, "x")).await?;
    same("status", reply.refusal(&["NoSuchBucket"])?.status, 404)
}

async fn if_none_match(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    let once = || request(Method::PUT, &path, "x").header("if-none-match", "*");
    session.send(once()).await?.success()?;
    session.clean_up_with(request(Method::DELETE, &path, ""));
    same("status", session.send(once()).await?.refusal(&["PreconditionFailed"])?.status, 412)
}

async fn if_match(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    let first = put(&session, &path, "one").await?;
    let update = |etag: &str| request(Method::PUT, &path, "two").header("if-match", etag);
    session.send(update(first.header("etag"))).await?.success()?;
    let stale = session.send(update(first.header("etag"))).await?;
    same("status", stale.refusal(&["PreconditionFailed"])?.status, 412)
}

async fn not_modified(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    let etag = put(&session, &path, "one").await?.header("etag").to_owned();
    let again = session.send(request(Method::GET, &path, "").header("if-none-match", etag)).await?;
    same("status", again.status, 304)
}

async fn delete(session: Session) -> Outcome {
    let path = bucket(&session).await? + "/1";
    put(&session, &path, "one").await?;
    for _ in 0..2 {
        same("status", session.send(request(Method::DELETE, &path, "")).await?.status, 204)?;
    }
    same("status of reading it", get(&session, &path).await?.status, 404)
}

/// A bucket with some objects.
async fn filled(session: &Session) -> Result<String, Finding> {
    let bucket = bucket(session).await?;
    for key in ["b/2", "a", "b/1", "c"] {
        put(session, &format!("{bucket}/{key}"), "x").await?;
    }
    Ok(bucket)
}

async fn list(session: Session) -> Outcome {
    let bucket = filled(&session).await?;
    let listed = get(&session, &format!("{bucket}?list-type=2")).await?.success()?.text();
    same("the keys", elements(&listed, "Key"), vec!["a", "b/1", "b/2", "c"])?;
    let listed = get(&session, &format!("{bucket}?list-type=2&prefix=b%2F")).await?.success()?.text();
    same("the keys below b/", elements(&listed, "Key"), vec!["b/1", "b/2"])
}

async fn folders(session: Session) -> Outcome {
    let bucket = filled(&session).await?;
    let listed = get(&session, &format!("{bucket}?list-type=2&delimiter=%2F")).await?.success()?.text();
    same("the keys", elements(&listed, "Key"), vec!["a", "c"])?;
    let prefixes: Vec<_> = elements(&listed, "CommonPrefixes").iter().flat_map(|it| elements(it, "Prefix")).collect();
    same("the common prefixes", prefixes, vec!["b/"])
}

async fn pages(session: Session) -> Outcome {
    let bucket = filled(&session).await?;
    let first = get(&session, &format!("{bucket}?list-type=2&max-keys=3")).await?.success()?.text();
    same("the first page", elements(&first, "Key"), vec!["a", "b/1", "b/2"])?;
    same("IsTruncated", elements(&first, "IsTruncated"), vec!["true"])?;
    let token = elements(&first, "NextContinuationToken").concat();
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("continuation-token", &token).finish();
    let second = get(&session, &format!("{bucket}?list-type=2&{query}")).await?.success()?.text();
    same("the second page", elements(&second, "Key"), vec!["c"])
}

async fn bucket_not_empty(session: Session) -> Outcome {
    let bucket = filled(&session).await?;
    let reply = session.send(request(Method::DELETE, &bucket, "")).await?;
    same("status", reply.refusal(&["BucketNotEmpty"])?.status, 409)
}
