//! What tells one payload from another: a record keeps it, and a duplicate must have the same.

mod canonical;
mod number;
#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha256};

pub use canonical::FingerprintError;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// A payload's digests, one by each rule that a record may be compared by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint {
    /// By the first rule: SHA-256, in lower-case hexadecimal, of the label, a NUL and the JSON text without the white
    /// space between its tokens. Builds before the second rule know and write no other.
    pub text: String,
    /// By the second rule: SHA-256 of the label, a NUL and the JSON *value* in the form of RFC 8785, numbers by their
    /// exact decimal value. `None` in the records of earlier builds.
    pub jcs: Option<[u8; 32]>,
}

impl Fingerprint {
    /// A digest by the first rule alone, as earlier builds have written it.
    pub fn of_text(digest: impl Into<String>) -> Self {
        Self { text: digest.into(), jcs: None }
    }

    /// By both rules. The error says why the value has no form: then there is only the [text's](of_json_text).
    pub(crate) fn of(label: &str, json: &str) -> Result<Self, FingerprintError> {
        let value = canonical::text(json)?;
        Ok(Self { text: of_json_text(label, json.as_bytes()), jcs: Some(digest(label, value.as_bytes())) })
    }

    /// Whether both are of one payload: by the latest rule that made both of them.
    pub fn is_of_the_payload_of(&self, other: &Self) -> bool {
        match (&self.jcs, &other.jcs) {
            (Some(one), Some(other)) => one == other,
            _ => self.text == other.text,
        }
    }
}

fn digest(label: &str, bytes: &[u8]) -> [u8; 32] {
    let hasher = Sha256::new().chain_update(label.as_bytes()).chain_update([0]);
    hasher.chain_update(bytes).finalize().into()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(digest: &[u8]) -> String {
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(HEX[usize::from(digit)])).collect()
}

/// The first rule: SHA-256, in hex, of a label and a JSON text.
///
/// White space between tokens is left out: EventBridge and proxies may reformat a body they pass on. This rule never
/// changes: records of the first builds are compared by it.
pub(crate) fn of_json_text(label: &str, json: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(label.as_bytes());
    hasher.update([0]);
    let mut in_string = false;
    let mut escaped = false;
    let mut start = 0;
    for (index, &byte) in json.iter().enumerate() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte == b'"' {
            in_string = true;
        } else if byte.is_ascii_whitespace() {
            hasher.update(&json[start..index]);
            start = index + 1;
        }
    }
    hasher.update(&json[start..]);
    hex(&hasher.finalize())
}
