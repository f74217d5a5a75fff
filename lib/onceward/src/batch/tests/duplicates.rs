use std::time::Duration;

use crate::{
    Context, Function, HandlerError, Reason, UnitOfWork, absent, all,
    fixture::{Counter, Fault, Ping, Runs, World, again},
};

/// Counts each ping whose effects are written, and its own runs.
fn counting(runs: &Runs) -> Function {
    let runs = runs.clone();
    Function::new("count").on(move |ping: Ping, _: Context| {
        runs.begin();
        async move {
            let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
            Ok(unit.publish(&ping))
        }
    })
}

#[tokio::test]
async fn a_redelivery_after_the_commit_is_replayed_without_a_run() {
    let (world, runs) = (World::new(), Runs::default());
    let (function, message) = (counting(&runs), world.delivery("1", 1));
    assert!(world.handle(&function, [message.clone()]).await.is_empty());
    assert!(world.handle(&function, [again(&message, 2)]).await.is_empty());
    assert_eq!((world.count().await, runs.count()), (1, 1));
    assert_eq!(world.ledger.memory().take_outbox().len(), 1);
    assert!(world.queue.letters().is_empty());
}

#[tokio::test]
async fn redeliveries_are_read_in_one_call_and_first_deliveries_not_at_all() {
    let (world, runs) = (World::new(), Runs::default());
    let messages = ["1", "2", "3"].map(|id| world.delivery(id, 1));
    assert!(world.handle(&counting(&runs), messages.clone()).await.is_empty());
    assert_eq!(world.ledger.finds(), 0);
    assert!(world.handle(&counting(&runs), messages.each_ref().map(|message| again(message, 2))).await.is_empty());
    assert_eq!((world.ledger.finds(), runs.count()), (1, 3));
}

#[tokio::test]
async fn a_redelivery_before_any_commit_runs_the_handler() {
    let (world, runs) = (World::new(), Runs::default());
    let message = again(&world.delivery("1", 1), 2);
    assert!(world.handle(&counting(&runs), [message]).await.is_empty());
    assert_eq!((world.count().await, runs.count()), (1, 1));
}

#[tokio::test]
async fn the_same_event_in_another_message_changes_nothing() {
    let (world, runs) = (World::new(), Runs::default());
    let body = world.body("1", 1);
    for id in ["first", "second"] {
        assert!(world.handle(&counting(&runs), [world.delivery_of(id, &body)]).await.is_empty());
    }
    assert_eq!((world.count().await, runs.count()), (1, 2));
    assert_eq!(world.ledger.memory().take_outbox().len(), 1);
}

