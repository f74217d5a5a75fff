use std::time::Duration;

use super::{open, *};
use crate::{
    Function, HandlerResult, Invocation, UnitOfWork, all,
    fixture::{Counter, Ping, Runs, again},
};

/// Calls the gateway, which fails for a value above 0; guarded, as such handlers are.
fn charging(breaker: &CircuitBreaker, runs: &Runs) -> Function {
    let (calling, runs) = (breaker.clone(), runs.clone());
    let charge = move |ping: Ping, context: Context| {
        let (breaker, runs) = (calling.clone(), runs.clone());
        async move {
            let call = async || {
                runs.begin();
                if ping.value > 0 { Err(std::io::Error::other("down")) } else { Ok(()) }
            };
            breaker.call(&context, call).await?;
            HandlerResult::Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
        }
    };
    Function::new("charge").guarded().circuit_breaker(breaker).on(charge)
}

/// The first step of the backoff comes on top of a wait.
fn assert_delays(world: &World, count: usize, wait: Duration) {
    let delays = world.delays();
    assert_eq!(delays.len(), count);
    let bounds = wait..=wait + Duration::from_secs(1);
    assert!(delays.iter().all(|(_, delay)| bounds.contains(delay)), "{delays:?}");
}

#[tokio::test]
async fn while_it_is_open_messages_are_postponed_without_a_handler_or_a_lease() {
    let (world, breaker, runs) = (World::new(), breaker(), Runs::default());
    open(&world, &breaker).await;
    world.clock.advance(Duration::from_secs(10));
    let function = charging(&super::breaker(), &runs);
    let batch: Vec<_> = (0..10).map(|id| world.delivery(&id.to_string(), 0)).collect();
    assert_eq!(world.handle(&function, batch).await.len(), 10);
    assert_eq!((runs.count(), world.ledger.claims()), (0, 0));
    assert_delays(&world, 10, Duration::from_secs(20));
}

#[tokio::test]
async fn a_message_that_comes_back_is_received_once_in_each_open_time() {
    let (world, breaker, runs) = (World::new(), breaker(), Runs::default());
    let function = charging(&breaker, &runs);
    open(&world, &breaker).await;
    let message = world.delivery("1", 1);
    for (receives, open_s) in [(1, 30), (2, 60), (3, 120), (4, 240)] {
        let before = world.queue.postponements().len();
        world.handle(&function, [again(&message, receives)]).await;
        let delay = world.queue.postponements()[before].delay;
        assert!((open_s..=open_s + 1).contains(&delay.as_secs()), "{receives}: {delay:?}");
        world.clock.advance(delay);
    }
    assert_eq!(runs.count(), 3, "each return was a probe");
}

#[tokio::test]
async fn the_message_whose_failure_opens_it_waits_as_long_as_the_others() {
    let (world, breaker, runs) = (World::new(), breaker().failures(1), Runs::default());
    world.handle(&charging(&breaker, &runs), [world.delivery("1", 1)]).await;
    assert_delays(&world, 1, Duration::from_secs(30));
}

#[tokio::test]
async fn a_batch_that_comes_when_it_is_due_sends_one_probe_and_goes_on_with_it() {
    let (world, breaker, runs) = (World::new(), breaker(), Runs::default());
    let function = charging(&breaker, &runs);
    open(&world, &breaker).await;
    world.clock.advance(Duration::from_secs(30));
    let batch = |value| (0..10).map(|id| world.delivery(&id.to_string(), value)).collect::<Vec<_>>();
    assert_eq!(world.handle(&function, batch(1)).await.len(), 10);
    assert_eq!(runs.count(), 1);
    assert_delays(&world, 10, Duration::from_mins(1));
    world.clock.advance(Duration::from_mins(1));
    assert!(world.handle(&function, batch(0)).await.is_empty());
    assert_eq!(world.count().await, 10);
}

#[tokio::test]
async fn a_probe_that_is_not_done_at_the_deadline_has_failed_and_its_message_waits() {
    let (world, breaker) = (World::new(), breaker());
    open(&world, &breaker).await;
    world.clock.advance(Duration::from_secs(30));
    let calling = breaker.clone();
    let hanging = Function::new("hanging").circuit_breaker(&breaker).on(move |_: Ping, context: Context| {
        let breaker = calling.clone();
        async move {
            breaker.call(&context, std::future::pending::<Result<(), std::io::Error>>).await?;
            Ok(UnitOfWork::new())
        }
    });
    let soon = Invocation::until(world.now() + Duration::from_secs(1), world.clock.as_ref());
    hanging.handle_batch(&world.ports, &world.queue, soon, vec![world.delivery("1", 0)]).await;
    assert_delays(&world, 1, Duration::from_mins(1));
}

#[tokio::test]
async fn what_was_handled_is_replayed_also_while_it_is_open() {
    let (world, breaker, runs) = (World::new(), breaker(), Runs::default());
    let (function, message) = (charging(&breaker, &runs), world.delivery("1", 0));
    assert!(world.handle(&function, [message.clone()]).await.is_empty());
    open(&world, &breaker).await;
    assert!(world.handle(&function, [again(&message, 2)]).await.is_empty());
}
