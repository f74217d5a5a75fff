//! Which permissions a request needs, by the Service Authorization Reference:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
//!
//! A request that cannot be read needs none: its service refuses it.

mod dynamodb;
mod events;
mod expression;
mod logs;
mod partiql;
mod rest;
mod sns;
mod sqs;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

pub(super) use self::logs::stream_arn as logs_stream_arn;
pub(super) use self::rest::rest;
use super::evaluate::Need;
use crate::endpoint::Services;
use crate::wire::{AwsRequest, Protocol};

/// The permissions that a request to `service`, named as in signatures, needs.
pub(super) fn needs(services: &Services, service: &str, request: &AwsRequest) -> Vec<Need> {
    match service {
        "sqs" => sqs::needs(&services.account, request),
        "events" => events::needs(&services.account, request),
        "sns" => sns::needs(&services.account, request),
        "dynamodb" => dynamodb::needs(services, request),
        "logs" => logs::needs(&services.account, request),
        // GetCallerIdentity is always allowed; the rest is refused by name.
        "sts" => Vec::new(),
        // The action alone, so that a service without a list of its own is not open to everybody.
        other => vec![Need::new(other, &request.action, "*")],
    }
}

/// The texts among a request's first-level members, from either protocol; others are left out.
fn texts(request: &AwsRequest) -> BTreeMap<String, String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Member<'r> {
        Text(#[serde(borrow)] Cow<'r, str>),
        Other(serde::de::IgnoredAny),
    }
    match request.protocol {
        Protocol::Json { .. } => {
            let members: BTreeMap<String, Member<'_>> = serde_json::from_slice(&request.body).unwrap_or_default();
            let text = |(name, member)| match member {
                Member::Text(text) => Some((name, text.into_owned())),
                Member::Other(_) => None,
            };
            members.into_iter().filter_map(text).collect()
        }
        Protocol::Query => form_urlencoded::parse(&request.body).into_owned().collect(),
    }
}
