//! Multipart uploads. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>

use std::collections::BTreeMap;

use uuid::Uuid;

use super::answer::{Answer, iso8601};
use super::condition::check_write;
use super::objects::{checksum_type, description};
use super::request::Request;
use super::xml::{self, Xml};
use crate::s3::bucket::{Bucket, check_key};
use crate::s3::checksum::{Algorithm, Checksum, md5_hexadecimal};
use crate::s3::upload::{PART_NUMBERS, Part, Upload};
use crate::s3::{OBJECT_BYTES_MAX, S3, S3Error};

/// Uploads of one bucket that may be under way.
const UPLOADS_MAX: usize = 1_000;

impl S3 {
    pub(super) fn create_upload(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        check_key(key)?;
        let algorithm = request.algorithm()?.unwrap_or(Algorithm::Crc64Nvme);
        let composite = match request.header("x-amz-checksum-type") {
            Some("FULL_OBJECT") => false,
            Some("COMPOSITE") => true,
            _ => algorithm != Algorithm::Crc64Nvme,
        };
        let upload = Upload {
            key: key.to_owned(),
            started_ms: self.now_ms(),
            description: description(request)?,
            algorithm,
            composite,
            parts: BTreeMap::new(),
        };
        let id = Uuid::new_v4().simple().to_string();
        self.with_bucket(bucket, |bucket| {
            if bucket.uploads.len() >= UPLOADS_MAX {
                let reason =
                    format!("The local cloud keeps at most {UPLOADS_MAX} uploads of a bucket: complete or abort some");
                return Err(S3Error::refused("TooManyUploads", 400, reason));
            }
            bucket.uploads.insert(id.clone(), upload);
            Ok(())
        })?;
        let document = Xml::document("InitiateMultipartUploadResult", |xml| {
            xml.text("Bucket", bucket);
            xml.text("Key", key);
            xml.text("UploadId", &id);
        });
        let answer = Answer::document(document).header("x-amz-checksum-algorithm", algorithm.name());
        Ok(answer.header("x-amz-checksum-type", if composite { "COMPOSITE" } else { "FULL_OBJECT" }))
    }

    pub(super) fn upload_part(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        let number = request.parameter("partNumber").and_then(|number| number.parse().ok());
        let number = number
            .filter(|number| PART_NUMBERS.contains(number))
            .ok_or_else(|| S3Error::argument("Part number must be an integer between 1 and 10000, inclusive"))?;
        let content = request.body.clone();
        self.with_bucket(bucket, |bucket| {
            let upload = upload(bucket, request, key)?;
            let others = upload.parts.iter().filter(|(known, _)| **known != number);
            if others.map(|(_, part)| part.content.len()).sum::<usize>() + content.len() > OBJECT_BYTES_MAX {
                return Err(S3Error::EntityTooLarge { bytes_max: OBJECT_BYTES_MAX });
            }
            if let Some(given) = request.checksum.as_ref().filter(|given| given.algorithm != upload.algorithm) {
                let (given, own) = (given.algorithm.name(), upload.algorithm.name());
                // What nobody asked for is no contract: SDKs sum parts by their own default.
                if upload.composite {
                    let reason = format!(
                        "Checksum Type mismatch occurred, expected checksum Type: {own}, actual checksum Type: {given}"
                    );
                    return Err(S3Error::request(reason));
                }
            }
            let etag = md5_hexadecimal(&content);
            let checksum = Checksum::of(upload.algorithm, &content);
            let told = request.checksum.clone().unwrap_or_else(|| checksum.clone());
            upload.parts.insert(number, Part { content, etag: etag.clone(), checksum, modified_ms: self.now_ms() });
            Ok(Answer::status(200).header("etag", format!("\"{etag}\"")).header(told.algorithm.header(), told.value))
        })
    }

