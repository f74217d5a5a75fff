use super::super::error::SqsError;
use super::super::fifo::sequence_number;
use super::super::message::Depth;
use super::*;

fn fifo() -> Queue {
    queue("q.fifo", [("FifoQueue", "true"), ("ContentBasedDeduplication", "true")])
}

#[test]
fn a_group_in_flight_blocks_itself_and_no_other() {
    let mut queue = fifo();
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")] {
        send(&mut queue, 0, grouped(group, body));
    }
    let first = take(&mut queue, 0, 2, None).deliveries;
    assert_eq!(bodies(&first), ["a1", "a2"], "several of one group come in their order");
    assert_eq!(bodies(&receive(&mut queue, 0)), ["b1"]);
    queue.delete(0, &first[0].receipt.encode()).unwrap();
    assert!(receive(&mut queue, 0).is_empty(), "a2 is still in flight");
    queue.delete(0, &first[1].receipt.encode()).unwrap();
    assert_eq!(bodies(&receive(&mut queue, 0)), ["a3"]);
}

#[test]
fn a_failed_message_comes_again_before_those_behind_it() {
    let mut queue = fifo();
    for body in ["1", "2", "3"] {
        send(&mut queue, 0, grouped("g", body));
    }
    let first = take(&mut queue, 0, 2, None).deliveries;
    queue.change_visibility(1, &first[0].receipt.encode(), 0).unwrap();
    assert!(receive(&mut queue, 1).is_empty(), "2 is still in flight");
    assert_eq!(bodies(&receive(&mut queue, 30_000)), ["1", "2", "3"]);
}

#[test]
fn an_expired_receipt_is_refused() {
    let mut queue = fifo();
    send(&mut queue, 0, grouped("g", "1"));
    let handle = receive(&mut queue, 0)[0].receipt.encode();
    let expired = queue.delete(30_000, &handle);
    assert!(expired.is_err_and(|error| error.to_string().ends_with("The receipt handle has expired.")));
    assert_eq!(queue.depth(30_000).visible, 1);
}

#[test]
fn duplicates_within_five_minutes_are_dropped_even_after_deletion() {
    let mut queue = fifo();
    let first = send(&mut queue, 0, grouped("g", "1"));
    let handle = receive(&mut queue, 0)[0].receipt.encode();
    queue.delete(0, &handle).unwrap();
    assert_eq!(send(&mut queue, 299_999, grouped("other", "1")), first);
    assert_eq!(queue.depth(299_999), Depth::default());
    assert_ne!(send(&mut queue, 300_000, grouped("g", "1")), first);
    assert_eq!(queue.depth(300_000).visible, 1);
}

#[test]
fn an_explicit_id_overrules_the_content_and_the_scope_may_be_the_group() {
    let mut queue = queue("q.fifo", [("FifoQueue", "true"), ("DeduplicationScope", "messageGroup")]);
    let with_id = |group: &str, id: &str| Outgoing { deduplication_id: Some(id.to_owned()), ..grouped(group, "x") };
    for (group, id) in [("g", "1"), ("g", "2"), ("h", "1"), ("g", "1")] {
        send(&mut queue, 0, with_id(group, id));
    }
    assert_eq!(queue.depth(0).visible, 3);
}

#[test]
fn group_and_deduplication_id_are_required() {
    let settings = Settings::new("q.fifo", &attributes([("FifoQueue", "true")])).unwrap();
    let refusal = |outgoing| admission::admit(&settings, outgoing, String::new()).err();
    assert_eq!(refusal(text("x")), Some(SqsError::MissingParameter { parameter: "MessageGroupId" }));
    assert!(refusal(grouped("g", "x")).is_some_and(|it| it.to_string().contains("ContentBasedDeduplication")));
}

#[test]
fn the_head_of_a_group_goes_to_the_dead_letters_and_the_next_takes_its_place() {
    let mut queue = fifo();
    send(&mut queue, 0, grouped("g", "1"));
    take(&mut queue, 0, 1, Some(1));
    send(&mut queue, 1, grouped("g", "2"));
    let taken = take(&mut queue, 30_000, 10, Some(1));
    assert_eq!(taken.dead[0].0.body, "1");
    assert_eq!(bodies(&taken.deliveries), ["2"]);
    let mut dead_letters = fifo();
    let (message, record) = taken.dead.into_iter().next().unwrap();
    dead_letters.adopt(30_000, message, record, "arn:q");
    let moved = &receive(&mut dead_letters, 30_000)[0];
    assert_eq!((moved.record.sent_ms, moved.message.group_id.as_deref()), (30_000, Some("g")));
}

#[test]
fn an_expired_head_frees_its_group() {
    let mut queue = queue(
        "q.fifo",
        [("FifoQueue", "true"), ("ContentBasedDeduplication", "true"), ("MessageRetentionPeriod", "60")],
    );
    send(&mut queue, 0, grouped("g", "1"));
    receive(&mut queue, 59_000);
    send(&mut queue, 59_000, grouped("g", "2"));
    assert!(receive(&mut queue, 59_999).is_empty());
    assert_eq!(bodies(&receive(&mut queue, 60_000)), ["2"]);
}

#[test]
fn sequence_numbers_have_twenty_digits_and_grow() {
    assert_eq!(sequence_number(0).len(), 20);
    assert!(sequence_number(1_000_000_000) > sequence_number(999_999_999));
}

/// Receives up to two as the attempt `id`.
fn attempt(queue: &mut Queue, now_ms: u64, id: &str) -> Vec<Delivery> {
    queue.take(now_ms, Take { max: 2, visibility_ms: 30_000, receives_max: None }, Some(id)).unwrap().deliveries
}

#[test]
fn a_repeated_attempt_brings_the_same_messages_and_receipts_hidden_anew() {
    let mut queue = fifo();
    for body in ["1", "2", "3"] {
        send(&mut queue, 0, grouped("g", body));
    }
    let first = attempt(&mut queue, 0, "a");
    assert!(attempt(&mut queue, 1_000, "b").is_empty(), "another attempt finds the group in flight");
    let again = attempt(&mut queue, 10_000, "a");
    let receipts = |deliveries: &[Delivery]| deliveries.iter().map(|it| it.receipt).collect::<Vec<_>>();
    assert_eq!((bodies(&again), receipts(&again)), (vec!["1", "2"], receipts(&first)));
    assert_eq!(again[0].record.receives, 1);
    assert!(receive(&mut queue, 39_999).is_empty(), "hidden for 30 s from the repetition");
    assert_eq!(bodies(&attempt(&mut queue, 40_000, "a")), ["1", "2"], "visible again: received anew");
}

#[test]
fn an_attempt_is_not_repeated_once_one_of_its_messages_was_touched() {
    let mut queue = fifo();
    for body in ["1", "2", "3"] {
        send(&mut queue, 0, grouped("g", body));
    }
    let first = attempt(&mut queue, 0, "a");
    queue.change_visibility(1, &first[1].receipt.encode(), 60_000).unwrap();
    assert!(attempt(&mut queue, 2, "a").is_empty());
    queue.delete(3, &first[0].receipt.encode()).unwrap();
    assert!(attempt(&mut queue, 4, "a").is_empty());
}
