//! What earlier builds have written, and this one must still read: the files of `tests/saved`, which never change.
//!
//! Their events grow old, so the functions run here, on a clock that shows the time of the files: over the adapter for
//! DynamoDB, on a table of the local cloud. The relay needs no clock, and is the real process.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use aws_sdk_eventbridge::types::Target;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use libtest_mimic::Trial;
use onceward::{
    Command, Context, Delivery, Deployment, Envelope, Event, Function, HandlerError, HandlerResult, HttpRequest,
    Invocation, Ledger as _, LedgerKey, LedgerRecord, Ports, Reason, Shutdown, UnitOfWork,
    memory::{ManualClock, MemoryLedger, MemorySourceQueue, SeededRandomness},
};
use onceward_aws::DynamoDbLedger;
use serde_json::Value;

use crate::{
    cloud::sdk_config,
    contract::Queue,
    on_a_cloud, on_the_probe,
    system::{ROOT, System},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_the_probe("saved::ledger_records_of_earlier_builds_make_duplicates", duplicates),
        on_the_probe("saved::leases_of_earlier_builds_are_respected", leases),
        on_the_probe("saved::envelopes_and_letters_of_earlier_builds_are_handled", events),
        on_a_cloud("saved::the_relay_publishes_the_outbox_of_earlier_builds", outbox),
    ]
}

/// How long the relay may take.
const DEADLINE: Duration = Duration::from_mins(2);

/// The folder of every build that has left one.
fn builds() -> Vec<PathBuf> {
    let saved = fs::read_dir(Path::new(ROOT).join("tests/saved")).expect("the folder");
    let folders: Vec<_> = saved.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir()).collect();
    assert!(!folders.is_empty(), "what the first build has written is kept for ever");
    folders
}

/// The files of all builds in a folder of this name: name without `.json`, and text.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for build in builds() {
        for entry in fs::read_dir(build.join(folder)).expect("the folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            files.push((name, fs::read_to_string(&path).expect("a file")));
        }
    }
    files.sort();
    assert!(files.len() >= 8, "{folder}: {}", files.len());
    files
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|object| object.iter().next()).expect("a type and its value");
    let text = || value.as_str().expect("a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text()).expect("base64"))),
        "L" => AttributeValue::L(value.as_array().expect("a list").iter().map(attribute).collect()),
        other => panic!("no record has {other}"),
    }
}

/// Puts a saved item into a table, as it is.
async fn put(client: &aws_sdk_dynamodb::Client, table: &str, text: &str) {
    let item: Value = serde_json::from_str(text).expect("an item");
    let item = item.as_object().expect("an item").iter();
    let item = item.map(|(name, value)| (name.clone(), attribute(value))).collect();
    client.put_item().table_name(table).set_item(Some(item)).send().await.expect("the item is put");
}

/// A function's world at the time of the files.
struct World {
    ports: Ports,
    queue: MemorySourceQueue,
    now: DateTime<Utc>,
}

impl World {
    fn at(time: &str, ledger: Arc<dyn onceward::Ledger>) -> Self {
        let now = DateTime::parse_from_rfc3339(time).expect("a time").to_utc();
        let ports = Ports {
            ledger,
            clock: Arc::new(ManualClock::new(now)),
            randomness: Arc::new(SeededRandomness::new(1)),
            shutdown: Shutdown::new(),
            strict: true,
            deployment: Arc::new(Deployment { lambda: Some("a-new-build".to_owned()), former: Vec::new() }),
        };
        Self { ports, queue: MemorySourceQueue::default(), now }
    }

    fn invocation(&self) -> Invocation {
        Invocation::until(self.now + TimeDelta::seconds(30), self.ports.clock.as_ref())
    }

    /// How many failed, and the reason of each letter so far.
    async fn deliver(&self, function: &Function, body: &str, receive_count: u32) -> (usize, Vec<Reason>) {
        let delivery = Delivery {
            message_id: "m".to_owned(),
            receipt_handle: "r".to_owned(),
            body: body.to_owned(),
            receive_count,
            source: "arn:aws:sqs:us-east-1:000000000000:saved".to_owned(),
            ..Delivery::default()
        };
        let failed = function.handle_batch(&self.ports, &self.queue, self.invocation(), vec![delivery]).await;
        (failed.len(), self.queue.letters().into_iter().map(|letter| letter.reason).collect())
    }
}