    pub(super) fn complete_upload(&self, request: &Request, name: &str, key: &str) -> Result<Answer, S3Error> {
        let parts = xml::read(&request.body, "CompleteMultipartUpload", |root| {
            let part = |part| {
                let number = xml::child_text(part, "PartNumber")?.parse().ok()?;
                Some((number, xml::child_text(part, "ETag")?))
            };
            xml::children(root, "Part").map(|node| part(node).ok_or_else(xml::malformed)).collect::<Result<Vec<_>, _>>()
        })?;
        let now_ms = self.now_ms();
        let object = self.with_bucket(name, |bucket| {
            let object = upload(bucket, request, key)?.complete(&parts, now_ms)?;
            if let Some(given) = &request.checksum
                && given.algorithm == object.checksum.algorithm
                && given.value != object.checksum.value
            {
                let reason =
                    format!("The {} you specified did not match the calculated checksum.", given.algorithm.name());
                return Err(S3Error::refused("BadDigest", 400, reason));
            }
            check_write(request, bucket, key)?;
            bucket.uploads.remove(request.parameter("uploadId").unwrap_or_default());
            bucket.put(key, object.clone());
            Ok(object)
        })?;
        Ok(Answer::document(Xml::document("CompleteMultipartUploadResult", |xml| {
            xml.text("Location", &format!("{}/{name}/{key}", self.account.endpoint));
            xml.text("Bucket", name);
            xml.text("Key", key);
            xml.text("ETag", &format!("\"{}\"", object.etag));
            xml.text(object.checksum.algorithm.element(), &object.checksum.value);
            xml.text("ChecksumType", checksum_type(&object));
        })))
    }

    pub(super) fn abort_upload(&self, request: &Request, bucket: &str, key: &str) -> Result<Answer, S3Error> {
        self.with_bucket(bucket, |bucket| {
            upload(bucket, request, key)?;
            bucket.uploads.remove(request.parameter("uploadId").unwrap_or_default());
            Ok(Answer::status(204))
        })
    }

    /// All parts are in one page: an object here has few.
    pub(super) fn list_parts(&self, request: &Request, name: &str, key: &str) -> Result<Answer, S3Error> {
        self.with_bucket(name, |bucket| {
            let upload = upload(bucket, request, key)?;
            Ok(Answer::document(Xml::document("ListPartsResult", |xml| {
                xml.text("Bucket", name);
                xml.text("Key", key);
                xml.text("UploadId", request.parameter("uploadId").unwrap_or_default());
                xml.text("StorageClass", "STANDARD");
                xml.text("IsTruncated", "false");
                for (number, part) in &upload.parts {
                    xml.element("Part", |xml| {
                        xml.text("PartNumber", &number.to_string());
                        xml.text("LastModified", &iso8601(part.modified_ms));
                        xml.text("ETag", &format!("\"{}\"", part.etag));
                        xml.text("Size", &part.content.len().to_string());
                        xml.text(part.checksum.algorithm.element(), &part.checksum.value);
                    });
                }
            })))
        })
    }

    pub(super) fn list_uploads(&self, name: &str) -> Result<Answer, S3Error> {
        self.with_bucket(name, |bucket| {
            Ok(Answer::document(Xml::document("ListMultipartUploadsResult", |xml| {
                xml.text("Bucket", name);
                xml.text("IsTruncated", "false");
                for (id, upload) in &bucket.uploads {
                    xml.element("Upload", |xml| {
                        xml.text("Key", &upload.key);
                        xml.text("UploadId", id);
                        xml.text("StorageClass", "STANDARD");
                        xml.text("Initiated", &iso8601(upload.started_ms));
                    });
                }
            })))
        })
    }
}

/// The upload a request names.
fn upload<'b>(bucket: &'b mut Bucket, request: &Request, key: &str) -> Result<&'b mut Upload, S3Error> {
    let id = request.parameter("uploadId").unwrap_or_default();
    let missing = || S3Error::NoSuchUpload { upload_id: id.to_owned() };
    bucket.uploads.get_mut(id).filter(|upload| upload.key == key).ok_or_else(missing)
}
