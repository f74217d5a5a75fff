//! The MD5 digests SQS answers with, which SDKs verify. How the attributes are laid out:
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation>.

use super::message::{AttributeValue, MessageAttribute};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::fmt::Write;

/// Marks a value that is text (String and Number).
const TRANSPORT_TEXT: u8 = 1;
/// Marks a value that is bytes (Binary).
const TRANSPORT_BINARY: u8 = 2;

/// MD5 of a body, in hexadecimal.
pub(crate) fn md5_of_body(body: &str) -> String {
    hexadecimal(&Md5::digest(body.as_bytes()))
}

/// MD5 of attributes, which must come in the order of their names; `None` if there are none.
pub(crate) fn md5_of_attributes<'a>(
    attributes: impl IntoIterator<Item = (&'a str, &'a MessageAttribute)>,
) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, attribute) in attributes {
        any = true;
        part(&mut digest, name.as_bytes());
        part(&mut digest, attribute.data_type.as_bytes());
        match &attribute.value {
            AttributeValue::Text(text) => {
                digest.update([TRANSPORT_TEXT]);
                part(&mut digest, text.as_bytes());
            }
            AttributeValue::Binary(bytes) => {
                digest.update([TRANSPORT_BINARY]);
                part(&mut digest, bytes);
            }
        }
    }
    any.then(|| hexadecimal(&digest.finalize()))
}

/// The deduplication id that `ContentBasedDeduplication` gives a body: its SHA-256, in hexadecimal.
pub(crate) fn content_id(body: &str) -> String {
    hexadecimal(&Sha256::digest(body.as_bytes()))
}

/// Length as four bytes, big endian, then the bytes.
fn part(digest: &mut Md5, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).expect("a message is at most 1 MiB");
    digest.update(length.to_be_bytes());
    digest.update(bytes);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_recorded_from_aws() {
        let text = |value: &str| MessageAttribute::string(value);
        let (general, hello, help) = (text("Kenobi"), text("There"), text("Me"));
        let all = [("General", &general), ("Hello", &hello), ("Help.Me", &help)];
        assert_eq!(md5_of_attributes(all).as_deref(), Some("4c360f3fdafd970e05fae2f149d997f5"));
        assert_eq!(md5_of_attributes([("Hello", &hello)]).as_deref(), Some("a311262e065454b75da111d535b8dacd"));
        let binary = MessageAttribute {
            data_type: "Binary".to_owned(),
            value: AttributeValue::Binary(
                b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01".to_vec(),
            ),
        };
        assert_eq!(md5_of_attributes([("attr1", &binary)]).as_deref(), Some("8cbe4db156db8a94db8b801b7addb984"));
        assert_eq!(md5_of_attributes([]), None);
        assert_eq!(md5_of_body("msg"), "6e2baaf3b97dbeef01c0043275f9a0e7");
    }
}
