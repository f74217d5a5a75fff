use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// SHA-256, in hex, of a label and a JSON text.
///
/// White space between tokens is left out: EventBridge and proxies may reformat a body they pass on, and a reformatted
/// duplicate is still a duplicate.
pub(crate) fn of(label: &str, json: &[u8]) -> String {
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
    hasher.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes every write");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn white_space_inside_strings_counts() {
        assert_eq!(of("t", br#"{"a" : "b c"}"#), of("t", br#"{"a":"b c"}"#));
        assert_ne!(of("t", br#"{"a":"b c"}"#), of("t", br#"{"a":"bc"}"#));
        assert_ne!(of("t", br#"{"a":"\" b"}"#), of("t", br#"{"a":"\"b"}"#));
        assert_ne!(of("t", b"1"), of("u", b"1"));
    }
}
