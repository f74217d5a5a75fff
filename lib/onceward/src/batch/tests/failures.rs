use std::time::Duration;

use chrono::TimeDelta;

use crate::{
    Backoff, Context, Function, HandlerError, HandlerResult, Invocation, Reason, UnitOfWork, absent, all,
    fixture::{Counter, Ping, Runs, World, again},
};

/// Fails with what its value says; 0 counts.
async fn obey(ping: Ping, _context: Context) -> HandlerResult {
    match ping.value {
        0 => {
            let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
            Ok(unit.publish(&ping))
        }
        1 => panic!("one is too much"),
        2 => Err(HandlerError::terminal("two is wrong")),
        3 => Err(HandlerError::invalid("value", "must not be three")),
        4 => Err(HandlerError::retry_after("four is busy", Duration::from_mins(2))),
        5 => std::future::pending().await,
        6 => Ok(UnitOfWork::new().put(&Counter { count: 1 }, absent()).put(&Counter { count: 2 }, absent())),
        _ => Err("not a number".parse::<u32>().expect_err("it is none").into()),
    }
}

fn obeying() -> Function {
    Function::new("obey").on(obey)
}

#[tokio::test]
async fn a_panic_fails_its_record_and_no_other() {
    let world = World::new();
    let batch = [world.delivery("1", 0), world.delivery("2", 1), world.delivery("3", 0)];
    assert_eq!(world.handle(&obeying(), batch).await, ["m-2"]);
    assert_eq!((world.count().await, world.ledger.memory().take_outbox().len()), (2, 2));
    assert!(world.queue.letters().is_empty());
}

#[tokio::test]
async fn a_panic_before_the_first_await_fails_its_record_and_no_other() {
    let world = World::new();
    let function = Function::new("panics").on(|ping: Ping, _: Context| {
        assert!(ping.value == 0, "not zero");
        async { Ok(UnitOfWork::new()) }
    });
    let batch = [world.delivery("1", 1), world.delivery("2", 0)];
    assert_eq!(world.handle(&function, batch).await, ["m-1"]);
}

#[tokio::test]
async fn a_terminal_error_moves_the_message_with_its_reason_and_acknowledges_it() {
    let world = World::new();
    let message = again(&world.delivery("1", 2), 3);
    world.clock.advance(Duration::from_secs(5));
    assert!(world.handle(&obeying(), [message.clone()]).await.is_empty());
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!((letter.reason, letter.error.as_str()), (Reason::Terminal, "two is wrong"));
    assert_eq!((letter.body, letter.message_id), (message.body, "m-1".to_owned()));
    assert_eq!((letter.function.as_str(), letter.source, letter.attempts), ("obey", message.source, 3));
    assert_eq!((Some(letter.first_failed_at), letter.last_failed_at), (message.first_received_at, world.now()));
    assert_eq!(letter.event, Some(("e-1".to_owned(), "ping.sent.v1".to_owned())));
    assert!(world.delays().is_empty());
}

#[tokio::test]
async fn a_dead_letter_names_the_field() {
    let world = World::new();
    world.handle(&obeying(), [world.delivery("1", 3)]).await;
    assert_eq!(world.queue.letters()[0].error, "value: must not be three");
}

#[tokio::test]
async fn a_message_stays_in_its_queue_when_the_dead_letter_cannot_be_sent() {
    let world = World::new();
    world.queue.refuse_letters(true);
    assert_eq!(world.handle(&obeying(), [world.delivery("1", 2), world.delivery_of("2", "garbage")]).await.len(), 2);
    assert_eq!(world.delays().len(), 2);
    world.queue.refuse_letters(false);
    assert!(world.handle(&obeying(), [again(&world.delivery("1", 2), 2)]).await.is_empty());
    assert_eq!(world.queue.letters().len(), 1);
}

