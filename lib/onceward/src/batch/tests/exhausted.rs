//! What becomes of a message that fails at the last receive its queue allows.

use std::{future::pending, time::Duration};

use chrono::TimeDelta;

use crate::{
    Context, Delivery, Function, HandlerResult, Invocation, Reason, UnitOfWork,
    fixture::{Ping, World, again},
};

/// The receive after which the queue moves a message.
const LIMIT: u32 = 5;

/// Fails with a cause, but for 0; 5 never ends.
async fn fail(ping: Ping, _context: Context) -> HandlerResult {
    match ping.value {
        0 => Ok(UnitOfWork::new()),
        5 => pending().await,
        _ => Err(Busy { source: "the gateway is busy".into() }.into()),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the card was not charged")]
struct Busy {
    source: Box<dyn std::error::Error + Send + Sync>,
}

fn failing() -> Function {
    Function::new("fails").on(fail)
}

fn limited() -> World {
    let world = World::new();
    world.queue.limit_receives(LIMIT);
    world
}

fn errors(world: &World) -> Vec<(String, Reason, String)> {
    let letters = world.queue.letters().into_iter();
    letters.map(|letter| (letter.message_id, letter.reason, letter.error)).collect()
}

#[tokio::test]
async fn a_failure_at_the_last_receive_is_a_letter_with_the_whole_error_and_the_attempts() {
    let world = limited();
    let last = again(&world.delivery("1", 1), LIMIT);
    world.clock.advance(Duration::from_mins(1));
    assert!(world.handle(&failing(), [last.clone()]).await.is_empty(), "it is acknowledged");
    let [letter] = world.queue.letters().try_into().expect("one letter");
    let error = "the card was not charged: the gateway is busy";
    assert_eq!((letter.reason, letter.error.as_str(), letter.attempts), (Reason::RetriesExhausted, error, LIMIT));
    assert_eq!((letter.body, letter.source, letter.function.as_str()), (last.body, last.source, "fails"));
    assert_eq!((Some(letter.first_failed_at), letter.last_failed_at), (last.first_received_at, world.now()));
    assert!(world.delays().is_empty());
}

#[tokio::test]
async fn before_the_last_receive_a_failure_is_retried_and_beyond_it_is_a_letter_too() {
    let world = limited();
    let batch = [again(&world.delivery("1", 1), LIMIT - 1), again(&world.delivery("2", 1), LIMIT + 1)];
    assert_eq!(world.handle(&failing(), batch).await, ["m-1"]);
    assert_eq!(errors(&world).len(), 1);
    assert_eq!((world.queue.letters()[0].message_id.as_str(), world.queue.letters()[0].attempts), ("m-2", LIMIT + 1));
}

#[tokio::test]
async fn a_letter_that_cannot_be_sent_leaves_the_message_to_its_queue() {
    let world = limited();
    world.queue.refuse_letters(true);
    assert_eq!(world.handle(&failing(), [again(&world.delivery("1", 1), LIMIT)]).await, ["m-1"]);
    assert!(world.queue.letters().is_empty());
    assert_eq!(world.delays().len(), 1);
}

#[tokio::test]
async fn nobody_asks_for_the_limit_before_something_fails() {
    let world = limited();
    assert!(world.handle(&failing(), [again(&world.delivery("1", 0), LIMIT)]).await.is_empty());
    assert!(world.handle(&failing(), [world.delivery_of("2", "garbage")]).await.is_empty());
    assert_eq!(world.queue.limit_reads(), 0, "a success and a terminal failure do not need it");
    assert_eq!(world.handle(&failing(), [world.delivery("3", 1)]).await, ["m-3"]);
    assert_eq!(world.queue.limit_reads(), 1);
}

#[tokio::test]
async fn a_panic_and_a_deadline_that_is_near_are_letters_too() {
    let world = limited();
    let panics = Function::new("panics").on(|_: Ping, _: Context| async { panic!("at last") });
    assert!(world.handle(&panics, [again(&world.delivery("1", 1), LIMIT)]).await.is_empty());
    let invocation = Invocation::until(world.now() + TimeDelta::milliseconds(1_300), world.clock.as_ref());
    let batch = vec![again(&world.delivery("2", 5), LIMIT)];
    assert!(failing().handle_batch(&world.ports, &world.queue, invocation, batch).await.is_empty());
    let expected = ["the handler panicked: at last", "the invocation's deadline is near and the handler is not done"];
    let expected = ["m-1", "m-2"].into_iter().zip(expected);
    let expected = expected.map(|(id, error)| (id.to_owned(), Reason::RetriesExhausted, error.to_owned()));
    assert_eq!(errors(&world), expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_not_started_is_a_letter_with_that_as_error_if_there_is_time() {
    let near = "the invocation's deadline is near".to_owned();
    for (left_ms, letters) in [(300, vec![("m-1".to_owned(), Reason::RetriesExhausted, near)]), (100, vec![])] {
        let world = limited();
        let invocation = Invocation::until(world.now() + TimeDelta::milliseconds(left_ms), world.clock.as_ref());
        let batch = vec![again(&world.delivery("1", 0), LIMIT)];
        let failed = failing().handle_batch(&world.ports, &world.queue, invocation, batch).await;
        assert_eq!((failed.len() + letters.len(), errors(&world)), (1, letters), "{left_ms} ms are left");
    }
    let world = limited();
    world.ports.shutdown.request();
    let batch = [again(&world.delivery("1", 0), LIMIT), world.delivery("2", 0)];
    assert_eq!(world.handle(&failing(), batch).await, ["m-2"]);
    let stopped = "the process is about to be stopped".to_owned();
    assert_eq!(errors(&world), [("m-1".to_owned(), Reason::RetriesExhausted, stopped)]);
}

#[tokio::test]
async fn what_follows_a_failure_of_its_order_is_a_letter_if_it_was_its_last_receive() {
    let world = limited();
    let ordered = |id: &str, value, receive_count| Delivery {
        ordering_key: Some("a".to_owned()),
        ..again(&world.delivery(id, value), receive_count)
    };
    let batch = [ordered("1", 1, 1), ordered("2", 0, LIMIT), ordered("3", 0, 1)];
    assert_eq!(world.handle(&failing(), batch).await, ["m-1", "m-3"]);
    let followed = "an earlier one of its order failed".to_owned();
    assert_eq!(errors(&world), [("m-2".to_owned(), Reason::RetriesExhausted, followed)]);
    assert_eq!(world.queue.letters()[0].group.as_deref(), Some("a"));
}

#[tokio::test]
async fn an_order_goes_on_behind_a_letter_of_a_last_receive() {
    let world = limited();
    let ordered = |id: &str, value, receive_count| Delivery {
        ordering_key: Some("a".to_owned()),
        ..again(&world.delivery(id, value), receive_count)
    };
    assert!(world.handle(&failing(), [ordered("1", 1, LIMIT), ordered("2", 0, 1)]).await.is_empty());
    assert_eq!(errors(&world).len(), 1);
}
