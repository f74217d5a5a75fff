//! What of the buckets outlives the process: each bucket, object and content as a record.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::bucket::{Bucket, Object};
use crate::store::{Batch, Store, StoreError};

/// When buckets were made, by their names.
const BUCKETS: &str = "s3.bucket";
/// What is known of objects, by [`key`].
const OBJECTS: &str = "s3.object";
/// Their contents as they are, by the same keys.
const CONTENTS: &str = "s3.content";

/// The buckets as they were, without uploads.
pub(super) fn read(store: &Store) -> Result<BTreeMap<String, Bucket>, StoreError> {
    let bucket = |created_ms| Bucket { created_ms, ..Bucket::default() };
    let stored = store.read(BUCKETS)?.into_iter();
    let mut buckets: BTreeMap<_, _> = stored.map(|(name, created_ms)| (name, bucket(created_ms))).collect();
    let mut contents: BTreeMap<_, _> = store.read_bytes(CONTENTS)?.into_iter().collect();
    for (key, object) in store.read::<Object>(OBJECTS)? {
        let Some(content) = contents.remove(&key) else { continue };
        if let Some((bucket, key)) = key.split_once('/')
            && let Some(bucket) = buckets.get_mut(bucket)
        {
            bucket.objects.insert(key.to_owned(), Object { content: Bytes::from(content), ..object });
        }
    }
    Ok(buckets)
}

pub(super) fn created(batch: &mut Batch, name: &str, bucket: &Bucket) {
    batch.put(BUCKETS, name, &bucket.created_ms);
}

/// A bucket is deleted without objects.
pub(super) fn deleted(batch: &mut Batch, name: &str) {
    batch.delete(BUCKETS, name);
}

/// What changed since it was last stored.
pub(super) fn changed(batch: &mut Batch, name: &str, bucket: &mut Bucket) {
    for changed in std::mem::take(&mut bucket.changed) {
        let key = key(name, &changed);
        if let Some(object) = bucket.objects.get(&changed) {
            batch.put(OBJECTS, key.as_str(), object);
            batch.put_bytes(CONTENTS, key, &object.content);
        } else {
            batch.delete(OBJECTS, key.as_str());
            batch.delete(CONTENTS, key);
        }
    }
}

/// Names of buckets hold no slash.
fn key(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}")
}
