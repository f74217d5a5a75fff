//! Documents in and out.

use std::fmt::Write;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use roxmltree::{Document, Node};

use crate::s3::S3Error;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// What `encoding-type=url` leaves as it is.
const PLAIN: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// A document under way.
#[derive(Debug)]
pub(super) struct Xml(String);

impl Xml {
    /// A document whose root is `name`, with what `content` writes.
    pub(super) fn document(name: &str, content: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned());
        let _ = write!(xml.0, "<{name} xmlns=\"{NAMESPACE}\">");
        content(&mut xml);
        let _ = write!(xml.0, "</{name}>");
        xml.0
    }

    /// The document of an error, which has no namespace.
    pub(super) fn error(content: impl FnOnce(&mut Self)) -> String {
        let mut xml = Self("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned());
        xml.element("Error", content);
        xml.0
    }

    pub(super) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        let _ = write!(self.0, "<{name}>");
        content(self);
        let _ = write!(self.0, "</{name}>");
    }

    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.characters(text));
    }

    pub(super) fn characters(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // A parser would turn a bare carriage return into a line feed.
                '\r' => self.0.push_str("&#13;"),
                other => self.0.push(other),
            }
        }
    }
}

/// A key as `encoding-type` wants it.
pub(super) fn encoded(key: &str, url: bool) -> String {
    if url { utf8_percent_encode(key, PLAIN).to_string() } else { key.to_owned() }
}

/// Reads a document whose root is `name`.
pub(super) fn read<T>(
    body: &[u8],
    name: &str,
    read: impl FnOnce(Node<'_, '_>) -> Result<T, S3Error>,
) -> Result<T, S3Error> {
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    let document = Document::parse(text).map_err(|_| malformed())?;
    let root = document.root_element();
    if root.tag_name().name() == name { read(root) } else { Err(malformed()) }
}

/// The child elements of that name, whatever their namespace.
pub(super) fn children<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.is_element() && child.tag_name().name() == name)
}

/// The text of the child element of that name.
pub(super) fn child_text(node: Node<'_, '_>, name: &'static str) -> Option<String> {
    children(node, name).next().map(|child| child.text().unwrap_or_default().to_owned())
}

pub(super) fn malformed() -> S3Error {
    let reason = "The XML you provided was not well-formed or did not validate against our published schema";
    S3Error::refused("MalformedXML", 400, reason)
}
