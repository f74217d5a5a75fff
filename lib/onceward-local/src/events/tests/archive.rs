//! Archives and replays.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{call, cloud, entry, receive, refused, rule, target, timed_cloud};
use crate::endpoint::Services;
use crate::events::{Entry, EventBridge, Rule};

const BUS: &str = "arn:aws:events:eu-west-1:000000000000:event-bus/default";
const ARCHIVE: &str = "arn:aws:events:eu-west-1:000000000000:archive/a";

async fn archive(events: &EventBridge, more: Value) -> Value {
    let mut request = json!({"ArchiveName": "a", "EventSourceArn": BUS});
    for (name, value) in more.as_object().unwrap() {
        request[name] = value.clone();
    }
    call(events, "CreateArchive", request).await.unwrap()
}

fn replay(name: &str) -> Value {
    json!({
        "ReplayName": name,
        "EventSourceArn": ARCHIVE,
        "EventStartTime": 1_767_225_600, // 2026-01-01T00:00:00Z
        "EventEndTime": 1_767_232_800, // two hours later
        "Destination": {"Arn": BUS},
    })
}

async fn count(events: &EventBridge) -> Value {
    call(events, "DescribeArchive", json!({"ArchiveName": "a"})).await.unwrap()["EventCount"].clone()
}

/// Bodies of what is in the queue, which is then empty.
async fn drain(services: &Services, queue: &str) -> Vec<Value> {
    let mut bodies = Vec::new();
    for message in receive(&services.sqs, queue).await {
        services.sqs.delete(queue, &message.receipt_handle).unwrap();
        bodies.push(serde_json::from_str(&message.body).unwrap());
    }
    bodies
}

#[tokio::test]
async fn an_archive_is_created_described_listed_updated_and_deleted() {
    let (events, _sqs) = cloud(&[]);
    let pattern = r#"{"source": ["shop.orders"]}"#;
    let created = archive(&events, json!({"EventPattern": pattern, "RetentionDays": 1, "Description": "d"})).await;
    assert_eq!((&created["ArchiveArn"], &created["State"]), (&json!(ARCHIVE), &json!("ENABLED")));
    events.put_event(entry("x", "{}")).unwrap();
    events.put_event(Entry { source: "other".to_owned(), ..entry("x", "{}") }).unwrap();
    let described = call(&events, "DescribeArchive", json!({"ArchiveName": "a"})).await.unwrap();
    let size = described["SizeBytes"].as_u64().unwrap();
    assert!(size > 100, "{size}");
    let expected = json!({
        "ArchiveName": "a",
        "ArchiveArn": ARCHIVE,
        "EventSourceArn": BUS,
        "Description": "d",
        "EventPattern": pattern,
        "State": "ENABLED",
        "RetentionDays": 1,
        "SizeBytes": size,
        "EventCount": 1,
        "CreationTime": created["CreationTime"],
    });
    assert_eq!(described, expected);
    for (filter, found) in [
        (json!({}), 1),
        (json!({"NamePrefix": "a"}), 1),
        (json!({"NamePrefix": "b"}), 0),
        (json!({"EventSourceArn": BUS}), 1),
        (json!({"State": "DISABLED"}), 0),
    ] {
        let listed = call(&events, "ListArchives", filter.clone()).await.unwrap();
        assert_eq!(listed["Archives"].as_array().unwrap().len(), found, "{filter}");
    }
    let (_, message) = refused(&events, "ListArchives", json!({"NamePrefix": "a", "State": "ENABLED"})).await;
    assert!(message.starts_with("At most one filter is allowed for ListArchives."), "{message}");

    call(&events, "UpdateArchive", json!({"ArchiveName": "a", "RetentionDays": 7})).await.unwrap();
    let described = call(&events, "DescribeArchive", json!({"ArchiveName": "a"})).await.unwrap();
    assert_eq!((&described["RetentionDays"], &described["EventPattern"]), (&json!(7), &json!(pattern)));
    call(&events, "DeleteArchive", json!({"ArchiveName": "a"})).await.unwrap();
    for action in ["DescribeArchive", "UpdateArchive", "DeleteArchive"] {
        let (code, message) = refused(&events, action, json!({"ArchiveName": "a"})).await;
        assert_eq!((code.as_str(), message.as_str()), ("ResourceNotFoundException", "Archive a does not exist."));
    }
}

