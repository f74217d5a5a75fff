use super::super::error::SqsError;
use super::super::limits;
use super::super::message::Depth;
use super::super::queue::{MOVES_MAX, Take};
use super::*;
use std::time::Duration;

#[test]
fn a_received_message_is_hidden_until_its_timeout_and_counted() {
    let mut queue = queue("q", []);
    send(&mut queue, 0, text("a"));
    let first = receive(&mut queue, 10);
    assert_eq!(bodies(&first), ["a"]);
    assert_eq!(queue.depth(10), Depth { visible: 0, in_flight: 1, delayed: 0 });
    assert!(receive(&mut queue, 30_009).is_empty());
    let second = receive(&mut queue, 30_010);
    assert_eq!(second[0].record.receives, 2);
    assert_eq!(second[0].record.first_received_ms, Some(10));
    assert_ne!(second[0].receipt, first[0].receipt);
}

#[test]
fn delays_hide_a_message_and_the_message_overrules_the_queue() {
    let mut queue = queue("q", [("DelaySeconds", "5")]);
    send(&mut queue, 0, text("queue's"));
    send(&mut queue, 0, Outgoing { delay: Some(Duration::from_secs(2)), ..text("own") });
    assert_eq!(queue.depth(0), Depth { visible: 0, in_flight: 0, delayed: 2 });
    assert_eq!(queue.next_visible_ms(), Some(2_000));
    assert!(receive(&mut queue, 1_999).is_empty());
    assert_eq!(bodies(&receive(&mut queue, 2_000)), ["own"]);
    assert_eq!(bodies(&receive(&mut queue, 5_000)), ["queue's"]);
}

#[test]
fn an_old_receipt_deletes_nothing_and_the_latest_deletes_even_late() {
    let mut queue = queue("q", []);
    send(&mut queue, 0, text("a"));
    let old = receive(&mut queue, 0)[0].receipt.encode();
    let new = receive(&mut queue, 30_000)[0].receipt.encode();
    queue.delete(30_001, &old).unwrap();
    assert_eq!(queue.depth(30_001).in_flight, 1);
    queue.delete(60_001, &new).unwrap();
    assert_eq!(queue.depth(60_001), Depth::default());
    queue.delete(60_002, &new).expect("deleting twice is no error");
}

#[test]
fn receipts_of_other_queues_are_refused() {
    let mut queue = queue("q", []);
    let mut other = Queue::new(8, Settings::new("other", &BTreeMap::new()).unwrap());
    send(&mut other, 0, text("a"));
    let handle = receive(&mut other, 0)[0].receipt.encode();
    for handle in [handle.as_str(), "nonsense", ""] {
        assert!(matches!(queue.delete(0, handle), Err(SqsError::ReceiptHandleIsInvalid { .. })));
    }
}

#[test]
fn visibility_changes_within_twelve_hours_of_the_receive() {
    let mut queue = queue("q", []);
    send(&mut queue, 0, text("a"));
    let handle = receive(&mut queue, 0)[0].receipt.encode();
    queue.change_visibility(1_000, &handle, 60_000).unwrap();
    assert!(receive(&mut queue, 60_999).is_empty());
    let beyond = queue.change_visibility(2_000, &handle, 43_200_000);
    assert!(matches!(beyond, Err(SqsError::InvalidParameterValue { .. })));
    queue.change_visibility(2_000, &handle, 0).unwrap();
    assert_eq!(queue.change_visibility(2_000, &handle, 1_000), Err(SqsError::MessageNotInflight));
    let again = receive(&mut queue, 2_000)[0].receipt.encode();
    assert_eq!(queue.change_visibility(2_000, &handle, 1_000), Err(SqsError::MessageNotInflight));
    queue.delete(2_000, &again).unwrap();
    let gone = queue.change_visibility(2_000, &again, 1_000);
    assert!(matches!(gone, Err(SqsError::InvalidParameterValue { .. })));
}

#[test]
fn messages_expire_by_the_time_they_were_sent_wherever_they_are() {
    let mut queue = queue("q", [("MessageRetentionPeriod", "60")]);
    send(&mut queue, 0, text("in flight"));
    receive(&mut queue, 59_000);
    send(&mut queue, 30_000, text("younger"));
    assert_eq!(queue.depth(60_000), Depth { visible: 1, in_flight: 0, delayed: 0 });
    assert_eq!(queue.depth(119_000), Depth::default());
}

