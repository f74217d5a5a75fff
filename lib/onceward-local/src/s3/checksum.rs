//! The checksums that objects carry. <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::{Engine, engine::general_purpose::STANDARD};
use crc::{CRC_32_ISCSI, CRC_32_ISO_HDLC, CRC_64_NVME, Crc, Table};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

static CRC32: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC);
static CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static CRC64NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// How a checksum is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Crc32,
    Crc32C,
    /// What S3 computes of objects that come without any.
    Crc64Nvme,
    Sha1,
    Sha256,
}

/// All of them.
pub(super) const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::Crc32, Algorithm::Crc32C, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

/// A checksum of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checksum {
    pub(super) algorithm: Algorithm,
    /// Base64.
    pub(super) value: String,
}

impl Algorithm {
    /// As `x-amz-sdk-checksum-algorithm` and listings name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32C => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header that carries it.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32C => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The element that carries it.
    pub(super) const fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32C => "ChecksumCRC32C",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        ALGORITHMS.into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }

    /// Bytes of a checksum, before base64.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32C => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl Checksum {
    pub(super) fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let value = match algorithm {
            Algorithm::Crc32 => STANDARD.encode(CRC32.checksum(content).to_be_bytes()),
            Algorithm::Crc32C => STANDARD.encode(CRC32C.checksum(content).to_be_bytes()),
            Algorithm::Crc64Nvme => STANDARD.encode(CRC64NVME.checksum(content).to_be_bytes()),
            Algorithm::Sha1 => STANDARD.encode(Sha1::digest(content)),
            Algorithm::Sha256 => STANDARD.encode(Sha256::digest(content)),
        };
        Self { algorithm, value }
    }
}

/// MD5 in base64, as `Content-MD5` has it.
pub(crate) fn md5_base64(content: &[u8]) -> String {
    STANDARD.encode(Md5::digest(content))
}

/// The `ETag` of an object that was put in one piece: the MD5 of its content in hexadecimal, without the quotes.
pub(super) fn md5_hexadecimal(content: &[u8]) -> String {
    hexadecimal(&Md5::digest(content))
}

/// SHA-256 in hexadecimal, as `x-amz-content-sha256` has it.
pub(super) fn sha256_hexadecimal(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
