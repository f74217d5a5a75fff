//! A call, as rules look at it.

use std::collections::BTreeSet;

use axum::http::Method;
use serde_json::Value;

use super::refusal::Asked;
use crate::wire::Protocol;

/// Members of a request that name what it is about.
const RESOURCE_MEMBERS: [&str; 16] = [
    "EventBusName",
    "FunctionName",
    "Name",
    "QueueName",
    "QueueUrl",
    "ResourceARN",
    "ResourceArn",
    "SourceArn",
    "StreamArn",
    "SubscriptionArn",
    "TableName",
    "TargetArn",
    "TopicArn",
    "logGroupIdentifier",
    "logGroupName",
    "logGroupNamePrefix",
];

/// A call of a service.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) protocol: Protocol,
    /// The access key id it is signed with.
    access_key: Option<String>,
    /// Its answer has no body.
    pub(super) is_head: bool,
    about: About<'a>,
}

/// What a call is about: names, or the request that holds them.
#[derive(Debug, Clone)]
enum About<'a> {
    Names(Vec<&'a str>),
    Request { path: &'a str, body: &'a [u8] },
}

impl<'a> Call<'a> {
    pub(crate) fn of(service: &'a str, operation: &'a str) -> Self {
        let protocol = Protocol::Json { content_type: "application/json" };
        Self { service, operation, protocol, access_key: None, is_head: false, about: About::Names(Vec::new()) }
    }

    /// About resources, each a name, a URL or an ARN.
    pub(crate) fn on(mut self, resources: impl IntoIterator<Item = &'a str>) -> Self {
        self.about = About::Names(resources.into_iter().collect());
        self
    }

    /// As it came to the endpoint.
    pub(crate) fn requested(self, protocol: Protocol, path: &'a str, body: &'a [u8]) -> Self {
        Self { protocol, about: About::Request { path, body }, ..self }
    }

    /// By this method.
    pub(crate) fn with(self, method: &Method) -> Self {
        Self { is_head: *method == Method::HEAD, ..self }
    }

    /// Signed with this access key id.
    pub(crate) fn by(self, access_key: Option<String>) -> Self {
        Self { access_key, ..self }
    }

    /// Whether a process of `function` calls.
    pub(super) fn is_by(&self, function: &str) -> bool {
        self.access_key.as_ref().is_some_and(|key| *key == crate::iam::access_key(function))
    }

    /// Whether it is about the resource of this name.
    pub(super) fn is_about(&self, resource: &str) -> bool {
        match &self.about {
            About::Names(names) => names.iter().any(|name| is_named(name, resource)),
            About::Request { path, body } => {
                is_named(path, resource) || self.names(body).iter().any(|name| is_named(name, resource))
            }
        }
    }

    pub(crate) fn asked(&self) -> Asked<'_> {
        Asked { service: self.service, operation: self.operation, protocol: self.protocol }
    }

    fn names(&self, body: &[u8]) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        match self.protocol {
            Protocol::Json { .. } => {
                collect(&serde_json::from_slice(body).unwrap_or_default(), &mut names);
            }
            Protocol::Query => {
                let pairs = form_urlencoded::parse(body).filter(|(name, _)| RESOURCE_MEMBERS.contains(&name.as_ref()));
                names.extend(pairs.map(|(_, value)| value.into_owned()));
            }
        }
        names
    }
}

/// Names anywhere in a request, except in items: an attribute may be called `TableName` too.
fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (member, value) in members {
                match (member.as_str(), value) {
                    ("Item" | "Key" | "ExpressionAttributeValues" | "Detail" | "Parameters", _) => {}
                    ("RequestItems", Value::Object(tables)) => names.extend(tables.keys().cloned()),
                    (member, Value::String(name)) if RESOURCE_MEMBERS.contains(&member) => {
                        names.insert(name.clone());
                    }
                    (_, value) => collect(value, names),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

/// `named` is a name, a path or URL that ends with it, or an ARN with it.
fn is_named(named: &str, resource: &str) -> bool {
    named == resource || named.split(['/', ':']).any(|part| part == resource)
}