/// Just after the files were written.
const WRITTEN: &str = "2026-12-01T06:31:30Z";

async fn ran<E: Event>(_: E, _: Context) -> HandlerResult {
    Err(HandlerError::terminal("the handler ran"))
}

async fn done<E: Event>(_: E, _: Context) -> HandlerResult {
    Ok(UnitOfWork::new())
}

/// A function of this name with one handler for all events that contexts publish to one another.
macro_rules! consumer {
    ($name:expr, $handler:ident) => {
        Function::new($name)
            .on($handler::<contracts::GoodsReceived>)
            .on($handler::<contracts::StockReceived>)
            .on($handler::<contracts::StockReserved>)
            .on($handler::<contracts::StockRejected>)
            .on($handler::<contracts::StockReleased>)
            .on($handler::<contracts::OrderPlaced>)
            .on($handler::<contracts::OrderConfirmed>)
            .on($handler::<contracts::OrderCancelled>)
            .on($handler::<contracts::PaymentAuthorized>)
            .on($handler::<contracts::PaymentDeclined>)
            .on($handler::<contracts::ShipmentScheduled>)
            .on($handler::<contracts::ConfirmationSent>)
    };
}

/// The probe's ledger table with all saved items, and the adapter for it.
async fn ledger(system: &System) -> Arc<DynamoDbLedger> {
    let client = aws_sdk_dynamodb::Client::new(&sdk_config(system.cloud().aws_url()).await);
    for (_, text) in files("ledger") {
        put(&client, "probe-ledger", &text).await;
    }
    Arc::new(DynamoDbLedger::new(client, "probe-ledger", HashMap::new()))
}

fn key_of(record: &str) -> LedgerKey {
    let record: Value = serde_json::from_str(record).expect("an item");
    let (function, key) = record["pk"]["S"].as_str().and_then(|pk| pk.split_once('#')).expect("a key");
    LedgerKey { function: function.to_owned(), idempotency_key: key.to_owned() }
}

async fn duplicates(system: System) {
    let ledger = ledger(&system).await;
    let handled: HashMap<_, _> = files("handled").into_iter().collect();
    for (name, record) in files("ledger").into_iter().filter(|(name, _)| !name.ends_with("-in_progress")) {
        let key = key_of(&record);
        let before = ledger.get(&key).await.expect("it is read").expect("it is there");
        let LedgerRecord::Completed(completed) = &before else { panic!("{name}: {before:?}") };
        let world = World::at(WRITTEN, ledger.clone());
        let function: &'static str = key.function.clone().leak();
        if name == "place-order" {
            let place = Command::new(function, |_: Value, _: Context| async { Err(HandlerError::terminal("ran")) });
            let send = async |body: String| {
                let headers = [("idempotency-key".to_owned(), key.idempotency_key.clone())].into();
                let request = HttpRequest { body: body.into_bytes(), headers, ..HttpRequest::default() };
                place.handle(&world.ports, world.invocation(), request).await
            };
            let answer = send(handled[&name].clone()).await;
            assert_eq!((answer.status, Some(answer.body)), (202, completed.result.clone()));
            assert_eq!(send(handled[&name].replace("EUR", "USD")).await.status, 409);
        } else {
            for function in [consumer!(function, ran), consumer!(function, ran).guarded()] {
                for receive_count in [1, 2] {
                    let outcome = world.deliver(&function, &handled[&name], receive_count).await;
                    assert_eq!(outcome, (0, Vec::new()), "{name}: {:?}", world.queue.letters());
                }
            }
            let mut other: Value = serde_json::from_str(&handled[&name]).expect("an event");
            other["data"]["not_there_before"] = true.into();
            let outcome = world.deliver(&consumer!(function, ran), &other.to_string(), 1).await;
            assert_eq!(outcome, (0, vec![Reason::IdempotencyKeyReused]), "{name}");
        }
        assert_eq!(ledger.get(&key).await.expect("it is read"), Some(before), "{name}: nothing was written");
    }
}

