//! Scheduler's REST API. <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Operations.html>

use std::collections::BTreeMap;

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::SchedulerError;
use super::schedule::time::seconds;
use super::schedule::{DEFAULT_GROUP, Schedule, check_name};
use super::store::{Group, Stored, TAG_KEY_CHARS, check_length, check_tags};
use super::{Scheduler, State as ScheduleState};

/// Entries of a list answer, at most and if the request says nothing.
const PAGE_MAX: usize = 100;

/// Length of a client token. <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>
const TOKEN_MAX_CHARS: usize = 64;

type Answer = Result<Json<Value>, SchedulerError>;

impl Scheduler {
    /// Schedules, groups and tags.
    pub fn api(&self) -> Router {
        let schedule = get(get_schedule).post(create).put(update).delete(delete);
        Router::new()
            .route("/schedules", get(list))
            .route("/schedules/{name}", schedule)
            .route("/schedule-groups", get(list_groups))
            .route("/schedule-groups/{name}", get(get_group).post(create_group).delete(delete_group))
            .route("/tags/{*arn}", get(list_tags).post(tag).delete(untag))
            .layer(map_response(with_request_id))
            .with_state(self.clone())
    }
}

/// Every answer has an id, as on AWS.
async fn with_request_id(mut response: Response) -> Response {
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

impl IntoResponse for SchedulerError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = Json(json!({"Message": self.to_string()}));
        (status, [("x-amzn-errortype", self.code())], body).into_response()
    }
}

/// Parameters of a URL.
struct Query(Vec<(String, String)>);

impl Query {
    fn new(query: RawQuery) -> Self {
        let text = query.0.unwrap_or_default();
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn group(&self) -> Result<&str, SchedulerError> {
        let group = self.get("groupName").unwrap_or(DEFAULT_GROUP);
        check_name("groupName", group).map(|()| group)
    }

    /// What the names to list begin with.
    fn prefix(&self) -> Result<&str, SchedulerError> {
        let Some(prefix) = self.get("NamePrefix") else { return Ok("") };
        check_name("namePrefix", prefix).map(|()| prefix)
    }

    /// One page of `items`, as the member `name` of the answer. The token is the position it starts at.
    fn page(&self, name: &str, items: impl Iterator<Item = Value>) -> Answer {
        let number = |parameter: &str| -> Result<Option<usize>, SchedulerError> {
            let invalid = |_| SchedulerError::validation(format!("{parameter} is not valid"));
            self.get(parameter).map(|text| text.parse().map_err(invalid)).transpose()
        };
        let size = number("MaxResults")?.unwrap_or(PAGE_MAX);
        if !(1..=PAGE_MAX).contains(&size) {
            return Err(SchedulerError::validation(format!("MaxResults must be 1 to {PAGE_MAX}: {size}")));
        }
        let start = number("NextToken")?.unwrap_or(0);
        let mut rest = items.skip(start);
        let found: Vec<_> = rest.by_ref().take(size).collect();
        let mut answer = json!({name: found});
        if rest.next().is_some() {
            answer["NextToken"] = json!((start + size).to_string());
        }
        Ok(Json(answer))
    }
}

/// The body's members and its client token.
fn members(body: &[u8]) -> Result<(Map<String, Value>, Option<String>), SchedulerError> {
    let body = if body.is_empty() { b"{}" } else { body };
    let mut members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| SchedulerError::validation(format!("The request is not valid: {error}")))?;
    let token = members.remove("ClientToken").and_then(|token| token.as_str().map(str::to_owned));
    check_token(token.as_deref())?;
    Ok((members, token))
}

fn check_token(token: Option<&str>) -> Result<(), SchedulerError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    match token {
        Some(token) if token.is_empty() || token.len() > TOKEN_MAX_CHARS || !token.chars().all(allowed) => {
            Err(SchedulerError::validation(format!("Value '{token}' at 'clientToken' is not valid")))
        }
        _ => Ok(()),
    }
}

