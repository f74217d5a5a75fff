use sha2::{Digest, Sha256};

const HEX: &[u8; 16] = b"0123456789abcdef";

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
    let digest = hasher.finalize();
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(HEX[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn it_is_sha_256_in_lower_case_hex() {
        // printf 't\0' | sha256sum
        assert_eq!(of("t", b""), "3776096e9733584bd622e7e6417b65ba6640f8a8b809f475cd15ed5923cce3f6");
    }

    #[test]
    fn white_space_inside_strings_counts() {
        assert_eq!(of("t", br#"{"a" : "b c"}"#), of("t", br#"{"a":"b c"}"#));
        assert_ne!(of("t", br#"{"a":"b c"}"#), of("t", br#"{"a":"bc"}"#));
        assert_ne!(of("t", br#"{"a":"\" b"}"#), of("t", br#"{"a":"\"b"}"#));
        assert_ne!(of("t", b"1"), of("u", b"1"));
    }
}
