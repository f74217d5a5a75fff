//! Requests in the AWS wire protocols, and what is read from their answers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;

use super::behaviour::Finding;

/// A service that is spoken to in AWS JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Json {
    /// What `X-Amz-Target` begins with.
    target: &'static str,
    content_type: &'static str,
    signing: &'static str,
}

/// A service that is spoken to in AWS Query.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query {
    version: &'static str,
    signing: &'static str,
}

const JSON_1_0: &str = "application/x-amz-json-1.0";
const JSON_1_1: &str = "application/x-amz-json-1.1";

pub(super) const SQS: Json = Json { target: "AmazonSQS", content_type: JSON_1_0, signing: "sqs" };
pub(super) const EVENTS: Json = Json { target: "AWSEvents", content_type: JSON_1_1, signing: "events" };
pub(super) const DYNAMODB: Json = Json { target: "DynamoDB_20120810", content_type: JSON_1_0, signing: "dynamodb" };
pub(super) const STREAMS: Json =
    Json { target: "DynamoDBStreams_20120810", content_type: JSON_1_0, signing: "dynamodb" };
pub(super) const SQS_QUERY: Query = Query { version: "2012-11-05", signing: "sqs" };
pub(super) const SNS: Query = Query { version: "2010-03-31", signing: "sns" };
pub(super) const STS: Query = Query { version: "2011-06-15", signing: "sts" };

/// One request, to be signed for `signing`.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) signing: &'static str,
    /// What it asks for, as differences name it.
    pub(super) what: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Request {
    pub(super) fn json(service: Json, action: &str, body: &Value) -> Self {
        let target = format!("{}.{action}", service.target);
        Self {
            signing: service.signing,
            what: action.to_owned(),
            method: Method::POST,
            path: "/".to_owned(),
            headers: vec![("content-type", service.content_type.to_owned()), ("x-amz-target", target)],
            body: body.to_string().into(),
        }
    }

    pub(super) fn query(service: Query, action: &str, parameters: &[(&str, &str)]) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", service.version).extend_pairs(parameters);
        Self {
            signing: service.signing,
            what: action.to_owned(),
            method: Method::POST,
            path: "/".to_owned(),
            headers: vec![("content-type", "application/x-www-form-urlencoded; charset=utf-8".to_owned())],
            body: form.finish().into(),
        }
    }

    pub(super) fn rest(signing: &'static str, method: Method, path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let path = path.into();
        let shown = path.split('?').next().unwrap_or_default();
        let (what, body) = (format!("{method} {shown}"), body.into());
        Self { signing, what, method, path, headers: Vec::new(), body }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With its signature: the scope is real, for clouds that read service and region there; the digest is not, as no
    /// cloud but AWS itself knows the secret.
    pub(super) fn signed(&self, region: &str) -> HeaderMap {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{}/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={:064}",
            self.signing, 0
        );
        let own = self.headers.iter().map(|(name, value)| (*name, value.clone()));
        let own = own.chain([("authorization", scope), ("x-amz-date", "20260101T000000Z".to_owned())]);
        own.filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?)))
            .collect()
    }
}

/// What was answered.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    /// What was asked.
    pub(super) what: String,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Codes and words by which a cloud says that it does not have something. AWS uses none of them for what it documents.
const REFUSALS: [&str; 8] = [
    "UnknownOperation",
    "UnsupportedOperation",
    "NotImplemented",
    "InvalidAction",
    "MissingAction",
    "the local cloud",
    "The local cloud",
    "not implemented",
];

impl Reply {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The error's code, in whatever way the protocol says it: without its namespace.
    pub(super) fn code(&self) -> String {
        let json = self.json();
        let code = json["__type"].as_str().or_else(|| json["code"].as_str()).map(str::to_owned);
        let header = self.header("x-amzn-errortype");
        let code = code
            .or_else(|| (!header.is_empty()).then(|| header.split(':').next().unwrap_or_default().to_owned()))
            .or_else(|| elements(&self.text(), "Code").into_iter().next())
            .unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    }

