//! Tags of buses and rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::events::bus::Buses;
use crate::events::{EventBridge, EventsError};

/// Tags of one resource. <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TagResource.html>
const TAGS_MAX: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UntagResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListTagsForResource {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

pub(super) fn as_map(tags: Vec<Tag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
}

pub(super) fn tag(events: &EventBridge, request: TagResource) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let tags = tags_of(&mut buses, &request.arn)?;
    let mut joined = tags.clone();
    joined.extend(as_map(request.tags));
    if joined.len() > TAGS_MAX {
        return Err(EventsError::LimitExceeded { what: format!("{TAGS_MAX} tags of a resource") });
    }
    *tags = joined;
    Ok(json!({}))
}

pub(super) fn untag(events: &EventBridge, request: &UntagResource) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    tags_of(&mut buses, &request.arn)?.retain(|key, _| !request.keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(events: &EventBridge, request: &ListTagsForResource) -> Result<Value, EventsError> {
    let mut buses = events.buses();
    let tags = tags_of(&mut buses, &request.arn)?;
    let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags}))
}

fn tags_of<'a>(buses: &'a mut Buses, arn: &str) -> Result<&'a mut BTreeMap<String, String>, EventsError> {
    let known = buses.by_name.values().any(|bus| bus.arn == arn || bus.rules.values().any(|rule| rule.arn == arn));
    if !known {
        return Err(EventsError::NotFound { what: arn.to_owned() });
    }
    Ok(buses.tags.entry(arn.to_owned()).or_default())
}