#[test]
fn too_many_receives_give_a_message_up_with_its_history() {
    let mut source = queue("q", []);
    let mut dead_letters = queue("dlq", []);
    send(&mut source, 5, text("a"));
    for now_ms in [0, 30_005] {
        assert_eq!(take(&mut source, now_ms, 10, Some(2)).deliveries.len(), 1);
    }
    let mut taken = take(&mut source, 60_005, 10, Some(2));
    assert!(taken.deliveries.is_empty());
    assert_eq!(source.depth(60_005), Depth::default());
    let (message, record) = taken.dead.remove(0);
    dead_letters.adopt(60_005, message, record, "arn:q");
    let delivery = &receive(&mut dead_letters, 60_005)[0];
    assert_eq!((delivery.record.sent_ms, delivery.record.receives), (5, 3));
    assert_eq!(delivery.record.source_arn.as_deref(), Some("arn:q"));
}

#[test]
fn one_receive_moves_a_bounded_number_of_dead_messages() {
    let mut queue = queue("q", []);
    for index in 0..=MOVES_MAX {
        send(&mut queue, 0, text(&index.to_string()));
    }
    while !take(&mut queue, 0, 10, None).deliveries.is_empty() {}
    assert_eq!(take(&mut queue, 30_000, 10, Some(1)).dead.len(), MOVES_MAX);
    assert_eq!(take(&mut queue, 30_000, 10, Some(1)).dead.len(), 1);
}

#[test]
fn in_flight_messages_are_limited() {
    let mut queue = queue("q", []);
    for _ in 0..=limits::IN_FLIGHT_MAX {
        send(&mut queue, 0, text("a"));
    }
    let all = Take { max: usize::MAX, visibility_ms: 1_000, receives_max: None };
    assert_eq!(queue.receive(0, all).unwrap().deliveries.len(), limits::IN_FLIGHT_MAX);
    assert_eq!(queue.receive(0, all).unwrap_err(), SqsError::OverLimit { in_flight: limits::IN_FLIGHT_MAX });
    assert!(queue.receive(1_000, all).is_ok());
}

#[test]
fn time_never_goes_back() {
    let mut queue = queue("q", []);
    send(&mut queue, 100_000, text("a"));
    receive(&mut queue, 100_000);
    assert!(receive(&mut queue, 10).is_empty());
    assert_eq!(receive(&mut queue, 130_000).len(), 1);
}

#[test]
fn a_purge_leaves_nothing_and_the_queue_usable() {
    let mut queue = queue("q", []);
    for body in ["a", "b"] {
        send(&mut queue, 0, text(body));
    }
    take(&mut queue, 0, 1, None);
    queue.purge();
    assert_eq!(queue.depth(30_000), Depth::default());
    send(&mut queue, 30_000, text("c"));
    assert_eq!(bodies(&receive(&mut queue, 30_000)), ["c"]);
}

#[test]
fn messages_outside_the_limits_are_refused() {
    let settings = Settings::new("q", &attributes([("MaximumMessageSize", "1024")])).unwrap();
    let refusal = |outgoing| admission::admit(&settings, outgoing, String::new()).err();
    assert_eq!(refusal(text(&"x".repeat(1_024))), None);
    assert!(matches!(refusal(text(&"x".repeat(1_025))), Some(SqsError::InvalidParameterValue { .. })));
    assert!(matches!(refusal(text("")), Some(SqsError::MissingParameter { parameter: "MessageBody" })));
    assert_eq!(refusal(text("tab\t\r\n\u{fffd}😀")), None);
    assert_eq!(refusal(text("é\u{b}")), Some(SqsError::InvalidMessageContents { offset: 2 }));
    assert_eq!(refusal(text("\u{ffff}")), Some(SqsError::InvalidMessageContents { offset: 0 }));
    let late = Outgoing { delay: Some(Duration::from_secs(901)), ..text("a") };
    assert!(matches!(refusal(late), Some(SqsError::InvalidParameterValue { .. })));
    let fifo_only = Outgoing { deduplication_id: Some("d".to_owned()), ..text("a") };
    assert!(matches!(refusal(fifo_only), Some(SqsError::InvalidParameterValue { .. })));
    assert_eq!(refusal(grouped("tenant", "fair queues take groups")), None);
}
