//! `DeleteObjects`. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>

use std::fmt::Write;

use roxmltree::{Document, Node};

use super::{Failed, INJECTED, Split};
use crate::faults::chance::Chance;
use crate::faults::refusal::{Asked, escaped};

const END: &str = "</DeleteResult>";

pub(super) fn split(asked: Asked<'_>, chance: Chance, body: &[u8]) -> Option<Split> {
    let text = std::str::from_utf8(body).ok()?;
    let document = Document::parse(text).ok()?;
    let named = |node: &Node<'_, '_>, name: &str| node.is_element() && node.tag_name().name() == name;
    let objects: Vec<_> = document.root_element().children().filter(|node| named(node, "Object")).collect();
    if objects.is_empty() {
        return None;
    }
    let (mut rest, mut errors, mut at) = (String::new(), String::new(), 0);
    let failing = chance.some_of(objects.len());
    for (object, _) in objects.iter().zip(&failing).filter(|(_, fails)| **fails) {
        let key = object.children().find(|node| named(node, "Key"))?.text().unwrap_or_default();
        let key = escaped(key);
        let _ =
            write!(errors, "<Error><Key>{key}</Key><Code>InternalError</Code><Message>{INJECTED}</Message></Error>");
        rest += &text[at..object.range().start];
        at = object.range().end;
    }
    rest += &text[at..];
    if failing.iter().all(|fails| *fails) {
        let namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
        let body =
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult xmlns=\"{namespace}\">{errors}{END}");
        return Some(Split::All(asked.encoded(200, body)));
    }
    let failed: Failed = Box::new(move |answer| {
        let (before, after) = std::str::from_utf8(answer).ok()?.split_once(END)?;
        Some(format!("{before}{errors}{END}{after}").into())
    });
    Some(Split::Some { rest: rest.into(), failed })
}
