//! PutEvents: what is taken, what is refused, and what an event looks like.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, Finding, List, Outcome, holds, same};
use crate::conformance::request::{EVENTS, Request};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const PUT: &str = "APIReference/API_PutEvents.html";
const ENTRY: &str = "APIReference/API_PutEventsRequestEntry.html";
const RESULT: &str = "APIReference/API_PutEventsResultEntry.html";
const EVENT: &str = "userguide/eb-events-structure.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("event-fields", "A routed event has the documented fields, and its id is the one answered", EVENT, fields)
        .add("event-time", "An entry's Time is the event's time, to the second", ENTRY, time)
        .add("event-resources", "An entry's Resources are the event's", ENTRY, resources)
        .add("entry-missing", "An entry without Source, DetailType or Detail fails by itself", RESULT, missing)
        .add("entry-malformed", "An entry whose Detail is no JSON object fails with MalformedDetail", RESULT, malformed)
        .add(
            "entry-aws-source",
            "An entry whose source begins with aws. fails with NotAuthorizedForSource",
            RESULT,
            aws_source,
        )
        .add("entries-max", "More than 10 entries are refused", PUT, entries_max)
        .add("entries-none", "A request without entries is refused", PUT, entries_none)
        .add("entries-size", "Entries of more than 1 MB together are refused", "userguide/eb-putevents.html", size)
        .add("default-bus", "An entry without a bus goes to the bus default", ENTRY, default_bus)
        .done()
}

/// The event that a rule for all events routes to a queue, after this entry was put.
async fn routed(session: &Session, mut entry: Value) -> Result<(Value, Value), Finding> {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    session.rule(&bus, &json!({"version": ["0"]}), &[json!({"Arn": queue.arn})]).await?;
    entry["EventBusName"] = bus.into();
    let answer = session.call(EVENTS, "PutEvents", json!({"Entries": [entry]})).await?;
    same("FailedEntryCount", &answer["FailedEntryCount"], &json!(0))?;
    let event = serde_json::from_str(&text(&queue.next().await?["Body"])).unwrap_or_default();
    Ok((answer, event))
}

fn entry() -> Value {
    json!({"Source": "shop", "DetailType": "order placed", "Detail": "{\"n\":1}"})
}

async fn fields(session: Session) -> Outcome {
    let (answer, event) = routed(&session, entry()).await?;
    same("id", &event["id"], &answer["Entries"][0]["EventId"])?;
    same("version", &event["version"], &json!("0"))?;
    same("detail-type", &event["detail-type"], &json!("order placed"))?;
    same("source", &event["source"], &json!("shop"))?;
    same("detail", &event["detail"], &json!({"n": 1}))?;
    same("resources", &event["resources"], &json!([]))?;
    for field in ["account", "region", "time"] {
        holds(event[field].is_string(), format!("the event has no {field}: {event}"))?;
    }
    same("number of fields", event.as_object().map(serde_json::Map::len), Some(9))
}

async fn time(session: Session) -> Outcome {
    let mut entry = entry();
    entry["Time"] = json!(1_700_000_000);
    let (_, event) = routed(&session, entry).await?;
    same("time", text(&event["time"]), "2023-11-14T22:13:20Z")
}

async fn resources(session: Session) -> Outcome {
    let mut entry = entry();
    entry["Resources"] = json!(["arn:aws:s3:::bucket"]);
    let (_, event) = routed(&session, entry).await?;
    same("resources", &event["resources"], &json!(["arn:aws:s3:::bucket"]))
}

/// Between two good entries, `bad` fails with one of these codes, and alone.
async fn fails_alone(session: &Session, bad: Value, codes: &[&str]) -> Outcome {
    let request = json!({"Entries": [entry(), bad, entry()]});
    let answer = session.call(EVENTS, "PutEvents", request).await?;
    same("FailedEntryCount", &answer["FailedEntryCount"], &json!(1))?;
    let code = text(&answer["Entries"][1]["ErrorCode"]);
    holds(codes.contains(&code.as_str()), format!("the entry's ErrorCode is {code:?}, not one of {codes:?}"))?;
    holds(answer["Entries"][1]["EventId"].is_null(), "the failed entry has an EventId")?;
    holds(answer["Entries"][2]["EventId"].is_string(), "the entry behind it has no EventId")
}

async fn missing(session: Session) -> Outcome {
    for field in ["Source", "DetailType", "Detail"] {
        let mut bad = entry();
        bad.as_object_mut().map(|entry| entry.remove(field));
        fails_alone(&session, bad, &["InvalidArgument"]).await?;
    }
    Ok(())
}

async fn malformed(session: Session) -> Outcome {
    for detail in ["not JSON", "[1]"] {
        let mut bad = entry();
        bad["Detail"] = detail.into();
        fails_alone(&session, bad, &["MalformedDetail"]).await?;
    }
    Ok(())
}

async fn aws_source(session: Session) -> Outcome {
    let mut bad = entry();
    bad["Source"] = "aws.s3".into();
    fails_alone(&session, bad, &["NotAuthorizedForSource", "NotAuthorizedForSourceException"]).await
}

async fn refused(session: &Session, entries: Vec<Value>) -> Outcome {
    let reply = session.send(Request::json(EVENTS, "PutEvents", &json!({"Entries": entries}))).await?;
    reply.refusal(&["ValidationException"]).map(drop)
}

async fn entries_max(session: Session) -> Outcome {
    refused(&session, vec![entry(); 11]).await
}

async fn entries_none(session: Session) -> Outcome {
    refused(&session, Vec::new()).await
}

async fn size(session: Session) -> Outcome {
    let mut large = entry();
    large["Detail"] = json!({"text": "x".repeat(600 * 1024)}).to_string().into();
    refused(&session, vec![large.clone(), large]).await
}

async fn default_bus(session: Session) -> Outcome {
    let queue = session.queue(json!({})).await?;
    let source = session.name();
    session.rule("default", &json!({ "source": [source] }), &[json!({"Arn": queue.arn})]).await?;
    let mut entry = entry();
    entry["Source"] = source.clone().into();
    session.call(EVENTS, "PutEvents", json!({"Entries": [entry]})).await?;
    let event: Value = serde_json::from_str(&text(&queue.next().await?["Body"])).unwrap_or_default();
    same("source", text(&event["source"]), source)
}
