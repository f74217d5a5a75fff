//! The `AWSEvents` protocol: AWS JSON 1.1, one function per action.
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html>

mod archives;
mod buses;
mod constraints;
mod events;
mod permissions;
mod replays;
mod rules;
mod tags;
mod targets;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{EventBridge, EventsError};
use crate::wire::{AwsRequest, AwsResponse, Protocol};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Entries of a list answer when the request says nothing.
const PAGE_DEFAULT: usize = 100;

pub(super) fn handle(events: &EventBridge, request: &AwsRequest) -> AwsResponse {
    match answer(events, request) {
        Ok(body) => response(200, &body),
        Err(error) => response(400, &json!({"__type": error.code(), "message": error.to_string()})),
    }
}

fn response(status: u16, body: &Value) -> AwsResponse {
    AwsResponse { status, content_type: CONTENT_TYPE, headers: Vec::new(), body: Bytes::from(body.to_string()) }
}

fn answer(events: &EventBridge, request: &AwsRequest) -> Result<Value, EventsError> {
    if request.protocol == Protocol::Query {
        return Err(EventsError::validation("EventBridge speaks AWS JSON 1.1, not the query protocol"));
    }
    let body: &[u8] = if request.body.is_empty() { b"{}" } else { &request.body };
    // The entries of `PutEvents`, which may be long, are checked as they are read.
    if request.action != "PutEvents" {
        constraints::check(&request.action, body)?;
    }
    match request.action.as_str() {
        "PutEvents" => events::put(events, parse(body)?),
        "TestEventPattern" => events::test_pattern(parse(body)?),
        "CreateEventBus" => buses::create(events, parse(body)?),
        "DescribeEventBus" => buses::describe(events, &parse(body)?),
        "ListEventBuses" => buses::list(events, parse(body)?),
        "DeleteEventBus" => buses::delete(events, &parse(body)?),
        "UpdateEventBus" => buses::update(events, parse(body)?),
        "PutPermission" => permissions::put(events, &parse(body)?),
        "RemovePermission" => permissions::remove(events, &parse(body)?),
        "CreateArchive" => archives::create(events, parse(body)?),
        "DescribeArchive" => archives::describe(events, &parse(body)?),
        "ListArchives" => archives::list(events, &parse(body)?),
        "UpdateArchive" => archives::update(events, parse(body)?),
        "DeleteArchive" => archives::delete(events, &parse(body)?),
        "StartReplay" => replays::start(events, parse(body)?),
        "DescribeReplay" => replays::describe(events, &parse(body)?),
        "ListReplays" => replays::list(events, &parse(body)?),
        "CancelReplay" => replays::cancel(events, &parse(body)?),
        "PutRule" => rules::put(events, parse(body)?),
        "DescribeRule" => rules::describe(events, &parse(body)?),
        "ListRules" => rules::list(events, &parse(body)?),
        "DeleteRule" => rules::delete(events, &parse(body)?),
        "EnableRule" => rules::set_enabled(events, &parse(body)?, true),
        "DisableRule" => rules::set_enabled(events, &parse(body)?, false),
        "PutTargets" => targets::put(events, parse(body)?),
        "ListTargetsByRule" => targets::list(events, &parse(body)?),
        "RemoveTargets" => targets::remove(events, &parse(body)?),
        "ListRuleNamesByTarget" => targets::rule_names(events, &parse(body)?),
        "TagResource" => tags::tag(events, parse(body)?),
        "UntagResource" => tags::untag(events, &parse(body)?),
        "ListTagsForResource" => tags::list(events, &parse(body)?),
        action => Err(EventsError::UnsupportedAction { action: action.to_owned() }),
    }
}

/// Requests name every member they know: one they do not know is refused, not ignored.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, EventsError> {
    serde_json::from_slice(body).map_err(|error| EventsError::validation(format!("The request is not valid: {error}")))
}

const MILLIS_PER_SECOND: f64 = 1000.0;

/// A time in a request: epoch seconds, as AWS JSON says; RFC 3339, as people type it.
#[derive(Deserialize)]
#[serde(untagged)]
enum WireTime {
    Seconds(f64),
    Text(DateTime<Utc>),
}

impl WireTime {
    fn instant(&self) -> Result<DateTime<Utc>, EventsError> {
        match self {
            Self::Text(time) => Ok(*time),
            // Milliseconds of any time a calendar has fit an i64; beyond, the cast saturates and is refused.
            #[allow(clippy::cast_possible_truncation)]
            Self::Seconds(seconds) => DateTime::from_timestamp_millis((seconds * MILLIS_PER_SECOND) as i64)
                .ok_or_else(|| EventsError::validation(format!("{seconds} is not a time"))),
        }
    }
}

/// A time in an answer: epoch seconds.
fn seconds(time: DateTime<Utc>) -> f64 {
    // Milliseconds since 1970 are far below the 2^53 that an f64 holds exactly.
    #[allow(clippy::cast_precision_loss)]
    let millis = time.timestamp_millis() as f64;
    millis / MILLIS_PER_SECOND
}

/// Which archives or replays to list, and from where on.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Filtered {
    #[serde(default)]
    name_prefix: Option<String>,
    #[serde(default)]
    event_source_arn: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    next_token: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

impl Filtered {
    /// At most one filter may be given, and a state has to be one of `states`.
    fn check(&self, action: &str, states: &[&str]) -> Result<(), EventsError> {
        let filters = [&self.name_prefix, &self.event_source_arn, &self.state];
        if filters.into_iter().flatten().count() > 1 {
            return Err(EventsError::validation(format!(
                "At most one filter is allowed for {action}. Use either : State, EventSourceArn, or NamePrefix."
            )));
        }
        match self.state.as_deref().filter(|state| !states.contains(state)) {
            Some(other) => Err(EventsError::validation(format!("State {other} must be one of {}", states.join(", ")))),
            None => Ok(()),
        }
    }

    fn takes(&self, name: &str, source_arn: &str, state: &str) -> bool {
        self.name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix))
            && self.event_source_arn.as_ref().is_none_or(|arn| arn == source_arn)
            && self.state.as_ref().is_none_or(|wanted| wanted == state)
    }
}

/// One page of `items`, and the token of the next. The token is the position it starts at.
fn page<T>(items: Vec<T>, token: Option<&str>, limit: Option<usize>) -> Result<(Vec<T>, Option<String>), EventsError> {
    let start = match token {
        None => 0,
        Some(token) => token.parse().map_err(|_| EventsError::validation(format!("NextToken {token} is not valid")))?,
    };
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=PAGE_DEFAULT).contains(&limit) {
        return Err(EventsError::validation(format!("Limit must be 1 to {PAGE_DEFAULT}: {limit}")));
    }
    let next = (items.len() > start + limit).then(|| (start + limit).to_string());
    Ok((items.into_iter().skip(start).take(limit).collect(), next))
}

/// Removes members that are absent: AWS leaves them out instead of sending null.
fn without_nulls(mut body: Value) -> Value {
    if let Value::Object(members) = &mut body {
        members.retain(|_, value| !value.is_null());
    }
    body
}