#[tokio::test]
async fn an_archive_that_cannot_be_is_refused() {
    let (events, _sqs) = cloud(&[]);
    archive(&events, json!({})).await;
    let again = json!({"ArchiveName": "a", "EventSourceArn": BUS});
    let (code, message) = refused(&events, "CreateArchive", again).await;
    assert_eq!((code.as_str(), message.as_str()), ("ResourceAlreadyExistsException", "Archive a already exists."));
    let rows = [
        (
            json!({"EventSourceArn": BUS.replace("default", "none")}),
            "ResourceNotFoundException",
            "Event bus none does not",
        ),
        (json!({"EventPattern": "{"}), "InvalidEventPatternException", "not valid JSON"),
        (json!({"ArchiveName": "b".repeat(49)}), "ValidationException", "archiveName"),
        (json!({"KmsKeyIdentifier": "k"}), "ValidationException", "KmsKeyIdentifier"),
    ];
    for (more, code, words) in rows {
        let mut request = json!({"ArchiveName": "b", "EventSourceArn": BUS});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (found, message) = refused(&events, "CreateArchive", request).await;
        assert!(found == code && message.contains(words), "{more}: {found}: {message}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_archive_keeps_an_event_for_its_days() {
    let services = timed_cloud(&[]);
    archive(&services.events, json!({"RetentionDays": 2})).await;
    services.events.put_event(entry("x", "{}")).unwrap();
    sleep(Duration::from_hours(47)).await;
    services.events.put_event(entry("x", "{}")).unwrap();
    assert_eq!(count(&services.events).await, 2);
    sleep(Duration::from_hours(1)).await;
    assert_eq!(count(&services.events).await, 1);
    call(&services.events, "UpdateArchive", json!({"ArchiveName": "a", "RetentionDays": 0})).await.unwrap();
    sleep(Duration::from_hours(24 * 400)).await;
    assert_eq!(count(&services.events).await, 1, "0 is for ever");
}

#[tokio::test(start_paused = true)]
async fn a_replay_sends_the_events_of_a_time_again_and_says_so() {
    let services = timed_cloud(&["work", "other"]);
    let Services { events, sqs, .. } = &services;
    let rule_arn = events.put_rule(rule("some", &json!({"source": ["shop.orders"]}))).unwrap();
    events.put_target("", "some", target(&sqs.arn("work"))).unwrap();
    events.put_rule(rule("fresh", &json!({"source": ["shop.orders"], "replay-name": [{"exists": false}]}))).unwrap();
    events.put_target("", "fresh", target(&sqs.arn("other"))).unwrap();
    archive(events, json!({})).await;
    let at = |second: i64| chrono::DateTime::from_timestamp(1_767_225_600 + second, 0);
    for second in [-1, 0, 60, 7_200, 7_201] {
        events.put_event(Entry { time: at(second), ..entry("x", &format!(r#"{{"at":{second}}}"#)) }).unwrap();
    }
    let first = drain(&services, "work").await;
    assert_eq!(drain(&services, "other").await.len(), 5);

    let started = call(events, "StartReplay", replay("again")).await.unwrap();
    assert_eq!(started["State"], "STARTING");
    assert_eq!(started["ReplayArn"], "arn:aws:events:eu-west-1:000000000000:replay/again");
    sleep(Duration::from_mins(1)).await;
    let mut again = drain(&services, "work").await;
    again.sort_by_key(|event| event["detail"]["at"].as_i64());
    let mut expected: Vec<_> =
        first.iter().filter(|event| (0..=7_200).contains(&event["detail"]["at"].as_i64().unwrap())).cloned().collect();
    expected.sort_by_key(|event| event["detail"]["at"].as_i64());
    for event in &mut expected {
        event["replay-name"] = json!("again");
    }
    assert_eq!(again, expected, "with their ids, times and details");
    assert!(drain(&services, "other").await.is_empty(), "a pattern can tell a replay");
    assert_eq!(count(events).await, 5, "a replay is not archived");

    let described = call(events, "DescribeReplay", json!({"ReplayName": "again"})).await.unwrap();
    assert_eq!((&described["State"], &described["Destination"]), (&json!("COMPLETED"), &json!({"Arn": BUS})));
    assert_eq!(described["EventLastReplayedTime"], 1_767_232_800.0);
    assert!(described["ReplayEndTime"].as_f64() > described["ReplayStartTime"].as_f64());
    let mut filtered = replay("filtered");
    filtered["Destination"]["FilterArns"] = json!([rule_arn]);
    call(events, "StartReplay", filtered).await.unwrap();
    sleep(Duration::from_mins(1)).await;
    assert_eq!(drain(&services, "work").await.len(), 3);
    let listed = call(events, "ListReplays", json!({"State": "COMPLETED", "Limit": 1})).await.unwrap();
    assert_eq!((&listed["Replays"][0]["ReplayName"], listed["NextToken"].is_string()), (&json!("again"), true));
}

#[tokio::test]
async fn a_list_of_replays_is_filtered_by_one_state_that_there_is() {
    let services = timed_cloud(&[]);
    let listed =
        async |request| call(&services.events, "ListReplays", request).await.map_err(|(_, error)| error.to_string());
    assert_eq!(listed(json!({"State": "CANCELLED"})).await, Ok(json!({"Replays": []})));
    let unknown = listed(json!({"State": "DONE"})).await.unwrap_err();
    assert!(unknown.contains("STARTING, RUNNING, CANCELLING, COMPLETED, CANCELLED, FAILED"), "{unknown}");
    let two = listed(json!({"State": "FAILED", "NamePrefix": "a"})).await.unwrap_err();
    assert!(two.contains("At most one filter"), "{two}");
}

#[tokio::test(start_paused = true)]
async fn a_replay_goes_only_to_the_rules_it_names() {
    let services = timed_cloud(&["work", "other"]);
    let Services { events, sqs, .. } = &services;
    let mut arns = Vec::new();
    for queue in ["work", "other"] {
        arns.push(events.put_rule(rule(queue, &json!({"source": ["shop.orders"]}))).unwrap());
        events.put_target("", queue, target(&sqs.arn(queue))).unwrap();
    }
    archive(events, json!({})).await;
    events.put_event(entry("x", "{}")).unwrap();
    assert_eq!((drain(&services, "work").await.len(), drain(&services, "other").await.len()), (1, 1));
    let mut request = replay("again");
    request["Destination"]["FilterArns"] = json!([arns[1]]);
    call(events, "StartReplay", request).await.unwrap();
    sleep(Duration::from_mins(1)).await;
    assert_eq!((drain(&services, "work").await.len(), drain(&services, "other").await.len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_replay_can_be_cancelled_while_it_is_not_over() {
    let services = timed_cloud(&["work"]);
    let events = &services.events;
    archive(events, json!({})).await;
    call(events, "StartReplay", replay("again")).await.unwrap();
    let cancelled = call(events, "CancelReplay", json!({"ReplayName": "again"})).await.unwrap();
    assert_eq!(cancelled["State"], "CANCELLING");
    sleep(Duration::from_mins(1)).await;
    let described = call(events, "DescribeReplay", json!({"ReplayName": "again"})).await.unwrap();
    assert_eq!(described["State"], "CANCELLED");
    let (code, _) = refused(events, "CancelReplay", json!({"ReplayName": "again"})).await;
    assert_eq!(code, "IllegalStatusException");
    let (code, _) = refused(events, "CancelReplay", json!({"ReplayName": "none"})).await;
    assert_eq!(code, "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_replay_that_cannot_be_is_refused() {
    let services = timed_cloud(&[]);
    let events = &services.events;
    archive(events, json!({})).await;
    let other = events.create_bus("other").unwrap();
    events.put_rule(Rule { bus: other.clone(), ..rule("r", &json!({"source": ["s"]})) }).unwrap();
    call(events, "StartReplay", replay("taken")).await.unwrap();
    let with = |pointer: &str, value: Value| {
        let mut request = replay("again");
        *request.pointer_mut(pointer).unwrap() = value;
        request
    };
    let none = BUS.replace("default", "none");
    let rows = [
        (replay("taken"), "ResourceAlreadyExistsException", "Replay taken already exists."),
        (with("/Destination/Arn", json!(none)), "ResourceNotFoundException", "Event bus none does not exist."),
        (
            with("/Destination/Arn", json!(other)),
            "ValidationException",
            "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
        ),
        (
            with("/Destination/Arn", json!(ARCHIVE)),
            "ValidationException",
            "Parameter Destination.Arn is not valid. Reason: Must contain an event bus ARN.",
        ),
        (
            with("/EventSourceArn", json!(format!("{ARCHIVE}b"))),
            "ValidationException",
            "Parameter EventSourceArn is not valid. Reason: Archive ab does not exist.",
        ),
        (
            with("/EventEndTime", json!(1_767_225_600)),
            "ValidationException",
            "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
        ),
    ];
    for (request, code, message) in rows {
        assert_eq!(refused(events, "StartReplay", request).await, (code.to_owned(), message.to_owned()));
    }
    for count in 1.. {
        let (code, _) = match call(events, "StartReplay", replay(&format!("r{count}"))).await {
            Ok(_) => continue,
            Err((_, body)) => (body["__type"].clone(), count),
        };
        assert_eq!((code, count), (json!("LimitExceededException"), 10), "ten run at a time");
        break;
    }
}
