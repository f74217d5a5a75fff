//! Buses of a data folder.

use chrono::TimeDelta;
use serde_json::json;

use super::*;
use crate::events::Input;
use crate::store::{Store, tests::Folder};

const ORDERS: &str = "arn:aws:events:eu-west-1:000000000000:event-bus/orders";
const ARCHIVE: &str = "arn:aws:events:eu-west-1:000000000000:archive/a";
const RULE: &str = "arn:aws:events:eu-west-1:000000000000:rule/orders/new";

fn open(folder: &Folder, now: DateTime<Utc>) -> Services {
    let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
    let store = Store::open(&folder.0).unwrap();
    let mut services = Services::open(account.clone(), LogSink::discard(), store).unwrap();
    let (destinations, clock) = (services.destinations.clone(), Clock::tokio(now));
    services.events = EventBridge::open_with_clock(account, destinations, &services.store, clock).unwrap();
    services.destinations.connect(services.clone());
    services
}

/// As a process that is killed.
async fn kill(services: Services) {
    services.events.stop();
    services.destinations.disconnect();
    drop(services);
    // Tasks go when the runtime sees them, and the folder's lock with them.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

async fn described(events: &EventBridge) -> Vec<Value> {
    let mut described = Vec::new();
    for (action, request) in [
        ("DescribeEventBus", json!({"Name": "orders"})),
        ("DescribeRule", json!({"Name": "new", "EventBusName": "orders"})),
        ("DescribeRule", json!({"Name": "tick"})),
        ("ListTargetsByRule", json!({"Rule": "new", "EventBusName": "orders"})),
        ("ListTagsForResource", json!({"ResourceARN": RULE})),
        ("DescribeArchive", json!({"ArchiveName": "a"})),
        ("DescribeReplay", json!({"ReplayName": "done"})),
    ] {
        described.push(call(events, action, request).await.unwrap());
    }
    described
}

fn replay(name: &str) -> Value {
    json!({
        "ReplayName": name,
        "EventSourceArn": ARCHIVE,
        "EventStartTime": start().timestamp() - 3_600,
        "EventEndTime": start().timestamp() + 7_200,
        "Destination": {"Arn": ORDERS},
    })
}

async fn ended(events: &EventBridge, name: &str) -> Value {
    loop {
        let described = call(events, "DescribeReplay", json!({"ReplayName": name})).await.unwrap();
        if !["STARTING", "RUNNING"].contains(&described["State"].as_str().unwrap()) {
            return described;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn buses_rules_targets_tags_archives_and_replays_outlive_the_process() {
    let folder = Folder::new();
    let services = open(&folder, start());
    services.sqs.create_queue("work", &BTreeMap::new()).unwrap();
    let events = &services.events;
    call(events, "CreateEventBus", json!({"Name": "orders", "Description": "d"})).await.unwrap();
    let permission = json!({"EventBusName": "orders", "StatementId": "s", "Action": "events:PutEvents", "Principal": "111122223333"});
    call(events, "PutPermission", permission).await.unwrap();
    let new = json!({
        "Name": "new", "EventBusName": "orders", "Description": "r", "Tags": [{"Key": "k", "Value": "v"}],
        "EventPattern": r#"{"detail": {"n": [{"numeric": [">", 1]}]}}"#,
    });
    call(events, "PutRule", new).await.unwrap();
    call(events, "PutRule", json!({"Name": "tick", "ScheduleExpression": "rate(1 day)"})).await.unwrap();
    let paths = [("n".to_owned(), "$.detail.n".to_owned())].into();
    let input = Some(Input::Transformer { paths, template: "<n>".to_owned() });
    events.put_target("orders", "new", Target { input, ..target(&services.sqs.arn("work")) }).unwrap();
    let archive = json!({"ArchiveName": "a", "EventSourceArn": ORDERS, "RetentionDays": 1, "EventPattern": r#"{"source": ["shop.orders"]}"#});
    call(events, "CreateArchive", archive).await.unwrap();
    let put = |events: &EventBridge, detail: &str| {
        events.put_event(Entry { bus: "orders".to_owned(), ..entry("x", detail) }).unwrap();
    };
    put(events, r#"{"n": 2}"#);
    put(events, r#"{"n": 1}"#);
    call(events, "StartReplay", replay("done")).await.unwrap();
    ended(events, "done").await;
    call(events, "StartReplay", replay("cut off")).await.unwrap_err();
    call(events, "StartReplay", replay("cut-off")).await.unwrap();
    let before = described(events).await;
    kill(services).await;

    let services = open(&folder, start() + TimeDelta::hours(1));
    services.events.resume();
    let events = &services.events;
    assert_eq!(described(events).await, before);
    let cut_off = call(events, "DescribeReplay", json!({"ReplayName": "cut-off"})).await.unwrap();
    assert_eq!((&cut_off["State"], &cut_off["StateReason"]), (&json!("FAILED"), &json!("The local cloud went down.")));
    put(events, r#"{"n": 3}"#);
    put(events, r#"{"n": 0}"#);
    call(events, "StartReplay", replay("again")).await.unwrap();
    assert_eq!(ended(events, "again").await["State"], "COMPLETED");
    let received = receive(&services.sqs, "work").await;
    let mut bodies: Vec<_> = received.iter().map(|message| message.body.as_str()).collect();
    bodies.sort_unstable();
    assert_eq!(bodies, ["2", "2", "2", "3", "3"], "put, replayed, replayed after the restart");
    kill(services).await;

    let services = open(&folder, start() + TimeDelta::minutes(24 * 60 + 30));
    let count = async |events: &EventBridge| {
        call(events, "DescribeArchive", json!({"ArchiveName": "a"})).await.unwrap()["EventCount"].clone()
    };
    assert_eq!(count(&services.events).await, 2, "the first two are too old");
    services.events.delete_archive("a").unwrap();
    let archive = json!({"ArchiveName": "a", "EventSourceArn": ORDERS});
    call(&services.events, "CreateArchive", archive).await.unwrap();
    kill(services).await;
    let services = open(&folder, start() + TimeDelta::days(2));
    assert_eq!(count(&services.events).await, 0, "events go with their archive");
    kill(services).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_is_stored_for_itself_without_the_buses() {
    let folder = Folder::new();
    let services = open(&folder, start());
    services.events.create_bus("orders").unwrap();
    let archive = json!({"ArchiveName": "a", "EventSourceArn": ORDERS});
    call(&services.events, "CreateArchive", archive).await.unwrap();
    let mut batch = services.store.batch();
    batch.delete("state", "events");
    services.store.write(&batch);
    services.events.put_event(Entry { bus: "orders".to_owned(), ..entry("x", "{}") }).unwrap();
    let stored = services.store.read::<Value>("state").unwrap();
    assert!(!stored.iter().any(|(name, _)| name == "events"), "the buses did not change");
    let archived = services.store.read::<Value>("events.archived").unwrap();
    assert_eq!(archived[0].0, "a/00000000000000000000");
    services.events.stop();
    services.destinations.disconnect();
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_waits_is_tried_again_after_a_restart() {
    let folder = Folder::new();
    let services = open(&folder, start());
    services.sqs.create_queue("work", &BTreeMap::new()).unwrap();
    services.events.put_rule(rule("all", &json!({"source": ["shop.orders"]}))).unwrap();
    services.events.put_target("", "all", target(&services.sqs.arn("work"))).unwrap();
    services.destinations.disconnect();
    let mut put = vec![services.events.put_event(entry("x", r#"{"n":1}"#)).unwrap()];
    services.events.stop();
    put.push(services.events.put_event(entry("x", r#"{"n":2}"#)).unwrap());
    assert!(services.events.undelivered().is_empty(), "the cloud that goes down leaves it to the next");
    kill(services).await;

    let services = open(&folder, start() + TimeDelta::hours(1));
    services.events.resume();
    let mut arrived = Vec::new();
    while arrived.len() < put.len() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        for message in receive(&services.sqs, "work").await {
            let event: Value = serde_json::from_str(&message.body).unwrap();
            arrived.push(event["id"].as_str().unwrap().to_owned());
            services.sqs.delete("work", &message.receipt_handle).unwrap();
        }
    }
    arrived.sort();
    put.sort();
    assert_eq!(arrived, put);
    kill(services).await;

    let services = open(&folder, start() + TimeDelta::hours(2));
    services.events.resume();
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(receive(&services.sqs, "work").await.is_empty(), "it is done");
    kill(services).await;
}

#[tokio::test(start_paused = true)]
async fn a_rule_that_was_due_while_the_cloud_was_down_sends_one_event_and_goes_on() {
    let folder = Folder::new();
    let services = open(&folder, start());
    services.sqs.create_queue("work", &BTreeMap::new()).unwrap();
    let tick = Rule { name: "tick".to_owned(), schedule: Some("rate(5 minutes)".to_owned()), ..Rule::default() };
    services.events.deploy_rule(tick.clone(), vec![target(&services.sqs.arn("work"))]).unwrap();
    kill(services).await;

    let services = open(&folder, start() + TimeDelta::minutes(12));
    services.events.deploy_rule(tick, vec![target(&services.sqs.arn("work"))]).unwrap();
    services.events.resume();
    for time in ["2026-01-01T00:05:30Z", "2026-01-01T00:15:30Z", "2026-01-01T00:20:30Z"] {
        let message = arrives(&services.sqs, "work").await;
        services.sqs.delete("work", &message.receipt_handle).unwrap();
        let event: Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!(event["time"], time);
    }
    kill(services).await;
}
