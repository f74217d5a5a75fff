//! The query protocol: parameters in, XML out.
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>

use std::collections::BTreeMap;
use std::fmt::Write;

use super::error::SnsError;

/// `arn:{partition}:sns:{region}:{account}:{name}`.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
const ARN_PARTS: usize = 6;

/// The parameters of a request. Lists are `Name.member.1`, maps `Name.entry.1.key` and `.value`.
#[derive(Debug)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(super) fn decode(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, SnsError> {
        self.get(name).ok_or_else(|| SnsError::invalid(name, "no value for required parameter"))
    }

    /// A parameter that names a resource.
    pub(super) fn arn(&self, name: &str) -> Result<&str, SnsError> {
        check_arn(name, self.required(name)?)
    }

    /// The numbered items of a list or map, in order: those with a parameter that begins with `{prefix}{n}`.
    pub(super) fn items(&self, prefix: &str) -> Vec<String> {
        let numbers: std::collections::BTreeSet<u32> =
            self.0.keys().filter_map(|name| name.strip_prefix(prefix)?.split('.').next()?.parse().ok()).collect();
        numbers.into_iter().map(|number| format!("{prefix}{number}")).collect()
    }

    /// The values of a list that must have one.
    pub(super) fn list(&self, prefix: &str) -> Result<Vec<&str>, SnsError> {
        let items = self.items(prefix);
        if items.is_empty() {
            return Err(SnsError::invalid(
                prefix.split('.').next().unwrap_or(prefix),
                "no value for required parameter",
            ));
        }
        items.iter().map(|item| self.required(item)).collect()
    }

    /// A map whose entries name key and value by these words.
    pub(super) fn map(&self, prefix: &str, key: &str, value: &str) -> Result<BTreeMap<String, String>, SnsError> {
        let entry = |item: String| {
            let key = self.required(&format!("{item}.{key}"))?.to_owned();
            Ok((key, self.get(&format!("{item}.{value}")).unwrap_or_default().to_owned()))
        };
        self.items(prefix).into_iter().map(entry).collect()
    }
}

/// What is no ARN is no resource that is missing.
pub(super) fn check_arn<'a>(name: &str, arn: &'a str) -> Result<&'a str, SnsError> {
    match arn.split(':').count() {
        parts if parts < ARN_PARTS => {
            Err(SnsError::invalid(name, format!("An ARN must have at least {ARN_PARTS} elements, not {parts}")))
        }
        _ => Ok(arn),
    }
}

/// An element of an answer.
#[derive(Debug)]
pub(super) struct Xml {
    name: &'static str,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Text(String),
    Elements(Vec<Xml>),
}

impl Xml {
    pub(super) fn text(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, content: Content::Text(text.into()) }
    }

    pub(super) fn elements(name: &'static str, elements: Vec<Self>) -> Self {
        Self { name, content: Content::Elements(elements) }
    }

    /// A map as SNS writes it: `entry` elements with `key` and `value`.
    pub(super) fn map(name: &'static str, entries: impl IntoIterator<Item = (String, String)>) -> Self {
        let entry = |(key, value)| Self::elements("entry", vec![Self::text("key", key), Self::text("value", value)]);
        Self::elements(name, entries.into_iter().map(entry).collect())
    }

    fn write(&self, out: &mut String) {
        let _ = write!(out, "<{}>", self.name);
        match &self.content {
            Content::Text(text) => escape(text, out),
            Content::Elements(elements) => {
                for element in elements {
                    element.write(out);
                }
            }
        }
        let _ = write!(out, "</{}>", self.name);
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A parser would turn a bare carriage return into a newline.
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// The document of an action that went well; actions without a result have no result element.
pub(super) fn answer(action: &str, result: Option<&[Xml]>, request_id: &str) -> String {
    let mut out = format!(r#"<{action}Response xmlns="{NAMESPACE}">"#);
    if let Some(elements) = result {
        let _ = write!(out, "<{action}Result>");
        for element in elements {
            element.write(&mut out);
        }
        let _ = write!(out, "</{action}Result>");
    }
    let _ = write!(out, "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>");
    out
}

/// The document of a refused action.
pub(super) fn refusal(error: &SnsError, request_id: &str) -> String {
    let mut out = format!(r#"<ErrorResponse xmlns="{NAMESPACE}">"#);
    let fields =
        vec![Xml::text("Type", "Sender"), Xml::text("Code", error.code()), Xml::text("Message", error.to_string())];
    Xml::elements("Error", fields).write(&mut out);
    let _ = write!(out, "<RequestId>{request_id}</RequestId></ErrorResponse>");
    out
}
