//! The `Logs_20140328` protocol: AWS JSON 1.1.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Logs,
    error::LogsError,
    pattern::Pattern,
    store::{Event, Group, Store, Stream},
};
use crate::{
    account::Account,
    wire::{AwsRequest, AwsResponse},
};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// Most events of one answer, and the default.
const EVENTS_MAX: usize = 10_000;
/// Most groups or streams of one answer, and the default.
const LISTED_MAX: usize = 50;

pub(super) fn handle(logs: &Logs, request: &AwsRequest) -> AwsResponse {
    let (status, body) = match answer(logs, request) {
        Ok(body) => (200, body),
        Err(error) => (400, json!({ "__type": error.code(), "message": error.to_string() })),
    };
    AwsResponse { status, content_type: CONTENT_TYPE, headers: Vec::new(), body: body.to_string().into() }
}

fn answer(logs: &Logs, request: &AwsRequest) -> Result<Value, LogsError> {
    let store = logs.locked();
    match request.action.as_str() {
        "DescribeLogGroups" => describe_groups(&store, &logs.account, &input(request)?),
        "DescribeLogStreams" => describe_streams(&store, &logs.account, &input(request)?),
        "FilterLogEvents" => filter_events(&store, &input(request)?),
        "GetLogEvents" => get_events(&store, &input(request)?),
        action => Err(LogsError::Unsupported { action: action.to_owned() }),
    }
}

fn input<T: DeserializeOwned>(request: &AwsRequest) -> Result<T, LogsError> {
    serde_json::from_slice(&request.body).map_err(|error| LogsError::InvalidParameter { reason: error.to_string() })
}

/// What the actions take. A group may be named by its ARN.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_stream_name: Option<String>,
    log_stream_names: Vec<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: bool,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    start_from_head: bool,
    limit: Option<usize>,
    next_token: Option<String>,
}

impl Input {
    fn group<'s>(&self, store: &'s Store) -> Result<(&'s str, &'s Group), LogsError> {
        let named = self.log_group_name.as_deref().or(self.log_group_identifier.as_deref());
        let missing = || LogsError::InvalidParameter { reason: "logGroupName is required".to_owned() };
        let name = named.ok_or_else(missing)?;
        let name = name.split_once(":log-group:").map_or(name, |(_, rest)| rest.trim_end_matches(":*"));
        store.groups.get_key_value(name).map(|(name, group)| (name.as_str(), group)).ok_or(LogsError::NoGroup)
    }

    fn limit(&self, max: usize) -> Result<usize, LogsError> {
        match self.limit.unwrap_or(max) {
            limit if (1..=max).contains(&limit) => Ok(limit),
            limit => {
                let reason = format!("limit is {limit}: it must be from 1 to {max}");
                Err(LogsError::InvalidParameter { reason })
            }
        }
    }

    fn in_time(&self, event: &Event) -> bool {
        self.start_time.is_none_or(|start| event.timestamp_ms >= start)
            && self.end_time.is_none_or(|end| event.timestamp_ms < end)
    }

    /// A token is the position to go on from.
    fn token(&self) -> Result<usize, LogsError> {
        let invalid = |_| LogsError::InvalidParameter { reason: "The specified nextToken is invalid.".to_owned() };
        self.next_token.as_deref().map_or(Ok(0), |token| token.parse().map_err(invalid))
    }

    /// One page of `items`, and the token of the next.
    fn page(&self, items: &[Value], max: usize) -> Result<(Vec<Value>, Option<String>), LogsError> {
        let (from, limit) = (self.token()?, self.limit(max)?);
        let page: Vec<Value> = items.iter().skip(from).take(limit).cloned().collect();
        let next = from + page.len();
        Ok((page, (next < items.len()).then(|| next.to_string())))
    }
}

fn describe_groups(store: &Store, account: &Account, input: &Input) -> Result<Value, LogsError> {
    let prefix = input.log_group_name_prefix.as_deref().unwrap_or_default();
    let pattern = input.log_group_name_pattern.as_deref().unwrap_or_default();
    let wanted = store.groups.iter().filter(|(name, _)| name.starts_with(prefix) && name.contains(pattern));
    let groups: Vec<Value> = wanted
        .map(|(name, group)| {
            let arn = account.arn("logs", &format!("log-group:{name}"));
            json!({
                "logGroupName": name,
                "creationTime": group.created_ms,
                "metricFilterCount": 0,
                "arn": format!("{arn}:*"),
                "logGroupArn": arn,
                "logGroupClass": "STANDARD",
                "storedBytes": group.stored_bytes(),
            })
        })
        .collect();
    let (page, next) = input.page(&groups, LISTED_MAX)?;
    Ok(with_token(json!({ "logGroups": page }), next))
}

