//! Actions on replays.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Filtered, WireTime, page, seconds, without_nulls};
use crate::events::bus::check_name;
use crate::events::replay::{Replay, ReplayState};
use crate::events::{EventBridge, EventsError};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct StartReplay {
    replay_name: String,
    #[serde(default)]
    description: Option<String>,
    event_source_arn: String,
    event_start_time: WireTime,
    event_end_time: WireTime,
    destination: Destination,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Destination {
    arn: String,
    #[serde(default)]
    filter_arns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct NamedReplay {
    replay_name: String,
}

pub(super) fn start(events: &EventBridge, request: StartReplay) -> Result<Value, EventsError> {
    check_name("Replay name", &request.replay_name, 64, "._-")?;
    let (event_start, event_end) = (request.event_start_time.instant()?, request.event_end_time.instant()?);
    if event_start >= event_end {
        return Err(invalid("EventEndTime", "EventStartTime must be before EventEndTime."));
    }
    let name = request.replay_name.clone();
    let answer = {
        let mut buses = events.buses();
        let Destination { arn: bus_arn, filter_arns } = request.destination;
        if !bus_arn.starts_with("arn:") || !bus_arn.contains(":event-bus/") {
            return Err(invalid("Destination.Arn", "Must contain an event bus ARN."));
        }
        let bus = buses.bus(&events.account, &bus_arn)?;
        if let Some(arn) = filter_arns.iter().find(|arn| !bus.rules.values().any(|rule| rule.arn == **arn)) {
            return Err(invalid("Destination.FilterArns", &format!("Rule {arn} does not exist on the event bus.")));
        }
        let archive = buses.archives.values().find(|archive| archive.arn == request.event_source_arn);
        let Some(archive) = archive else {
            let name = request.event_source_arn.rsplit('/').next().unwrap_or_default();
            return Err(invalid("EventSourceArn", &format!("Archive {name} does not exist.")));
        };
        if archive.archive.bus_arn != bus_arn {
            return Err(invalid("Destination.Arn", "Cross event bus replay is not permitted."));
        }
        let replay = Replay {
            arn: events.account.arn("events", &format!("replay/{name}")),
            name: request.replay_name,
            description: request.description,
            archive_arn: request.event_source_arn,
            bus_arn,
            filter_arns,
            event_start,
            event_end,
            state: ReplayState::Starting,
            state_reason: None,
            last_replayed: None,
            started_at: events.clock.now(),
            ended_at: None,
        };
        let mut answer = state(&replay);
        answer["ReplayStartTime"] = json!(seconds(replay.started_at));
        buses.add_replay(replay)?;
        answer
    };
    events.begin_replay(&name)?;
    Ok(answer)
}

fn invalid(parameter: &str, reason: &str) -> EventsError {
    EventsError::validation(format!("Parameter {parameter} is not valid. Reason: {reason}"))
}

pub(super) fn describe(events: &EventBridge, request: &NamedReplay) -> Result<Value, EventsError> {
    let buses = events.buses();
    let replay = buses.replay(&request.replay_name)?;
    let mut described = summary(replay);
    described["ReplayArn"] = json!(replay.arn);
    described["Description"] = json!(replay.description);
    let filters = (!replay.filter_arns.is_empty()).then_some(&replay.filter_arns);
    described["Destination"] = without_nulls(json!({"Arn": replay.bus_arn, "FilterArns": filters}));
    Ok(without_nulls(described))
}

pub(super) fn list(events: &EventBridge, request: &Filtered) -> Result<Value, EventsError> {
    request.check("ListReplays", &ReplayState::ALL.map(ReplayState::name))?;
    let buses = events.buses();
    let replays = buses.replays.values();
    let replays = replays.filter(|replay| request.takes(&replay.name, &replay.archive_arn, replay.state.name()));
    let (found, next) = page(replays.map(summary).collect(), request.next_token.as_deref(), request.limit)?;
    Ok(without_nulls(json!({"Replays": found, "NextToken": next})))
}

pub(super) fn cancel(events: &EventBridge, request: &NamedReplay) -> Result<Value, EventsError> {
    events.buses().cancel_replay(&request.replay_name).map(state)
}

fn state(replay: &Replay) -> Value {
    without_nulls(json!({
        "ReplayArn": replay.arn,
        "State": replay.state.name(),
        "StateReason": replay.state_reason,
    }))
}

fn summary(replay: &Replay) -> Value {
    without_nulls(json!({
        "ReplayName": replay.name,
        "EventSourceArn": replay.archive_arn,
        "State": replay.state.name(),
        "StateReason": replay.state_reason,
        "EventStartTime": seconds(replay.event_start),
        "EventEndTime": seconds(replay.event_end),
        "EventLastReplayedTime": replay.last_replayed.map(seconds),
        "ReplayStartTime": seconds(replay.started_at),
        "ReplayEndTime": replay.ended_at.map(seconds),
    }))
}