/// A member that is not known is refused by its name.
fn schedule(name: String, mut members: Map<String, Value>) -> Result<Schedule, SchedulerError> {
    members.insert("Name".to_owned(), Value::String(name));
    serde_json::from_value(Value::Object(members))
        .map_err(|error| SchedulerError::validation(format!("The request is not valid: {error}")))
}

async fn create(State(scheduler): State<Scheduler>, Path(name): Path<String>, body: Bytes) -> Answer {
    let (members, token) = members(&body)?;
    let schedule = schedule(name, members)?;
    let request = json!(schedule).to_string();
    let (group, name) = (schedule.group_name.clone(), schedule.name.clone());
    if scheduler.store().is_repeated("CreateSchedule", token.as_deref(), &request)? {
        let arn = scheduler.store().schedule(&group, &name)?.arn.clone();
        return Ok(Json(json!({"ScheduleArn": arn})));
    }
    let arn = scheduler.create(schedule)?;
    scheduler.store().remember("CreateSchedule", token.as_deref(), request);
    Ok(Json(json!({"ScheduleArn": arn})))
}

async fn update(State(scheduler): State<Scheduler>, Path(name): Path<String>, body: Bytes) -> Answer {
    let (members, token) = members(&body)?;
    let schedule = schedule(name, members)?;
    let request = json!(schedule).to_string();
    if scheduler.store().is_repeated("UpdateSchedule", token.as_deref(), &request)? {
        let arn = scheduler.store().schedule(&schedule.group_name, &schedule.name)?.arn.clone();
        return Ok(Json(json!({"ScheduleArn": arn})));
    }
    let arn = scheduler.update(schedule)?;
    scheduler.store().remember("UpdateSchedule", token.as_deref(), request);
    Ok(Json(json!({"ScheduleArn": arn})))
}

async fn get_schedule(State(scheduler): State<Scheduler>, Path(name): Path<String>, query: RawQuery) -> Answer {
    let query = Query::new(query);
    check_name("name", &name)?;
    let store = scheduler.store();
    let stored = store.schedule(query.group()?, &name)?;
    let mut described = json!(stored.schedule);
    described["Arn"] = json!(stored.arn);
    described["CreationDate"] = json!(seconds(stored.created_at));
    described["LastModificationDate"] = json!(seconds(stored.modified_at));
    Ok(Json(described))
}

async fn delete(State(scheduler): State<Scheduler>, Path(name): Path<String>, query: RawQuery) -> Answer {
    let query = Query::new(query);
    let token = query.get("clientToken");
    check_token(token)?;
    check_name("name", &name)?;
    let group = query.group()?;
    let request = format!("{group}/{name}");
    let mut store = scheduler.store();
    if !store.is_repeated("DeleteSchedule", token, &request)? {
        store.delete(group, &name)?;
        store.remember("DeleteSchedule", token, request);
    }
    Ok(Json(json!({})))
}

async fn list(State(scheduler): State<Scheduler>, query: RawQuery) -> Answer {
    let query = Query::new(query);
    let (group, prefix) = (query.get("ScheduleGroup"), query.prefix()?);
    let state = match query.get("State") {
        None => None,
        Some("ENABLED") => Some(ScheduleState::Enabled),
        Some("DISABLED") => Some(ScheduleState::Disabled),
        Some(other) => return Err(SchedulerError::validation(format!("State must be ENABLED or DISABLED: {other}"))),
    };
    let store = scheduler.store();
    if let Some(group) = group {
        check_name("groupName", group)?;
        store.group(group)?;
    }
    let found = store.schedules.values().filter(|Stored { schedule, .. }| {
        group.is_none_or(|group| schedule.group_name == group)
            && schedule.name.starts_with(prefix)
            && state.is_none_or(|state| schedule.state == state)
    });
    query.page("Schedules", found.map(summary))
}

fn summary(stored: &Stored) -> Value {
    json!({
        "Arn": stored.arn,
        "Name": stored.schedule.name,
        "GroupName": stored.schedule.group_name,
        "State": stored.schedule.state,
        "CreationDate": seconds(stored.created_at),
        "LastModificationDate": seconds(stored.modified_at),
        "Target": {"Arn": stored.schedule.target.arn},
    })
}

