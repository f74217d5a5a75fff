//! Archives and replays.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, holds, same};
use crate::conformance::request::{EVENTS, Request};
use crate::conformance::resources::{Queue, text};
use crate::conformance::session::Session;

const ARCHIVE: &str = "APIReference/API_CreateArchive.html";
const REPLAY: &str = "APIReference/API_StartReplay.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("archive", "An archive is described with its bus, pattern, retention and state", ARCHIVE, archive)
        .add(
            "archive-twice",
            "Creating an archive again is refused with ResourceAlreadyExistsException",
            ARCHIVE,
            archive_twice,
        )
        .add(
            "archive-unknown-bus",
            "An archive of a bus that does not exist is refused with ResourceNotFoundException",
            ARCHIVE,
            unknown_bus,
        )
        .add(
            "replay",
            "A replay sends the archived events that match again, each with the replay's name",
            "userguide/eb-replay-archived-event.html",
            replay,
        )
        .add("replay-times", "A replay that ends before it starts is refused with ValidationException", REPLAY, times)
        .add("replay-unknown-archive", "A replay of an archive that does not exist is refused", REPLAY, unknown_archive)
        .done()
}

async fn bus_arn(session: &Session, bus: &str) -> Result<String, Finding> {
    Ok(text(&session.call(EVENTS, "DescribeEventBus", json!({"Name": bus})).await?["Arn"]))
}

/// An archive of the bus's events whose detail has `keep`, and its ARN.
async fn create(session: &Session, bus: &str) -> Result<(String, String), Finding> {
    let name = session.name();
    let pattern = json!({"detail": {"keep": [true]}}).to_string();
    let source = bus_arn(session, bus).await?;
    let request = json!({"ArchiveName": name, "EventSourceArn": source, "EventPattern": pattern, "RetentionDays": 3});
    let answer = session.call(EVENTS, "CreateArchive", request).await?;
    session.clean_up_with(Request::json(EVENTS, "DeleteArchive", &json!({"ArchiveName": name})));
    Ok((name, text(&answer["ArchiveArn"])))
}

async fn archive(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let (name, arn) = create(&session, &bus).await?;
    let described = session.call(EVENTS, "DescribeArchive", json!({"ArchiveName": name})).await?;
    same("ArchiveArn", text(&described["ArchiveArn"]), arn)?;
    same("EventSourceArn", text(&described["EventSourceArn"]), bus_arn(&session, &bus).await?)?;
    same("RetentionDays", &described["RetentionDays"], &json!(3))?;
    same("State", text(&described["State"]), "ENABLED")?;
    let listed = session.call(EVENTS, "ListArchives", json!({"NamePrefix": session.prefix()})).await?;
    same("ArchiveName, listed", text(&listed["Archives"][0]["ArchiveName"]), name)
}

async fn archive_twice(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let (name, _) = create(&session, &bus).await?;
    let request = json!({"ArchiveName": name, "EventSourceArn": bus_arn(&session, &bus).await?});
    session.refuse(EVENTS, "CreateArchive", request, "ResourceAlreadyExistsException").await.map(drop)
}

async fn unknown_bus(session: Session) -> Outcome {
    let arn = bus_arn(&session, "default").await?;
    let arn = arn.replace("/default", &format!("/{}", session.name()));
    let request = json!({"ArchiveName": session.name(), "EventSourceArn": arn});
    session.refuse(EVENTS, "CreateArchive", request, "ResourceNotFoundException").await.map(drop)
}

/// The first event in the queue, deleted.
async fn next_event(queue: &Queue) -> Result<Value, Finding> {
    let message = queue.next().await?;
    queue.delete(&message).await?;
    Ok(serde_json::from_str(&text(&message["Body"])).unwrap_or_default())
}

/// A replay of whatever the archive has, over a day around now.
async fn start(session: &Session, archive: &str, bus: &str) -> Result<String, Finding> {
    const DAY_S: i64 = 86_400;
    let (name, now) = (session.name(), chrono::Utc::now().timestamp());
    let request = json!({
        "ReplayName": name, "EventSourceArn": archive, "EventStartTime": now - DAY_S, "EventEndTime": now + DAY_S,
        "Destination": {"Arn": bus_arn(session, bus).await?},
    });
    session.call(EVENTS, "StartReplay", request).await?;
    Ok(name)
}

async fn replay(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let (archive, arn) = create(&session, &bus).await?;
    session.rule(&bus, &json!({"source": ["conformance"]}), &[json!({"Arn": queue.arn})]).await?;
    session.put_event(&bus, &json!({"keep": false})).await?;
    session.put_event(&bus, &json!({"keep": true})).await?;
    for _ in 0..2 {
        let event = next_event(&queue).await?;
        holds(event["replay-name"].is_null(), "an event that was not replayed has a replay-name")?;
    }
    let archived = async || {
        let described = session.call(EVENTS, "DescribeArchive", json!({"ArchiveName": archive})).await?;
        Ok((described["EventCount"] == 1).then_some(()))
    };
    session.eventually("the archive counts the one event that matches", archived).await?;
    let name = start(&session, &arn, &bus).await?;
    let event = next_event(&queue).await?;
    same("replay-name", text(&event["replay-name"]), name.as_str())?;
    same("detail", &event["detail"], &json!({"keep": true}))?;
    let completed = async || {
        let described = session.call(EVENTS, "DescribeReplay", json!({"ReplayName": name})).await?;
        Ok((described["State"] == "COMPLETED").then_some(()))
    };
    session.eventually("the replay is COMPLETED", completed).await?;
    queue.stays_empty("one event was archived").await
}

async fn times(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let (_, arn) = create(&session, &bus).await?;
    let destination = json!({"Arn": bus_arn(&session, &bus).await?});
    let request = json!({
        "ReplayName": session.name(), "EventSourceArn": arn, "EventStartTime": 1_700_000_100,
        "EventEndTime": 1_700_000_000, "Destination": destination,
    });
    session.refuse(EVENTS, "StartReplay", request, "ValidationException").await.map(drop)
}

async fn unknown_archive(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let arn = bus_arn(&session, &bus).await?;
    let archive = arn.replace(":event-bus/", ":archive/");
    let request = json!({
        "ReplayName": session.name(), "EventSourceArn": archive, "EventStartTime": 1_700_000_000,
        "EventEndTime": 1_700_000_100, "Destination": {"Arn": arn},
    });
    let reply = session.send(Request::json(EVENTS, "StartReplay", &request)).await?;
    reply.refusal(&["ResourceNotFoundException", "ValidationException"]).map(drop)
}