async fn leases(system: System) {
    let ledger = ledger(&system).await;
    let handled: HashMap<_, _> = files("handled").into_iter().collect();
    let leased: Vec<_> = files("ledger").into_iter().filter(|(name, _)| name.ends_with("-in_progress")).collect();
    assert!(!leased.is_empty());
    for (name, record) in leased {
        let key = key_of(&record);
        let before = ledger.get(&key).await.expect("it is read").expect("it is there");
        let LedgerRecord::InProgress(lease) = &before else { panic!("{name}: {before:?}") };
        let while_leased = (lease.expires_at - TimeDelta::milliseconds(1)).to_rfc3339();
        let function = consumer!(key.function.clone().leak(), done).guarded();
        let world = World::at(&while_leased, ledger.clone());
        for receive_count in [1, 2] {
            assert_eq!(world.deliver(&function, &handled[&name], receive_count).await, (1, Vec::new()), "{name}");
        }
        assert_eq!(ledger.get(&key).await.expect("it is read").as_ref(), Some(&before));
        let world = World::at(&lease.expires_at.to_rfc3339(), ledger.clone());
        assert_eq!(world.deliver(&function, &handled[&name], 2).await, (0, Vec::new()), "{name}");
        let after = ledger.get(&key).await.expect("it is read");
        assert!(matches!(after, Some(LedgerRecord::Completed(_))), "{name}: {after:?}");
    }
}

async fn events(system: System) {
    for (name, text) in files("envelopes") {
        let world = World::at(WRITTEN, Arc::new(MemoryLedger::new()));
        let outcome = world.deliver(&consumer!("reader", done), &text, 1).await;
        assert_eq!(outcome, (0, Vec::new()), "{name}: {:?}", world.queue.letters());
        let envelope = Envelope::parse(&text).expect("an envelope");
        assert_eq!((envelope.event_type, envelope.id.split_once('.').is_some()), (name, true));
    }
    let ledger = ledger(&system).await;
    for (name, text) in files("letters") {
        let letter: Value = serde_json::from_str(&text).expect("a message");
        let world = World::at(WRITTEN, ledger.clone());
        let body = letter["Body"].as_str().expect("a body");
        let function = Function::new("receive-stock").on(done::<contracts::GoodsReceived>);
        let (failed, reasons) = world.deliver(&function, body, 1).await;
        let reasons: Vec<_> = reasons.into_iter().map(Reason::as_str).collect();
        let before = letter["MessageAttributes"]["reason"]["StringValue"].as_str();
        assert_eq!((failed, reasons), (0, before.into_iter().collect()), "{name}: as it was given up, so it is again");
    }
}

/// The relay of the reference system finds them in the stream of its ledger.
async fn outbox(system: System) {
    let config = sdk_config(system.cloud().aws_url()).await;
    let bus = system.cloud().stack().buses[0].name.clone();
    let routed = Queue::create(&aws_sdk_sqs::Client::new(&config), false, []).await;
    let eventbridge = aws_sdk_eventbridge::Client::new(&config);
    let rule = eventbridge.put_rule().name("everything").event_bus_name(&bus).event_pattern(r#"{"version": ["0"]}"#);
    rule.send().await.expect("the rule is created");
    let target = Target::builder().id("queue").arn(routed.arn().await).build().expect("id and ARN are set");
    let targets = eventbridge.put_targets().rule("everything").event_bus_name(&bus).targets(target);
    assert_eq!(targets.send().await.expect("the rule has a target").failed_entry_count, 0);

    let client = aws_sdk_dynamodb::Client::new(&config);
    let mut expected = Vec::new();
    for (name, text) in files("ledger") {
        let record: Value = serde_json::from_str(&text).expect("an item");
        let events = record["events"]["L"].as_array().into_iter().flatten();
        expected.extend(events.map(|event| event["S"].as_str().expect("a text").parse().expect("an envelope")));
        assert_eq!(record.get("outbox").is_some(), record.get("events").is_some(), "{name}");
        put(&client, &system.name("ledger"), &text).await;
    }
    assert!(expected.len() >= 8, "{}", expected.len());
    let began = Instant::now();
    while !expected.is_empty() {
        assert!(began.elapsed() < DEADLINE, "not published: {expected:#?}");
        for message in routed.take(Duration::from_secs(1)).await {
            let event: Value = message.body.expect("a body").parse().expect("an event");
            expected.retain(|expected: &Value| *expected != event["detail"]);
        }
    }
}
