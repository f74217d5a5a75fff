//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html>

use serde::Deserialize;

use super::texts;
use crate::account::Account;
use crate::iam::evaluate::Need;
use crate::wire::AwsRequest;

/// The bus that is always there.
const DEFAULT_BUS: &str = "default";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    event_bus_name: Option<String>,
    source: Option<String>,
    detail_type: Option<String>,
}

pub(super) fn needs(account: &Account, request: &AwsRequest) -> Vec<Need> {
    let action = request.action.as_str();
    if action == "PutEvents" {
        return put_events(account, request);
    }
    let texts = texts(request);
    let text = |name: &str| texts.get(name).map(String::as_str);
    let bus = text("EventBusName").map_or(DEFAULT_BUS, bare_bus);
    let rule = |name: &str| {
        let path = if bus == DEFAULT_BUS { format!("rule/{name}") } else { format!("rule/{bus}/{name}") };
        account.arn("events", &path)
    };
    let named = |kind: &str| account.arn("events", &format!("{kind}/{}", text("Name").unwrap_or_default()));
    let resource = match action {
        "PutRule" | "DeleteRule" | "DescribeRule" | "EnableRule" | "DisableRule" => {
            rule(text("Name").unwrap_or_default())
        }
        "PutTargets" | "RemoveTargets" | "ListTargetsByRule" => rule(text("Rule").unwrap_or_default()),
        "CreateEventBus" | "DeleteEventBus" | "DescribeEventBus" | "UpdateEventBus" => {
            account.arn("events", &format!("event-bus/{}", text("Name").map_or(DEFAULT_BUS, bare_bus)))
        }
        "CreateArchive" | "UpdateArchive" | "DeleteArchive" | "DescribeArchive" => {
            account.arn("events", &format!("archive/{}", text("ArchiveName").unwrap_or_default()))
        }
        "StartReplay" | "CancelReplay" | "DescribeReplay" => {
            account.arn("events", &format!("replay/{}", text("ReplayName").or(text("Name")).unwrap_or_default()))
        }
        "CreateConnection" | "DeleteConnection" | "DescribeConnection" => named("connection"),
        "TagResource" | "UntagResource" | "ListTagsForResource" => text("ResourceARN").unwrap_or("*").to_owned(),
        _ => "*".to_owned(),
    };
    vec![Need::new("events", action, resource)]
}

/// Each entry is looked at by itself: its bus, and the source and type that a condition may ask for.
fn put_events(account: &Account, request: &AwsRequest) -> Vec<Need> {
    let Ok(PutEvents { entries }) = serde_json::from_slice(&request.body) else { return Vec::new() };
    let need = |entry: Entry| {
        let bus = entry.event_bus_name.as_deref().map_or(DEFAULT_BUS, bare_bus);
        Need::new("events", "PutEvents", account.arn("events", &format!("event-bus/{bus}")))
            .with("events:source", entry.source.into_iter().collect())
            .with("events:detail-type", entry.detail_type.into_iter().collect())
    };
    let mut needs: Vec<Need> = Vec::new();
    for need in entries.into_iter().map(need) {
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs
}

/// A bus by its name or its ARN.
fn bare_bus(bus: &str) -> &str {
    match bus.rsplit_once("event-bus/").map_or(bus, |(_, name)| name) {
        "" => DEFAULT_BUS,
        name => name,
    }
}