#[tokio::test]
async fn what_is_no_event_of_the_function_goes_to_the_dead_letters_as_received() {
    let world = World::new();
    let event = world.body("1", 0);
    let cases = [
        ("{".to_owned(), Reason::MalformedEvent, "line 1 column 1"),
        (String::new(), Reason::MalformedEvent, "EOF"),
        ("null".to_owned(), Reason::MalformedEvent, "invalid type"),
        (r#"{"detail": {"order": 1}}"#.to_owned(), Reason::MalformedEvent, "missing field"),
        (event.replace(r#""1.0""#, r#""2.0""#), Reason::MalformedEvent, "only 1.0 is understood"),
        (event.replace(r#""e-1""#, r#""""#), Reason::MalformedEvent, "`id`"),
        (event.replace("ping.sent.v1", "ping.sent.v2"), Reason::UnknownEventType, "handles ping.sent.v1"),
        (event.replace(r#""value":0"#, r#""value":-1"#), Reason::SchemaRefused, "value: invalid value"),
        (event.replace(r#""value":0"#, r#""velue":0"#), Reason::SchemaRefused, "missing field `value`"),
        (event.replace(r#"{"value":0}"#, "[0]"), Reason::SchemaRefused, "invalid type: sequence, expected struct Ping"),
        (event.replace("e-1", &"e".repeat(1_025)), Reason::IdempotencyKeyInvalid, "1025 bytes"),
    ];
    for (number, (body, reason, error)) in cases.into_iter().enumerate() {
        assert!(world.handle(&obeying(), [world.delivery_of("1", &body)]).await.is_empty(), "{body}");
        let letter = &world.queue.letters()[number];
        assert_eq!((letter.reason, &letter.body), (reason, &body));
        assert!(letter.error.contains(error), "{body}: {}", letter.error);
    }
    assert_eq!(world.count().await, 0);
}

#[tokio::test]
async fn effects_that_cannot_be_committed_go_to_the_dead_letters() {
    let world = World::new();
    assert!(world.handle(&obeying(), [world.delivery("1", 6)]).await.is_empty());
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!(letter.reason, Reason::InvalidUnitOfWork);
    assert!(letter.error.contains("counters/counter is touched twice"), "{}", letter.error);
    assert_eq!(world.count().await, 0);
}

#[tokio::test]
async fn a_retryable_error_comes_back_by_a_backoff_that_grows_with_the_receives() {
    for (receive_count, bound_s) in [(1, 1), (2, 2), (3, 4), (5, 16), (11, 900), (1_000, 900)] {
        let world = World::new();
        let messages: Vec<_> = (0..40).map(|id| again(&world.delivery(&id.to_string(), 9), receive_count)).collect();
        assert_eq!(world.handle(&obeying(), messages).await.len(), 40);
        let delays: Vec<_> = world.delays().into_iter().map(|(_, delay)| delay).collect();
        let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
        let bound = Duration::from_secs(bound_s);
        assert!(*most <= bound && *most > bound / 2, "{receive_count}: {most:?} of {bound:?}");
        assert!(*least < bound / 2, "{receive_count}: {least:?} of {bound:?}");
        assert!(world.queue.letters().is_empty(), "the queue counts receives, not the function");
    }
}

#[tokio::test]
async fn a_function_may_have_a_backoff_of_its_own() {
    let world = World::new();
    let quick = Backoff { base: Duration::from_millis(1), ..Backoff::MESSAGES };
    world.handle(&obeying().backoff(quick), [world.delivery("1", 9)]).await;
    assert!(world.delays()[0].1 <= Duration::from_millis(1));
}

#[tokio::test]
async fn a_message_does_not_come_back_before_the_failed_party_wants() {
    let world = World::new();
    assert_eq!(world.handle(&obeying(), [again(&world.delivery("1", 4), 4)]).await, ["m-1"]);
    let (wanted, delay) = (Duration::from_mins(2), world.delays()[0].1);
    assert!((wanted..=wanted + Duration::from_secs(1)).contains(&delay), "{delay:?}");
}

#[tokio::test]
async fn near_the_deadline_nothing_is_started_and_the_rest_comes_back_at_once() {
    let (world, runs) = (World::new(), Runs::default());
    let (counter, clock) = (runs.clone(), world.clock.clone());
    let slow = Function::new("slow").concurrency(1).on(move |_: Ping, _: Context| {
        counter.begin();
        clock.advance(Duration::from_secs(15));
        async { Ok(UnitOfWork::new()) }
    });
    let batch = ["1", "2", "3", "4"].map(|id| world.delivery(id, 0));
    assert_eq!(world.handle(&slow, batch).await, ["m-3", "m-4"]);
    assert_eq!(runs.count(), 2);
    assert_eq!(world.delays(), [("r-3".to_owned(), Duration::ZERO), ("r-4".to_owned(), Duration::ZERO)]);
    assert!(world.queue.letters().is_empty());
}

#[tokio::test]
async fn the_time_to_report_failures_is_not_spent_on_a_record() {
    let world = World::new();
    for (left_ms, failed) in [(300, 1), (301, 0)] {
        let invocation = Invocation::until(world.now() + TimeDelta::milliseconds(left_ms), world.clock.as_ref());
        let batch = vec![world.delivery("1", 0)];
        assert_eq!(obeying().handle_batch(&world.ports, &world.queue, invocation, batch).await.len(), failed);
    }
}

#[tokio::test]
async fn a_handler_that_is_not_done_at_the_deadline_is_dropped_and_retried() {
    let world = World::new();
    let deadline = world.now() + TimeDelta::milliseconds(1_300);
    let batch = vec![world.delivery("2", 0), world.delivery("1", 5)];
    let invocation = Invocation::until(deadline, world.clock.as_ref());
    let failed = obeying().handle_batch(&world.ports, &world.queue, invocation, batch).await;
    assert_eq!(failed.into_iter().map(|failure| failure.message_id).collect::<Vec<_>>(), ["m-1"]);
    assert_eq!(world.now(), deadline - TimeDelta::milliseconds(300), "time is left to report the failure");
    assert_eq!(world.count().await, 1);
}

/// What is given up at its first receive failed then for the first time, however long it was on its way to the handler.
#[tokio::test]
async fn a_first_receive_has_failed_just_now() {
    let world = World::new();
    let message = world.delivery("1", 2);
    world.clock.advance(Duration::from_secs(5));
    world.handle(&obeying(), [message]).await;
    let letter = world.queue.letters().remove(0);
    assert_eq!((letter.attempts, letter.first_failed_at, letter.last_failed_at), (1, world.now(), world.now()));
}