async fn create_group(State(scheduler): State<Scheduler>, Path(name): Path<String>, body: Bytes) -> Answer {
    let (mut members, token) = members(&body)?;
    let tags = tags(members.remove("Tags").unwrap_or_else(|| json!([])))?;
    if let Some(unknown) = members.keys().next() {
        return Err(SchedulerError::validation(format!("The local cloud does not know {unknown} of a group")));
    }
    check_name("name", &name)?;
    check_tags(&tags)?;
    let request = json!([name, tags]).to_string();
    if scheduler.store().is_repeated("CreateScheduleGroup", token.as_deref(), &request)? {
        let arn = scheduler.store().group(&name)?.arn.clone();
        return Ok(Json(json!({"ScheduleGroupArn": arn})));
    }
    let arn = scheduler.create_group(&name, tags)?;
    scheduler.store().remember("CreateScheduleGroup", token.as_deref(), request);
    Ok(Json(json!({"ScheduleGroupArn": arn})))
}

async fn get_group(State(scheduler): State<Scheduler>, Path(name): Path<String>) -> Answer {
    check_name("name", &name)?;
    scheduler.store().group(&name).map(|group| Json(described(group)))
}

async fn delete_group(State(scheduler): State<Scheduler>, Path(name): Path<String>, query: RawQuery) -> Answer {
    let query = Query::new(query);
    let token = query.get("clientToken");
    check_token(token)?;
    check_name("name", &name)?;
    let mut store = scheduler.store();
    if !store.is_repeated("DeleteScheduleGroup", token, &name)? {
        store.delete_group(&name)?;
        store.remember("DeleteScheduleGroup", token, name);
    }
    Ok(Json(json!({})))
}

async fn list_groups(State(scheduler): State<Scheduler>, query: RawQuery) -> Answer {
    let query = Query::new(query);
    let prefix = query.prefix()?;
    let store = scheduler.store();
    query.page("ScheduleGroups", store.groups.values().filter(|group| group.name.starts_with(prefix)).map(described))
}

fn described(group: &Group) -> Value {
    json!({
        "Arn": group.arn,
        "Name": group.name,
        "State": "ACTIVE",
        "CreationDate": seconds(group.created_at),
        "LastModificationDate": seconds(group.modified_at),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

fn tags(list: Value) -> Result<BTreeMap<String, String>, SchedulerError> {
    let tags: Vec<Tag> = serde_json::from_value(list)
        .map_err(|error| SchedulerError::validation(format!("Tags are not valid: {error}")))?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

async fn list_tags(State(scheduler): State<Scheduler>, Path(arn): Path<String>) -> Answer {
    let mut store = scheduler.store();
    let tags = &store.tagged(&arn)?.tags;
    let tags: Vec<_> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(Json(json!({"Tags": tags})))
}

async fn tag(State(scheduler): State<Scheduler>, Path(arn): Path<String>, body: Bytes) -> Answer {
    let (mut members, _) = members(&body)?;
    let added = tags(members.remove("Tags").unwrap_or(Value::Null))?;
    check_tags(&added)?;
    let now = scheduler.clock.now();
    let mut store = scheduler.store();
    let group = store.tagged(&arn)?;
    let mut joined = group.tags.clone();
    joined.extend(added);
    check_tags(&joined)?;
    (group.tags, group.modified_at) = (joined, now);
    Ok(Json(json!({})))
}

async fn untag(State(scheduler): State<Scheduler>, Path(arn): Path<String>, query: RawQuery) -> Answer {
    let query = Query::new(query);
    let keys: Vec<_> = query.0.iter().filter(|(name, _)| name == "TagKeys").map(|(_, key)| key).collect();
    if keys.is_empty() {
        return Err(SchedulerError::validation("The request must contain the parameter TagKeys"));
    }
    keys.iter().try_for_each(|key| check_length("tagKeys", key, TAG_KEY_CHARS))?;
    let now = scheduler.clock.now();
    let mut store = scheduler.store();
    let group = store.tagged(&arn)?;
    group.tags.retain(|key, _| !keys.contains(&key));
    group.modified_at = now;
    Ok(Json(json!({})))
}
