//! S3 as its REST interface documents it.

mod buckets;
mod durable;
mod integrity;
mod lists;
mod objects;
mod uploads;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use bytes::Bytes;

use super::S3;
use crate::account::Account;
use crate::store::Store;

/// 2023-11-14T22:13:20Z.
const NOW_MS: i64 = 1_700_000_000_000;

struct Answered {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answered {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The texts of all elements of that name.
    fn elements(&self, name: &str) -> Vec<&str> {
        let mut found = Vec::new();
        let mut rest = self.text();
        while let Some((_, after)) = rest.split_once(&format!("<{name}>")) {
            let (text, after) = after.split_once(&format!("</{name}>")).unwrap();
            found.push(text);
            rest = after;
        }
        found
    }

    /// Status and code of a refusal.
    fn refusal(&self) -> (u16, &str) {
        (self.status, self.elements("Code").first().copied().unwrap_or_default())
    }
}

fn s3() -> S3 {
    stored_in(&Store::memory())
}

fn stored_in(store: &Store) -> S3 {
    S3::open_with_clock(Account::new("us-east-1", "http://127.0.0.1:4566"), store, || NOW_MS).unwrap()
}

/// With a bucket named `claims`.
fn claims() -> S3 {
    let s3 = s3();
    s3.create_bucket("claims").unwrap();
    s3
}

async fn call(s3: &S3, method: &str, uri: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answered {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = request.body(body.into()).unwrap().into_parts();
    let (parts, body) = s3.handle(parts, body).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answered { status: parts.status.as_u16(), headers: parts.headers, body }
}

/// Puts an object without further ado.
async fn put(s3: &S3, uri: &str, content: &str) -> Answered {
    let answered = call(s3, "PUT", uri, &[], content.to_owned()).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    answered
}

async fn get(s3: &S3, uri: &str, headers: &[(&str, &str)]) -> Answered {
    call(s3, "GET", uri, headers, "").await
}
