use std::time::Duration;

use chrono::TimeDelta;

use crate::{
    Context, Function, HandlerResult, UnitOfWork, all,
    fixture::{Counter, Ping, Runs, World, again},
};

/// Counts, and sets the wall clock by so many hours while it runs.
fn counting(world: &World, runs: &Runs, hours: i64) -> Function {
    let (clock, runs) = (world.clock.clone(), runs.clone());
    Function::new("count").concurrency(1).on(move |_: Ping, _: Context| {
        runs.begin();
        clock.jump(TimeDelta::hours(hours));
        async { Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]))) }
    })
}

#[tokio::test]
async fn a_wall_clock_that_jumps_during_an_invocation_neither_ends_nor_extends_it() {
    for hours in [-48, 48] {
        let (world, runs) = (World::new(), Runs::default());
        let batch = ["1", "2", "3"].map(|id| world.delivery(id, 0));
        assert!(world.handle(&counting(&world, &runs, hours), batch).await.is_empty(), "{hours} h");
        assert_eq!((world.count().await, runs.count()), (3, 3));
    }
}

#[tokio::test]
async fn a_redelivery_is_a_duplicate_whatever_the_wall_clock_says() {
    for hours in [-48, 48] {
        let (world, runs) = (World::new(), Runs::default());
        let message = world.delivery("1", 0);
        let function = counting(&world, &runs, hours);
        for delivery in [message.clone(), message.clone(), again(&message, 2)] {
            assert!(world.handle(&function, [delivery]).await.is_empty(), "{hours} h");
        }
        assert_eq!(world.count().await, 1);
    }
}

/// Its wall clock says that the lease of the first has ended long ago.
#[tokio::test]
async fn an_owner_whose_lease_is_taken_by_a_clock_that_is_ahead_writes_nothing_twice() {
    let (world, runs) = (World::new(), Runs::default());
    let (counter, ports) = (runs.clone(), world.ports.clone());
    let (clock, body, queue) = (world.clock.clone(), world.body("1", 0), crate::memory::MemorySourceQueue::default());
    let queue = std::sync::Arc::new(queue);
    let handler = move |_: Ping, _: Context| {
        let first = counter.begin() == 1;
        let (ports, clock, queue, body) = (ports.clone(), clock.clone(), queue.clone(), body.clone());
        async move {
            if first {
                clock.jump(TimeDelta::hours(1));
                let other = Function::new("charge").guarded().on(charge);
                let delivery = crate::Delivery { message_id: "m".to_owned(), body, ..crate::Delivery::default() };
                let deadline = ports.clock.now() + TimeDelta::seconds(30);
                let invocation = crate::Invocation::until(deadline, clock.as_ref());
                let failed = other.handle_batch(&ports, queue.as_ref(), invocation, vec![delivery]).await;
                assert!(failed.is_empty(), "the lease is taken over: {failed:?}");
            }
            charge(Ping { value: 0 }, ()).await
        }
    };
    let owner = Function::new("charge").guarded().on(handler);
    assert!(world.handle(&owner, [world.delivery("1", 0)]).await.is_empty(), "the late owner finds the result");
    assert_eq!((world.count().await, runs.count()), (1, 1));
}

async fn charge<C>(_: Ping, _: C) -> HandlerResult {
    Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
}

/// Its own wall clock is so far behind that the other's lease seems to last for days.
#[tokio::test]
async fn a_contender_never_waits_longer_than_a_lease_can_last() {
    let world = World::new();
    let message = world.delivery("1", 0);
    let fingerprint = crate::Envelope::parse(&message.body).unwrap().fingerprint().unwrap();
    let now = world.now();
    let expires_at = now + TimeDelta::days(3);
    let lease = crate::Lease { owner: "other".to_owned(), origin: fingerprint.into(), expires_at };
    let key = crate::LedgerKey { function: "charge".to_owned(), idempotency_key: "e-1".to_owned() };
    world.ports.ledger.claim(&crate::Claim { key, lease, now, expires_at }).await.unwrap();
    let guarded = Function::new("charge").guarded().on(charge::<Context>);
    assert_eq!(world.handle(&guarded, [message]).await, ["m-1"]);
    let [(_, delay)] = world.delays().try_into().unwrap();
    assert!((Duration::from_mins(15)..Duration::from_mins(16)).contains(&delay), "{delay:?}");
}
