//! Queues that are stored behave as those that are not, however often the process ends.

use super::super::message::{AttributeValue, MessageAttribute, Receive};
use super::super::{Received, Sqs};
use super::*;
use crate::account::Account;
use crate::store::Store;
use crate::store::tests::Folder;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const QUEUES: [&str; 3] = ["work", "work-dlq", "work.fifo"];
const START_MS: u64 = 1_700_000_000_000;

fn account() -> Account {
    Account::new("eu-west-1", "http://localhost:4566")
}

fn open(folder: &Folder, clock: &Arc<AtomicU64>) -> Sqs {
    let clock = Arc::clone(clock);
    let store = Store::open(&folder.0).unwrap();
    Sqs::open_with_clock(account(), store, move || clock.load(Ordering::Relaxed)).unwrap()
}

fn create(sqs: &Sqs) {
    sqs.create_queue("work-dlq", &BTreeMap::new()).unwrap();
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":3}}"#, sqs.arn("work-dlq"));
    sqs.create_queue("work", &attributes([("RedrivePolicy", &policy), ("VisibilityTimeout", "20")])).unwrap();
    let fifo = [("FifoQueue", "true"), ("ContentBasedDeduplication", "true"), ("VisibilityTimeout", "20")];
    sqs.create_queue("work.fifo", &attributes(fifo)).unwrap();
}

/// What of a message does not depend on ids.
fn told(received: &[Received]) -> Vec<(String, String, bool, Option<String>)> {
    let one = |it: &Received| {
        let attribute = |name: &str| it.attributes.get(name).cloned();
        let source = attribute("DeadLetterQueueSourceArn");
        (
            it.body.clone(),
            attribute("ApproximateReceiveCount").unwrap(),
            it.message_attributes.contains_key("n"),
            source,
        )
    };
    received.iter().map(one).collect()
}

/// One step on both: the same outcome, or this fails.
async fn step(rng: &mut StdRng, clock: &AtomicU64, one: &Sqs, other: &Sqs, handles: &mut Vec<(&str, String, String)>) {
    let queue = QUEUES[rng.random_range(0..3)];
    match rng.random_range(0..12) {
        0..5 => {
            let body = format!("m{}", rng.random_range(0..40));
            let fifo = queue == "work.fifo";
            let n = MessageAttribute { data_type: "Binary".to_owned(), value: AttributeValue::Binary(vec![0, 255]) };
            let message = Outgoing {
                group_id: fifo.then(|| format!("g{}", rng.random_range(0..3))),
                delay: (!fifo && rng.random_bool(0.3)).then_some(Duration::from_secs(15)),
                attributes: if rng.random_bool(0.3) { BTreeMap::from([("n".to_owned(), n)]) } else { BTreeMap::new() },
                ..text(&body)
            };
            one.send(queue, message.clone()).unwrap();
            other.send(queue, message).unwrap();
        }
        5..8 => {
            let request = Receive { max: rng.random_range(1..=10), wait: Duration::ZERO, visibility: None };
            let (mine, theirs) =
                (one.receive(queue, request).await.unwrap(), other.receive(queue, request).await.unwrap());
            assert_eq!(told(&mine), told(&theirs), "{queue}");
            let pairs = mine.into_iter().zip(theirs);
            handles.extend(pairs.map(|(mine, theirs)| (queue, mine.receipt_handle, theirs.receipt_handle)));
        }
        8 if !handles.is_empty() => {
            let (queue, mine, theirs) = handles.swap_remove(rng.random_range(0..handles.len()));
            assert_eq!(one.delete(queue, &mine).is_ok(), other.delete(queue, &theirs).is_ok());
        }
        9 if !handles.is_empty() => {
            let (queue, mine, theirs) = &handles[rng.random_range(0..handles.len())];
            let timeout = Duration::from_secs(rng.random_range(0..60));
            let outcomes =
                (one.change_visibility(queue, mine, timeout), other.change_visibility(queue, theirs, timeout));
            assert_eq!(outcomes.0.is_ok(), outcomes.1.is_ok(), "{outcomes:?}");
        }
        10 if rng.random_bool(0.05) => {
            one.purge_queue(queue).unwrap();
            other.purge_queue(queue).unwrap();
        }
        _ => {
            clock.fetch_add(rng.random_range(0..30_000), Ordering::Relaxed);
        }
    }
    for queue in QUEUES {
        assert_eq!(one.depth(queue).unwrap(), other.depth(queue).unwrap(), "{queue}");
    }
}

#[tokio::test]
async fn a_restart_changes_nothing_whatever_happened_before() {
    for seed in 0..6 {
        let mut rng = StdRng::seed_from_u64(seed);
        let folder = Folder::new();
        let clock = Arc::new(AtomicU64::new(START_MS));
        let memory = {
            let clock = Arc::clone(&clock);
            Sqs::with_clock(account(), move || clock.load(Ordering::Relaxed))
        };
        create(&memory);
        let mut durable = open(&folder, &clock);
        create(&durable);
        let mut handles = Vec::new();
        for number in 0..200 {
            step(&mut rng, &clock, &memory, &durable, &mut handles).await;
            if number % 41 == 0 {
                drop(durable);
                durable = open(&folder, &clock);
            }
        }
    }
}

#[tokio::test]
async fn a_queue_made_anew_has_nothing_of_the_one_before() {
    let folder = Folder::new();
    let clock = Arc::new(AtomicU64::new(START_MS));
    let sqs = open(&folder, &clock);
    create(&sqs);
    sqs.send("work", text("old")).unwrap();
    sqs.delete_queue("work").unwrap();
    clock.fetch_add(60_000, Ordering::Relaxed);
    sqs.create_queue("work", &attributes([("DelaySeconds", "7")])).unwrap();
    sqs.tag_queue("work", BTreeMap::from([("team".to_owned(), "orders".to_owned())])).unwrap();
    sqs.delete_queue("work.fifo").unwrap();
    drop(sqs);
    let sqs = open(&folder, &clock);
    assert_eq!(sqs.queues(), ["work", "work-dlq"]);
    assert_eq!(sqs.depth("work").unwrap(), super::super::Depth::default());
    assert_eq!(sqs.queue_attributes("work", &["DelaySeconds".to_owned()]).unwrap()["DelaySeconds"], "7");
    assert_eq!(sqs.queue_tags("work").unwrap()["team"], "orders");
}

#[tokio::test]
async fn sequence_numbers_and_deduplication_go_on() {
    let folder = Folder::new();
    let clock = Arc::new(AtomicU64::new(START_MS));
    let sqs = open(&folder, &clock);
    create(&sqs);
    let first = sqs.send("work.fifo", grouped("g", "a")).unwrap();
    let handle = sqs.receive("work.fifo", Receive::default()).await.unwrap().remove(0).receipt_handle;
    sqs.delete("work.fifo", &handle).unwrap();
    drop(sqs);
    let sqs = open(&folder, &clock);
    let again = sqs.send("work.fifo", grouped("g", "a")).unwrap();
    assert_eq!((again.message_id, again.sequence_number.clone()), (first.message_id, first.sequence_number));
    assert!(sqs.send("work.fifo", grouped("g", "b")).unwrap().sequence_number > again.sequence_number);
    clock.fetch_add(300_000, Ordering::Relaxed);
    drop(sqs);
    let sqs = open(&folder, &clock);
    sqs.send("work.fifo", grouped("g", "a")).unwrap();
    assert_eq!(sqs.depth("work.fifo").unwrap().visible, 2);
}