    /// The error's message, if it has one.
    fn message(&self) -> String {
        let json = self.json();
        let message = json["message"].as_str().or_else(|| json["Message"].as_str()).map(str::to_owned);
        message.or_else(|| elements(&self.text(), "Message").into_iter().next()).unwrap_or_default()
    }

    /// The answer, which must be a success.
    pub(super) fn success(self) -> Result<Self, Finding> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(self.finding("it succeeds")) }
    }

    /// The answer, which must be an error with one of these codes.
    pub(super) fn refusal(self, codes: &[&str]) -> Result<Self, Finding> {
        let code = self.code();
        // SQS says the code that it documents in a header, where the body has the exception's name.
        let query = self.header("x-amzn-query-error").split(';').next().unwrap_or_default().to_owned();
        let said = [&code, &query].map(|code| [code.as_str(), code.rsplit('.').next().unwrap_or_default()]).concat();
        if self.status >= 400 && (codes.is_empty() || codes.iter().any(|code| said.contains(code))) {
            return Ok(self);
        }
        let expected = if codes.is_empty() { "an error".to_owned() } else { codes.join(" or ") };
        Err(self.finding(&expected))
    }

    /// Not what is documented, or nothing that this cloud has.
    pub(super) fn finding(&self, documented: &str) -> Finding {
        /// Characters of an answer that are shown.
        const SHOWN_MAX: usize = 160;
        let message = self.message();
        let text = if message.is_empty() { self.text() } else { format!("{}: {message}", self.code()) };
        let text: String = text.chars().take(SHOWN_MAX).collect::<String>().replace(['\n', '\r'], " ");
        let seen = format!("{} answers {} {text}", self.what, self.status);
        let said = self.code() + &self.text();
        if self.status >= 400 && REFUSALS.iter().any(|word| said.contains(word)) {
            return Finding::Refused(seen);
        }
        Finding::Differs(format!("{}; documented: {documented}", seen.trim_end()))
    }
}

/// The texts of all XML elements of this name, in order. The answers of AWS nest no element in one of the same name.
pub(super) fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let texts = xml.split(&open).skip(1).filter_map(|rest| rest.split_once(&close));
    texts.map(|(text, _)| unescaped(text)).collect()
}

fn unescaped(text: &str) -> String {
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&apos;", "'"), ("&#39;", "'")];
    let text = entities.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain));
    text.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        let (what, headers, body) = ("Act".to_owned(), HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()));
        Reply { what, status, headers, body }
    }

    #[test]
    fn a_code_is_read_from_either_protocol_without_its_namespace() {
        let json = reply(400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#);
        assert_eq!(json.code(), "QueueDoesNotExist");
        let xml = reply(400, "<Error><Code>AWS.SimpleQueueService.NonExistentQueue</Code></Error>");
        assert!(xml.refusal(&["NonExistentQueue"]).is_ok());
    }

    #[test]
    fn what_a_cloud_does_not_have_is_told_from_what_it_does_otherwise() {
        let unknown = reply(400, r#"{"__type":"UnknownOperationException"}"#).success();
        assert!(matches!(unknown, Err(Finding::Refused(_))));
        let other = reply(400, r#"{"__type":"ValidationException"}"#).refusal(&["LimitExceededException"]);
        assert!(matches!(other, Err(Finding::Differs(seen)) if seen.contains("LimitExceededException")));
        assert!(matches!(reply(200, "{}").refusal(&[]), Err(Finding::Differs(_))));
    }

    #[test]
    fn a_request_is_signed_for_its_service_and_region() {
        let headers = Request::json(SQS, "SendMessage", &json!({})).signed("eu-west-1");
        let scope = headers["authorization"].to_str().unwrap();
        assert!(scope.contains("/eu-west-1/sqs/aws4_request"), "{scope}");
        assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessage");
    }

    #[test]
    fn elements_are_read_in_order_and_unescaped() {
        assert_eq!(elements("<a><b>1 &lt; 2</b><b>&amp;lt;</b></a>", "b"), ["1 < 2", "&lt;"]);
    }
}
