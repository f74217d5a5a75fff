use std::{collections::BTreeSet, time::Duration};

use onceward::Postponement;

use super::trial::{LONG, delivered, fifo, postponement, receive, standard};
use crate::contract::{Cloud, Received, cloud_cases};

cloud_cases![
    nothing_to_postpone_is_no_error,
    a_postponed_message_comes_back_after_its_time_and_not_before,
    a_postponement_outlasts_the_queues_own_timeout,
    a_postponement_of_zero_brings_the_message_back_at_once,
    more_than_ten_messages_are_postponed_in_one_call,
    a_message_that_is_back_in_its_queue_cannot_be_postponed_and_the_others_are,
    receipt_handles_of_no_message_are_counted_and_the_others_are_postponed,
    the_longest_delay_is_taken_when_time_has_passed_since_the_receive,
    the_messages_of_a_group_come_back_in_their_order,
];

/// The longest that SQS hides a message:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html>.
const LONGEST: Duration = Duration::from_hours(12);

/// Timeouts of a queue, in seconds; the next one is for machines that are too slow for the one before.
const TIMEOUTS_S: [u64; 3] = [2, 6, 18];

fn bodies(messages: &[Received]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

async fn nothing_to_postpone_is_no_error(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    probe.adapter().postpone(&[]).await.unwrap();
}

/// A part of a second counts as a whole one, as queues have no smaller unit.
async fn a_postponed_message_comes_back_after_its_time_and_not_before(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let messages = delivered(&*probe, &["a"]).await;
    let (began, delay) = (probe.elapsed(), Duration::from_millis(1_200));
    probe.adapter().postpone(&[postponement(&messages["a"], delay)]).await.unwrap();
    let back = receive(&*probe, 1).await;
    let waited = probe.elapsed().saturating_sub(began);
    assert_eq!(back[0].body, "a");
    assert!(waited >= delay, "after {waited:?}");
}

async fn a_postponement_outlasts_the_queues_own_timeout(cloud: &dyn Cloud) {
    for timeout in TIMEOUTS_S.map(Duration::from_secs) {
        let probe = standard(cloud, timeout).await;
        let sent = probe.elapsed();
        let messages = delivered(&*probe, &["a"]).await;
        let (began, delay) = (probe.elapsed(), timeout * 2);
        let postponed = probe.adapter().postpone(&[postponement(&messages["a"], delay)]).await;
        // Beside other work the steps may take longer than the queue's timeout: then there was nothing to postpone.
        if probe.elapsed().saturating_sub(sent) < timeout {
            postponed.unwrap();
            receive(&*probe, 1).await;
            let waited = probe.elapsed().saturating_sub(began);
            assert!(waited >= delay, "after {waited:?}");
            return;
        }
    }
    panic!("sending, receiving and postponing a message took longer than {TIMEOUTS_S:?} s");
}

async fn a_postponement_of_zero_brings_the_message_back_at_once(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let messages = delivered(&*probe, &["a", "b"]).await;
    probe.adapter().postpone(&[postponement(&messages["b"], Duration::ZERO)]).await.unwrap();
    let back = receive(&*probe, 1).await;
    assert_eq!(back[0].body, "b");
    assert_ne!(back[0].receipt_handle, messages["b"].receipt_handle);
}

async fn more_than_ten_messages_are_postponed_in_one_call(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let names: Vec<_> = (10..35).map(|number: u32| number.to_string()).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let messages = delivered(&*probe, &names).await;
    let postponements: Vec<_> = messages.values().map(|message| postponement(message, Duration::ZERO)).collect();
    probe.adapter().postpone(&postponements).await.unwrap();
    let back = receive(&*probe, names.len()).await;
    assert_eq!(bodies(&back).into_iter().collect::<BTreeSet<_>>(), names.into_iter().collect());
}

/// The receipt is stale: the message is no longer in flight, and may be another's soon.
async fn a_message_that_is_back_in_its_queue_cannot_be_postponed_and_the_others_are(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let messages = delivered(&*probe, &["a", "b", "c"]).await;
    let adapter = probe.adapter();
    adapter.postpone(&[postponement(&messages["b"], Duration::ZERO)]).await.unwrap();
    let all: Vec<_> = messages.values().map(|message| postponement(message, Duration::ZERO)).collect();
    let error = adapter.postpone(&all).await.unwrap_err();
    assert_eq!((error.failed, error.total), (1, 3), "{error}");
    let back = receive(&*probe, 3).await;
    assert_eq!(bodies(&back).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["a", "b", "c"]));
}

async fn receipt_handles_of_no_message_are_counted_and_the_others_are_postponed(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let messages = delivered(&*probe, &["a", "b"]).await;
    let nobodys = |number: u32| Postponement { receipt_handle: format!("nobody-{number}"), delay: Duration::ZERO };
    let mut postponements: Vec<_> = (0..11).map(nobodys).collect();
    postponements.insert(0, postponement(&messages["a"], Duration::ZERO));
    postponements.push(postponement(&messages["b"], Duration::ZERO));
    let error = probe.adapter().postpone(&postponements).await.unwrap_err();
    assert_eq!((error.failed, error.total), (11, 13), "{error}");
    let back = receive(&*probe, 2).await;
    assert_eq!(bodies(&back).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from(["a", "b"]));
}

/// The limit counts from the receive, so what is left of it shrinks while a function runs.
async fn the_longest_delay_is_taken_when_time_has_passed_since_the_receive(cloud: &dyn Cloud) {
    let probe = standard(cloud, LONG).await;
    let messages = delivered(&*probe, &["a", "timer"]).await;
    let adapter = probe.adapter();
    adapter.postpone(&[postponement(&messages["timer"], Duration::from_secs(2))]).await.unwrap();
    let timer = receive(&*probe, 1).await.remove(0);
    assert_eq!(timer.body, "timer");
    adapter.postpone(&[postponement(&messages["a"], LONGEST), postponement(&timer, Duration::ZERO)]).await.unwrap();
    assert_eq!(bodies(&receive(&*probe, 1).await), ["timer"]);
}

async fn the_messages_of_a_group_come_back_in_their_order(cloud: &dyn Cloud) {
    let probe = fifo(cloud).await;
    for body in ["1", "2", "3"] {
        probe.put(body, Some("g")).await;
    }
    let first = receive(&*probe, 3).await;
    assert_eq!(bodies(&first), ["1", "2", "3"]);
    let all: Vec<_> = first.iter().rev().map(|message| postponement(message, Duration::ZERO)).collect();
    probe.adapter().postpone(&all).await.unwrap();
    assert_eq!(bodies(&receive(&*probe, 3).await), ["1", "2", "3"]);
}
