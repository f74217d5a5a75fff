use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use onceward::DeadLetter;
use serde::Serialize;

use super::{ENCODING, MESSAGE_BYTES_MAX, attribute_bytes, sha256};

/// `encoding` of a body that is to be decoded from base64.
const BASE64: &str = "base64";

/// `encoding` of a body that says where the original is.
const LOCATOR: &str = "locator";

/// The longest name that a locator takes over, in characters: it has to fit itself. Sources have shorter ones; only the
/// key of a Kafka record may be longer, and is not needed to find the record.
const NAME_CHARS_MAX: usize = 2_048;

/// A letter's body as SQS takes it.
#[derive(Debug)]
pub(super) struct Form<'a> {
    pub(super) body: Cow<'a, str>,
    /// How to get the original; `None` if it is the body.
    pub(super) encoding: Option<&'static str>,
}

/// In place of a body that no message can hold: where it still is, for as long as its source keeps it.
#[derive(Serialize)]
struct Locator<'a> {
    source: Cow<'a, str>,
    message_id: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ordering_key: Option<&'a str>,
    /// Size of the body as received, decoded if it came in base64.
    bytes: usize,
    /// SHA-256 of the same in lower-case hexadecimal.
    sha256: String,
}

impl<'a> Form<'a> {
    /// The body itself, if SQS takes it; else in base64; else a locator, so that it does not block what comes behind it.
    pub(super) fn of(letter: &'a DeadLetter) -> Self {
        // What is not base64 after all stays as it is: to decode it would give something else.
        let decoded = letter.is_base64.then(|| BASE64_STANDARD.decode(&letter.body).ok()).flatten();
        let form = if decoded.is_some() {
            Self { body: Cow::Borrowed(&letter.body), encoding: Some(BASE64) }
        } else if letter.body.chars().all(is_sendable) {
            Self { body: Cow::Borrowed(&letter.body), encoding: None }
        } else {
            Self { body: Cow::Owned(BASE64_STANDARD.encode(&letter.body)), encoding: Some(BASE64) }
        };
        if form.fits() {
            return form;
        }
        let original = decoded.as_deref().unwrap_or(letter.body.as_bytes());
        Self { body: Cow::Owned(locator(letter, original)), encoding: Some(LOCATOR) }
    }

    /// SQS refuses what is empty, and what is too large: the body can be read only with its encoding beside it.
    fn fits(&self) -> bool {
        let encoding_bytes = self.encoding.map_or(0, |encoding| attribute_bytes(ENCODING, encoding));
        !self.body.is_empty() && self.body.len() + encoding_bytes <= MESSAGE_BYTES_MAX
    }
}

fn locator(letter: &DeadLetter, original: &[u8]) -> String {
    let locator = Locator {
        source: beginning(&letter.source),
        message_id: beginning(&letter.message_id),
        ordering_key: letter.group.as_deref().filter(|group| matches!(beginning(group), Cow::Borrowed(_))),
        bytes: original.len(),
        sha256: sha256(&[original]),
    };
    let json = serde_json::to_string(&locator).expect("texts and a number have a form in JSON");
    // The JSON writer escapes the control characters, but not the two others that SQS refuses.
    json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// The name, or as much of it as may be: borrowed if it is whole.
fn beginning(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => Cow::Owned(name[..end].to_owned()),
        None => Cow::Borrowed(name),
    }
}

/// SQS refuses most control characters and two code points that JSON allows:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>.
pub(super) fn is_sendable(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}