/// Neither commits before both run, whether they are in one batch or in two invocations.
#[tokio::test]
async fn two_deliveries_at_once_commit_once() {
    for in_one_batch in [true, false] {
        let (world, runs) = (World::new(), Runs::default());
        let begun = runs.clone();
        let both = Function::new("count").on(move |ping: Ping, _: Context| {
            let runs = begun.clone();
            async move {
                runs.begin();
                while runs.count() < 2 {
                    tokio::task::yield_now().await;
                }
                let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
                Ok(unit.publish(&ping))
            }
        });
        let body = world.body("1", 1);
        let [first, second] = ["first", "second"].map(|id| world.delivery_of(id, &body));
        let failed = if in_one_batch {
            world.handle(&both, [first, second]).await
        } else {
            let (one, other) = tokio::join!(world.handle(&both, [first]), world.handle(&both, [second]));
            [one, other].concat()
        };
        assert!(failed.is_empty(), "{failed:?}");
        assert_eq!((runs.count(), world.ledger.commit_ids().len()), (2, 2), "both ran, and both tried to commit");
        assert_eq!((world.count().await, world.ledger.memory().take_outbox().len()), (1, 1));
        assert!(world.queue.letters().is_empty());
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_ahead_costs_a_run_and_no_effect() {
    let (world, runs) = (World::new(), Runs::default());
    let (function, message) = (counting(&runs), world.delivery("1", 1));
    world.handle(&function, [message.clone()]).await;
    world.ledger.cannot_be_read(Fault::Busy);
    assert!(world.handle(&function, [again(&message, 2)]).await.is_empty());
    assert_eq!((world.count().await, runs.count()), (1, 2));
}

#[tokio::test]
async fn two_functions_handle_the_same_event_once_each() {
    let (world, runs) = (World::new(), Runs::default());
    let message = world.delivery("1", 1);
    let other = Function::new("other").on(|_: Ping, _: Context| async {
        Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
    });
    world.handle(&counting(&runs), [message.clone()]).await;
    world.handle(&other, [message]).await;
    assert_eq!(world.count().await, 2);
}

#[tokio::test]
async fn a_key_with_another_payload_is_refused_and_not_replayed() {
    for receive_count in [1, 2] {
        let (world, runs) = (World::new(), Runs::default());
        world.handle(&counting(&runs), [world.delivery("1", 1)]).await;
        let other = again(&world.delivery("1", 2), receive_count);
        assert!(world.handle(&counting(&runs), [other.clone()]).await.is_empty());
        let [letter] = world.queue.letters().try_into().unwrap();
        assert_eq!((letter.reason, letter.body), (Reason::IdempotencyKeyReused, other.body));
        assert_eq!(world.count().await, 1);
    }
}

#[tokio::test]
async fn an_event_older_than_the_ledger_remembers_is_too_late() {
    let (world, runs) = (World::new(), Runs::default());
    let messages = [world.delivery("1", 1), world.delivery("2", 2)];
    world.clock.advance(Duration::from_hours(15 * 24));
    assert!(world.handle(&counting(&runs), [messages[0].clone()]).await.is_empty());
    assert!(world.queue.letters().is_empty(), "fifteen days are not too late");
    world.clock.advance(Duration::from_millis(1));
    assert!(world.handle(&counting(&runs), [messages[1].clone()]).await.is_empty());
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!((letter.reason, runs.count()), (Reason::TooLate, 1));
}

/// The first run has changed what the second one reads: what the second says of it must not count.
#[tokio::test]
async fn a_duplicate_is_replayed_even_if_the_handler_now_refuses_it() {
    let create = |ping: Ping, context: Context| async move {
        if context.load::<Counter>(&Counter::the_key()).await?.is_some() {
            return Err(match ping.value {
                1 => HandlerError::terminal("there is one already"),
                _ => HandlerError::retry_after("there is one already", Duration::ZERO),
            });
        }
        Ok(UnitOfWork::new().put(&Counter { count: 1 }, absent()))
    };
    for value in [1, 2] {
        let (world, function) = (World::new(), Function::new("create").on(create));
        let body = world.body("1", value);
        assert!(world.handle(&function, [world.delivery_of("first", &body)]).await.is_empty());
        assert!(world.handle(&function, [world.delivery_of("second", &body)]).await.is_empty());
        assert!(world.queue.letters().is_empty(), "{:?}", world.queue.letters());
    }
}

/// A message is not given up while it may be a duplicate; a ledger that is broken will not tell later either.
#[tokio::test]
async fn a_refusal_waits_for_a_ledger_that_is_busy_and_stands_if_it_is_broken() {
    for (fault, failed, letters) in [(Fault::Busy, 1, 0), (Fault::Broken, 0, 1)] {
        let world = World::new();
        world.ledger.cannot_be_read(fault);
        let refuse = Function::new("refuse").on(|_: Ping, _: Context| async { Err(HandlerError::terminal("no")) });
        assert_eq!(world.handle(&refuse, [world.delivery("1", 1)]).await.len(), failed);
        assert_eq!(world.queue.letters().len(), letters);
    }
}

#[tokio::test]
async fn what_cannot_be_parsed_is_refused_without_a_read() {
    let (world, runs) = (World::new(), Runs::default());
    let body = world.body("1", 1).replace(r#""value":1"#, r#""value":-1"#);
    world.handle(&counting(&runs), [world.delivery_of("1", body)]).await;
    assert_eq!((world.queue.letters().len(), world.ledger.finds()), (1, 0));
}
