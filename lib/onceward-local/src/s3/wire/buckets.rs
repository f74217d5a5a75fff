//! Operations on buckets.

use super::answer::{Answer, iso8601};
use super::request::Request;
use super::xml::{self, Xml};
use crate::s3::{S3, S3Error, US_EAST_1, stored};

impl S3 {
    pub(super) fn list_buckets(&self, request: &Request) -> Answer {
        let prefix = request.parameter("prefix").unwrap_or_default();
        let after = request.parameter("continuation-token").unwrap_or_default();
        let max = request.parameter("max-buckets").and_then(|max| max.parse().ok()).unwrap_or(usize::MAX);
        let buckets = self.locked();
        let mut wanted = buckets.iter().filter(|(name, _)| name.starts_with(prefix) && name.as_str() > after);
        let page: Vec<_> = wanted.by_ref().take(max).collect();
        let more = wanted.next().is_some();
        Answer::document(Xml::document("ListAllMyBucketsResult", |xml| {
            xml.element("Owner", |xml| xml.text("ID", &self.account.id));
            xml.element("Buckets", |xml| {
                for (name, bucket) in &page {
                    xml.element("Bucket", |xml| {
                        xml.text("Name", name);
                        xml.text("CreationDate", &iso8601(bucket.created_ms));
                        xml.text("BucketRegion", &self.account.region);
                    });
                }
            });
            if let Some((last, _)) = page.last().filter(|_| more) {
                xml.text("ContinuationToken", last);
            }
            if !prefix.is_empty() {
                xml.text("Prefix", prefix);
            }
        }))
    }

    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
    pub(super) fn put_bucket(&self, request: &Request, bucket: &str) -> Result<Answer, S3Error> {
        if request.header("x-amz-bucket-object-lock-enabled").is_some_and(|set| set.eq_ignore_ascii_case("true")) {
            return Err(S3Error::NotImplemented { what: "buckets with locks".to_owned() });
        }
        let location = if request.body.is_empty() {
            None
        } else {
            xml::read(&request.body, "CreateBucketConfiguration", |root| {
                Ok(xml::child_text(root, "LocationConstraint").filter(|text| !text.is_empty()))
            })?
        };
        let region = self.account.region.as_str();
        match location.as_deref() {
            Some(US_EAST_1) => {
                let reason = "The specified location-constraint is not valid";
                return Err(S3Error::refused("InvalidLocationConstraint", 400, reason));
            }
            Some(other) if other != region => return Err(illegal_location(other)),
            None if region != US_EAST_1 => return Err(illegal_location("unspecified")),
            _ => {}
        }
        self.create_bucket(bucket)?;
        Ok(Answer::status(200).header("location", format!("/{bucket}")))
    }

    pub(super) fn head_bucket(&self, bucket: &str) -> Result<Answer, S3Error> {
        self.with_bucket(bucket, |_| Ok(()))?;
        Ok(Answer::status(200).header("x-amz-bucket-region", &self.account.region))
    }

    pub(super) fn delete_bucket(&self, bucket: &str) -> Result<Answer, S3Error> {
        let mut buckets = self.locked();
        let missing = || S3Error::NoSuchBucket { bucket: bucket.to_owned() };
        let found = buckets.get(bucket).ok_or_else(missing)?;
        if !found.objects.is_empty() {
            return Err(S3Error::BucketNotEmpty { bucket: bucket.to_owned() });
        }
        buckets.remove(bucket);
        let mut batch = self.store.batch();
        stored::deleted(&mut batch, bucket);
        self.store.write(&batch);
        Ok(Answer::status(204))
    }

    /// The location of us-east-1 is empty.
    pub(super) fn bucket_location(&self, bucket: &str) -> Result<Answer, S3Error> {
        self.with_bucket(bucket, |_| Ok(()))?;
        let region = &self.account.region;
        let location = if region == US_EAST_1 { "" } else { region };
        Ok(Answer::document(Xml::document("LocationConstraint", |xml| xml.characters(location))))
    }
}

fn illegal_location(location: &str) -> S3Error {
    let reason = format!(
        "The {location} location constraint is incompatible for the region specific endpoint this request was sent to."
    );
    S3Error::refused("IllegalLocationConstraintException", 400, reason)
}
