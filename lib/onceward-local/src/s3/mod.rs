//! S3, to the extent that claim checks need: buckets and objects, over REST and XML.
//!
//! A data folder has buckets and objects, but not the multipart uploads under way: those begin anew.
//!
//! Refused by name (`NotImplemented`): versions, notifications, lifecycle and the other configurations of a bucket, locks,
//! keys of the customer's own, access control lists. Who asks is not checked.

mod bucket;
mod checksum;
mod chunked;
mod error;
mod stored;
mod upload;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

#[cfg(test)]
pub(crate) use self::checksum::md5_base64;
pub use self::error::S3Error;

use self::bucket::Bucket;
pub(crate) use self::wire::{operation, reseal};
use crate::account::Account;
use crate::store::{Store, StoreError};

/// Bytes of an object. AWS takes 5 TB; this machine keeps them in memory.
pub const OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Buckets of an account. <https://docs.aws.amazon.com/general/latest/gr/s3.html#limits_s3>
pub const BUCKETS_MAX: usize = 10_000;
/// Bytes that the chunks of a body may take beyond its content.
const CHUNKING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a request's body.
pub(crate) const BODY_BYTES_MAX: usize = OBJECT_BYTES_MAX + CHUNKING_BYTES_MAX;
/// The region that names no location.
const US_EAST_1: &str = "us-east-1";

/// The local S3. A handle: clones are the same service.
#[derive(Clone)]
pub struct S3 {
    account: Account,
    buckets: Arc<Mutex<BTreeMap<String, Bucket>>>,
    store: Store,
    /// Milliseconds since the epoch.
    clock: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").field("account", &self.account).finish_non_exhaustive()
    }
}

impl S3 {
    /// The buckets of `store`, in which they are kept; on the system's clock.
    pub fn open(account: Account, store: &Store) -> Result<Self, StoreError> {
        Self::open_with_clock(account, store, || chrono::Utc::now().timestamp_millis())
    }

    /// As [`S3::open`], but `clock` tells the time, in milliseconds since the epoch: for tests and simulation.
    pub fn open_with_clock(
        account: Account,
        store: &Store,
        clock: impl Fn() -> i64 + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let buckets = Arc::new(Mutex::new(stored::read(store)?));
        Ok(Self { account, buckets, store: store.clone(), clock: Arc::new(clock) })
    }

    /// Creates a bucket. In us-east-1 creating one's own bucket again does nothing; elsewhere it is refused.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
    pub fn create_bucket(&self, name: &str) -> Result<(), S3Error> {
        bucket::check_name(name)?;
        let mut buckets = self.locked();
        if buckets.contains_key(name) {
            if self.account.region == US_EAST_1 {
                return Ok(());
            }
            let reason = "Your previous request to create the named bucket succeeded and you already own it.";
            return Err(S3Error::refused("BucketAlreadyOwnedByYou", 409, reason));
        }
        if buckets.len() >= BUCKETS_MAX {
            let reason = "You have attempted to create more buckets than allowed";
            return Err(S3Error::refused("TooManyBuckets", 400, reason));
        }
        let bucket = Bucket { created_ms: (self.clock)(), ..Bucket::default() };
        let mut batch = self.store.batch();
        stored::created(&mut batch, name, &bucket);
        self.store.write(&batch);
        buckets.insert(name.to_owned(), bucket);
        Ok(())
    }

    /// Names of all buckets, in order.
    pub fn buckets(&self) -> Vec<String> {
        self.locked().keys().cloned().collect()
    }

    /// The content of an object.
    pub fn content(&self, bucket: &str, key: &str) -> Result<Bytes, S3Error> {
        self.with_bucket(bucket, |bucket| Ok(bucket.object(key)?.content.clone()))
    }

    fn with_bucket<T>(&self, name: &str, act: impl FnOnce(&mut Bucket) -> Result<T, S3Error>) -> Result<T, S3Error> {
        let mut buckets = self.locked();
        let bucket = buckets.get_mut(name).ok_or_else(|| S3Error::NoSuchBucket { bucket: name.to_owned() })?;
        let outcome = act(bucket);
        let mut batch = self.store.batch();
        stored::changed(&mut batch, name, bucket);
        self.store.write(&batch);
        outcome
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> i64 {
        (self.clock)()
    }
}
