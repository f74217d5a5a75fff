//! The runtime refuses what cannot be committed before any call, and replays what can.

use serde_json::json;

use super::{super::limits::ENVELOPE_BYTES_MAX, *};
use crate::{
    Command, Context, Delivery, Function, HandlerResult, HttpRequest, Reason,
    fixture::{Counter, Ping, World, again},
};

/// The event's correlation id, with which every event that it causes is published.
fn correlated(world: &World, id_bytes: usize) -> Delivery {
    let mut envelope: serde_json::Value = serde_json::from_str(&world.body("1", 0)).unwrap();
    envelope["correlationid"] = json!("c".repeat(id_bytes));
    world.delivery_of("1", envelope.to_string())
}

/// Publishes as many events as it is told, beside a change of a row.
fn publishing(count: usize) -> Function {
    Function::new("publish").on(move |ping: Ping, _: Context| async move {
        let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
        HandlerResult::Ok((0..count).fold(unit, |unit, _| unit.publish(&ping)))
    })
}

/// Handles the message; the bytes of its largest event, or why it became a dead letter without any call.
async fn published(count: usize, id_bytes: usize) -> Result<usize, String> {
    let world = World::new();
    assert!(world.handle(&publishing(count), [correlated(&world, id_bytes)]).await.is_empty());
    let Some(letter) = world.queue.letters().pop() else {
        let events = world.ledger.memory().take_outbox();
        assert_eq!((events.len(), world.count().await), (count, 1));
        return Ok(events.iter().map(|event| serde_json::to_string(event).unwrap().len()).max().unwrap());
    };
    assert_eq!(letter.reason, Reason::InvalidUnitOfWork);
    assert!(world.ledger.commit_ids().is_empty(), "the ledger was not called");
    assert_eq!(world.count().await, 0);
    Err(letter.error)
}

#[tokio::test]
async fn an_event_that_the_bus_would_refuse_with_the_ids_of_its_cause_is_not_committed() {
    let short = published(1, 1).await.unwrap();
    let longest = ENVELOPE_BYTES_MAX - short + 1;
    assert_eq!(published(1, longest).await, Ok(ENVELOPE_BYTES_MAX));
    let error = published(1, longest + 1).await.unwrap_err();
    assert!(error.starts_with("bytes of the event ping.sent.v1 in its envelope: 250001, at most 250000"), "{error}");
}

#[tokio::test]
async fn events_that_do_not_fit_the_record_with_the_ids_of_their_cause_are_not_committed() {
    assert!(published(50, 7_000).await.is_ok());
    let error = published(50, 9_000).await.unwrap_err();
    assert!(error.starts_with("bytes of answer and events in the ledger's record: 4"), "{error}");
}

#[tokio::test]
async fn a_row_that_is_too_large_becomes_a_dead_letter_at_once() {
    let world = World::new();
    let function = Function::new("large").on(|_: Ping, _: Context| async {
        HandlerResult::Ok(UnitOfWork::new().put(&Row::new(7).with("text", "x".repeat(ITEM_BYTES_MAX)), absent()))
    });
    assert!(world.handle(&function, [world.delivery("1", 0)]).await.is_empty());
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!(letter.reason, Reason::InvalidUnitOfWork);
    assert!(letter.error.contains("rows/7: 409607, at most 409600 are possible: keep large"), "{}", letter.error);
    assert!(world.ledger.commit_ids().is_empty(), "the ledger was not called");
}

/// A command that answers with this many bytes of JSON.
fn answering(bytes: usize) -> Command {
    Command::new("answer", move |_: serde_json::Value, context: Context| async move {
        let mut answer = context.new_id("a");
        answer.push_str(&"x".repeat(bytes - 2 - answer.len()));
        HandlerResult::Ok(UnitOfWork::new().answer(&answer))
    })
}

#[tokio::test]
async fn the_largest_answer_is_stored_and_replayed_and_a_larger_one_is_refused_by_name() {
    let world = World::new();
    let request = || HttpRequest { request_id: "r".to_owned(), body: b"{}".to_vec(), ..HttpRequest::default() };
    let command = answering(ANSWER_BYTES_MAX);
    let first = command.handle(&world.ports, world.invocation(), request()).await;
    assert_eq!((first.status, first.body.len()), (202, ANSWER_BYTES_MAX));
    assert_eq!(command.handle(&world.ports, world.invocation(), request()).await, first);

    let world = World::new();
    let refused = answering(ANSWER_BYTES_MAX + 1).handle(&world.ports, world.invocation(), request()).await;
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("bytes of an answer as JSON: 65537, at most 65536 are possible"), "{}", refused.body);
    assert!(world.ledger.commit_ids().is_empty(), "the ledger was not called");
}

#[tokio::test]
async fn a_queues_duplicate_finds_the_largest_answer_and_is_acknowledged() {
    let world = World::new();
    let function = Function::new("answer").on(|_: Ping, _: Context| async {
        HandlerResult::Ok(UnitOfWork::new().answer(&"x".repeat(ANSWER_BYTES_MAX - 2)))
    });
    let delivery = world.delivery("1", 0);
    for receive_count in [1, 2] {
        assert!(world.handle(&function, [again(&delivery, receive_count)]).await.is_empty());
    }
    assert_eq!((world.ledger.commit_ids().len(), world.queue.letters().len()), (1, 0));
}
