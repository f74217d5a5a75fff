use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use onceward::{DeadLetter, Postponement, Reason};

use crate::contract::{Cloud, Letter, QueueProbe, QueueSettings, Received};

/// A time in which no case ends: a message that comes back within it has not come by its queue's own timeout.
pub(super) const LONG: Duration = Duration::from_hours(1);

/// How long one look into a queue may wait.
const WAIT: Duration = Duration::from_secs(2);

/// Looks in which nothing new came, before a case gives up.
const EMPTY_LOOKS_MAX: usize = 10;

pub(super) async fn standard(cloud: &dyn Cloud, visibility: Duration) -> Box<dyn QueueProbe> {
    cloud.queues(QueueSettings { fifo: false, visibility }).await
}

pub(super) async fn fifo(cloud: &dyn Cloud) -> Box<dyn QueueProbe> {
    cloud.queues(QueueSettings { fifo: true, visibility: LONG }).await
}

/// Puts these messages into the queue and receives them all, in any order: a standard queue has none.
pub(super) async fn delivered(probe: &dyn QueueProbe, bodies: &[&str]) -> BTreeMap<String, Received> {
    for body in bodies {
        probe.put(body, None).await;
    }
    let received = receive(probe, bodies.len()).await;
    let messages: BTreeMap<_, _> = received.into_iter().map(|message| (message.body.clone(), message)).collect();
    assert!(bodies.iter().copied().eq(messages.keys()), "put {bodies:?}, received {:?}", messages.keys());
    messages
}

/// Receives until there are `count` messages, in the order in which they come.
pub(super) async fn receive(probe: &dyn QueueProbe, count: usize) -> Vec<Received> {
    let (mut messages, mut empty_looks) = (Vec::new(), 0);
    while messages.len() < count && empty_looks < EMPTY_LOOKS_MAX {
        let more = probe.receive(WAIT).await;
        empty_looks += usize::from(more.is_empty());
        messages.extend(more);
    }
    assert_eq!(messages.len(), count, "{messages:?}");
    messages
}

/// Takes letters until there are `count`, in the order in which they come.
pub(super) async fn letters(probe: &dyn QueueProbe, count: usize) -> Vec<Letter> {
    let (mut letters, mut empty_looks) = (Vec::new(), 0);
    while letters.len() < count && empty_looks < EMPTY_LOOKS_MAX {
        let more = probe.take_letters(WAIT).await;
        empty_looks += usize::from(more.is_empty());
        letters.extend(more);
    }
    assert_eq!(letters.len(), count, "{} letters", letters.len());
    letters
}

/// Sends the letter, and takes it out again.
pub(super) async fn sent(probe: &dyn QueueProbe, letter: &DeadLetter) -> Letter {
    probe.adapter().send(letter).await.unwrap();
    letters(probe, 1).await.remove(0)
}

pub(super) fn postponement(message: &Received, delay: Duration) -> Postponement {
    Postponement { receipt_handle: message.receipt_handle.clone(), delay }
}

/// A letter about which everything is known.
pub(super) fn letter(body: impl Into<String>) -> DeadLetter {
    let last_failed_at: DateTime<Utc> = DateTime::from_timestamp_millis(1_767_225_600_004).expect("a valid time");
    DeadLetter {
        body: body.into(),
        is_base64: false,
        group: None,
        message_id: "5fea7756-0ea4-451a-a703-a558b933e274".to_owned(),
        reason: Reason::SchemaRefused,
        error: "quantity: expected a number".to_owned(),
        function: "reserve-stock".to_owned(),
        source: "arn:aws:sqs:us-east-1:000000000000:reserve-stock".to_owned(),
        attempts: 3,
        first_failed_at: last_failed_at - TimeDelta::seconds(61),
        last_failed_at,
        event: Some(("e-1".to_owned(), "order.placed.v1".to_owned())),
    }
}

pub(super) fn attributes<const N: usize>(attributes: [(&str, &str); N]) -> BTreeMap<String, String> {
    attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}