fn describe_streams(store: &Store, account: &Account, input: &Input) -> Result<Value, LogsError> {
    let (name, group) = input.group(store)?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let mut streams: Vec<&Stream> =
        group.streams().into_iter().filter(|stream| stream.name.starts_with(prefix)).collect();
    match input.order_by.as_deref() {
        None | Some("LogStreamName") => {}
        Some("LastEventTime") if prefix.is_empty() => streams.sort_by_key(|stream| stream.last_ms),
        Some("LastEventTime") => {
            let reason = "Cannot order by LastEventTime with a logStreamNamePrefix.".to_owned();
            return Err(LogsError::InvalidParameter { reason });
        }
        Some(other) => {
            let reason = format!("orderBy is {other}: it must be LogStreamName or LastEventTime");
            return Err(LogsError::InvalidParameter { reason });
        }
    }
    if input.descending {
        streams.reverse();
    }
    let streams: Vec<Value> = streams
        .into_iter()
        .map(|stream| {
            json!({
                "logStreamName": &*stream.name,
                "creationTime": stream.first_ms,
                "firstEventTimestamp": stream.first_ms,
                "lastEventTimestamp": stream.last_ms,
                "lastIngestionTime": stream.last_ms,
                "uploadSequenceToken": "local",
                "arn": account.arn("logs", &format!("log-group:{name}:log-stream:{}", stream.name)),
                "storedBytes": 0,
            })
        })
        .collect();
    let (page, next) = input.page(&streams, LISTED_MAX)?;
    Ok(with_token(json!({ "logStreams": page }), next))
}

fn filter_events(store: &Store, input: &Input) -> Result<Value, LogsError> {
    let (_, group) = input.group(store)?;
    let pattern = Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default())?;
    let prefix = input.log_stream_name_prefix.as_deref().unwrap_or_default();
    let in_stream = |event: &Event| {
        event.stream.starts_with(prefix)
            && (input.log_stream_names.is_empty() || input.log_stream_names.iter().any(|name| **name == *event.stream))
    };
    // The token is the id of the last event: lines that make room meanwhile move no position.
    let (after, limit) = (input.token()? as u64, input.limit(EVENTS_MAX)?);
    let wanted = |event: &&Event| {
        event.id > after && input.in_time(event) && in_stream(event) && pattern.matches(&event.message)
    };
    let found: Vec<&Event> = group.events().into_iter().filter(wanted).take(limit + 1).collect();
    let page = &found[..found.len().min(limit)];
    let next = page.last().filter(|_| found.len() > limit).map(|last| last.id.to_string());
    let events: Vec<Value> = page
        .iter()
        .map(|event| {
            json!({
                "logStreamName": &*event.stream,
                "timestamp": event.timestamp_ms,
                "message": event.message,
                "ingestionTime": event.timestamp_ms,
                "eventId": format!("{:056}", event.id),
            })
        })
        .collect();
    Ok(with_token(json!({ "events": events, "searchedLogStreams": [] }), next))
}

/// Tokens are `f/{position}` and `b/{position}`: the lines from there on, and those before. At either end the token that
/// was given comes back.
fn get_events(store: &Store, input: &Input) -> Result<Value, LogsError> {
    let (_, group) = input.group(store)?;
    let missing = || LogsError::InvalidParameter { reason: "logStreamName is required".to_owned() };
    let name = input.log_stream_name.as_deref().ok_or_else(missing)?;
    if !group.streams().iter().any(|stream| &*stream.name == name) {
        return Err(LogsError::NoStream);
    }
    let events: Vec<&Event> =
        group.events().into_iter().filter(|event| &*event.stream == name && input.in_time(event)).collect();
    let limit = input.limit(EVENTS_MAX)?;
    // Positions are ids, as in `filter_events`: the first to take, or the first not to take.
    let split = |id: u64| events.partition_point(|event| event.id < id);
    let invalid = || LogsError::InvalidParameter { reason: "The specified nextToken is invalid.".to_owned() };
    let id = |text: &str| text.parse::<u64>().map_err(|_| invalid());
    let (from, to) = match input.next_token.as_deref() {
        None if input.start_from_head => (0, limit.min(events.len())),
        None => (events.len().saturating_sub(limit), events.len()),
        Some(token) => match token.split_once('/') {
            Some(("f", position)) => {
                let from = split(id(position)?);
                (from, (from + limit).min(events.len()))
            }
            Some(("b", position)) => {
                let to = split(id(position)?);
                (to.saturating_sub(limit), to)
            }
            _ => return Err(invalid()),
        },
    };
    let page = &events[from..to];
    let forward = page.last().map(|last| last.id + 1).or_else(|| events.last().map(|last| last.id + 1));
    let backward = page.first().or_else(|| events.first()).map(|first| first.id);
    let line = |event: &&Event| json!({ "timestamp": event.timestamp_ms, "message": event.message, "ingestionTime": event.timestamp_ms });
    Ok(json!({
        "events": page.iter().map(line).collect::<Vec<_>>(),
        "nextForwardToken": format!("f/{}", forward.unwrap_or_default()),
        "nextBackwardToken": format!("b/{}", backward.unwrap_or_default()),
    }))
}

fn with_token(mut answer: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    answer
}
