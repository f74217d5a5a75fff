use super::super::message::Receive;
use super::super::{Depth, Sqs, SqsError};
use super::*;
use crate::account::Account;
use std::time::Duration;
use tokio::time::Instant;

/// The service on tokio's clock, which the tests pause.
pub(in super::super) fn sqs() -> Sqs {
    let start = Instant::now();
    let clock = move || 1_700_000_000_000 + u64::try_from(start.elapsed().as_millis()).unwrap();
    Sqs::with_clock(Account::new("eu-west-1", "http://localhost:4566"), clock)
}

fn polling(seconds: u64) -> Receive {
    Receive { max: 10, wait: Duration::from_secs(seconds), visibility: None }
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_wakes_for_a_message_and_ends_without_one() {
    let sqs = sqs();
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
    let start = Instant::now();
    assert!(sqs.receive("q", polling(20)).await.unwrap().is_empty());
    assert_eq!(start.elapsed().as_secs(), 20);
    let poll = tokio::spawn({
        let sqs = sqs.clone();
        async move { sqs.receive("q", polling(20)).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    sqs.send("q", text("a")).unwrap();
    assert_eq!(poll.await.unwrap().unwrap()[0].body, "a");
    assert_eq!(start.elapsed().as_secs(), 23);
}

#[tokio::test(start_paused = true)]
async fn every_waiting_poll_gets_one_of_the_messages() {
    let sqs = sqs();
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
    let one = Receive { max: 1, ..polling(20) };
    let polls: Vec<_> = (0..5)
        .map(|_| {
            let sqs = sqs.clone();
            tokio::spawn(async move { sqs.receive("q", one).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    for body in ["1", "2", "3", "4", "5"] {
        sqs.send("q", text(body)).unwrap();
    }
    for poll in polls {
        assert_eq!(poll.await.unwrap().unwrap().len(), 1);
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_waiting_poll_sees_what_another_receiver_let_go() {
    let sqs = sqs();
    sqs.create_queue("q", &attributes([("VisibilityTimeout", "2")])).unwrap();
    let poll = |sqs: Sqs| tokio::spawn(async move { sqs.receive("q", polling(20)).await });
    let polls = [poll(sqs.clone()), poll(sqs.clone())];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    sqs.send("q", text("a")).unwrap();
    for poll in polls {
        assert_eq!(poll.await.unwrap().unwrap()[0].body, "a");
    }
    assert_eq!(start.elapsed().as_secs(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_poll_wakes_when_a_delay_ends() {
    let sqs = sqs();
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
    let poll = tokio::spawn({
        let sqs = sqs.clone();
        async move { sqs.receive("q", polling(20)).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    for seconds in [9, 5] {
        let delay = Some(Duration::from_secs(seconds));
        sqs.send("q", Outgoing { delay, ..text(&seconds.to_string()) }).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(poll.await.unwrap().unwrap()[0].body, "5");
    assert_eq!(start.elapsed().as_secs(), 6);
}

#[tokio::test(start_paused = true)]
async fn redrive_crosses_queues_and_wakes_those_who_wait_there() {
    let sqs = sqs();
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":"2"}}"#, sqs.arn("dlq"));
    let source = attributes([("RedrivePolicy", policy.as_str()), ("VisibilityTimeout", "1")]);
    assert!(matches!(sqs.create_queue("q", &source), Err(SqsError::InvalidParameterValue { .. })));
    sqs.create_queue("dlq", &BTreeMap::new()).unwrap();
    sqs.create_queue("q", &source).unwrap();
    assert_eq!(sqs.dead_letter_sources("dlq").unwrap(), ["q"]);
    let sent = sqs.send("q", text("a")).unwrap();
    let dead = tokio::spawn({
        let sqs = sqs.clone();
        async move { sqs.receive("dlq", polling(20)).await }
    });
    for count in ["1", "2"] {
        let received = sqs.receive("q", polling(20)).await.unwrap();
        assert_eq!(received[0].attributes["ApproximateReceiveCount"], count);
    }
    assert!(sqs.receive("q", polling(2)).await.unwrap().is_empty());
    let dead = dead.await.unwrap().unwrap().remove(0);
    assert_eq!(dead.message_id, sent.message_id);
    assert_eq!(dead.attributes["DeadLetterQueueSourceArn"], sqs.arn("q"));
    assert_eq!(sqs.depth("q").unwrap(), Depth::default());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_dead_letter_queue_loses_no_message() {
    let sqs = sqs();
    sqs.create_queue("dlq", &BTreeMap::new()).unwrap();
    let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":1}}"#, sqs.arn("dlq"));
    sqs.create_queue("q", &attributes([("RedrivePolicy", policy.as_str())])).unwrap();
    sqs.delete_queue("dlq").unwrap();
    sqs.send("q", text("a")).unwrap();
    for _ in 0..3 {
        let now = Receive { visibility: Some(Duration::ZERO), ..Receive::default() };
        assert_eq!(sqs.receive("q", now).await.unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn one_purge_in_sixty_seconds_is_allowed() {
    let sqs = sqs();
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
    sqs.purge_queue("q").unwrap();
    tokio::time::sleep(Duration::from_millis(59_999)).await;
    assert_eq!(sqs.purge_queue(&sqs.url("q")), Err(SqsError::PurgeQueueInProgress { queue: "q".to_owned() }));
    tokio::time::sleep(Duration::from_millis(1)).await;
    sqs.purge_queue("q").unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_deleted_queue_is_free_after_sixty_seconds() {
    let sqs = sqs();
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
    sqs.delete_queue("q").unwrap();
    assert_eq!(sqs.create_queue("q", &BTreeMap::new()), Err(SqsError::QueueDeletedRecently));
    sqs.create_queue("another", &BTreeMap::new()).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn deleting_a_queue_ends_its_polls() {
    let sqs = sqs();
    let url = sqs.create_queue("q", &BTreeMap::new()).unwrap();
    assert_eq!(url, "http://localhost:4566/000000000000/q");
    let poll = tokio::spawn({
        let sqs = sqs.clone();
        async move { sqs.receive(&url, polling(20)).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    sqs.delete_queue(&sqs.arn("q")).unwrap();
    assert!(matches!(poll.await.unwrap(), Err(SqsError::QueueDoesNotExist { .. })));
}

#[tokio::test(start_paused = true)]
async fn creating_again_is_idempotent_unless_attributes_differ() {
    let sqs = sqs();
    let given = attributes([("VisibilityTimeout", "5"), ("Policy", r#"{"Version": "2012-10-17"}"#)]);
    sqs.create_queue("q", &given).unwrap();
    let same = attributes([("VisibilityTimeout", "5"), ("Policy", r#"{"Version":"2012-10-17"}"#)]);
    sqs.create_queue("q", &same).unwrap();
    sqs.create_queue("q", &BTreeMap::new()).unwrap();
    let differs = sqs.create_queue("q", &attributes([("DelaySeconds", "1")]));
    assert_eq!(differs, Err(SqsError::QueueNameExists { attribute: "DelaySeconds".to_owned() }));
    for name in ["", "a b", "x.fifo", &"x".repeat(81)] {
        assert!(matches!(sqs.create_queue(name, &BTreeMap::new()), Err(SqsError::InvalidParameterValue { .. })));
    }
    let plain_fifo = sqs.create_queue("plain", &attributes([("FifoQueue", "true")]));
    assert!(matches!(plain_fifo, Err(SqsError::InvalidParameterValue { .. })));
}
