use std::{future::pending, time::Duration};

use crate::{
    Context, Function, HandlerResult, Ledger as _, LedgerKey, UnitOfWork,
    fixture::{Ping, Runs, World},
};

/// Asks the process to stop in its first run, and then never ends unless its value is 0.
fn stopping(world: &World, runs: &Runs) -> Function {
    let (shutdown, runs) = (world.ports.shutdown.clone(), runs.clone());
    Function::new("stop").concurrency(1).on(move |ping: Ping, _: Context| {
        runs.begin();
        shutdown.request();
        async move {
            match ping.value {
                0 => Ok(UnitOfWork::new()),
                _ => pending::<HandlerResult>().await,
            }
        }
    })
}

#[tokio::test]
async fn after_the_process_was_asked_to_stop_no_record_is_started_and_the_rest_comes_back_at_once() {
    let (world, runs) = (World::new(), Runs::default());
    let batch = ["1", "2", "3"].map(|id| world.delivery(id, 0));
    assert_eq!(world.handle(&stopping(&world, &runs), batch).await, ["m-2", "m-3"]);
    assert_eq!(runs.count(), 1, "the one that ran was committed");
    assert_eq!(world.delays(), [("r-2".to_owned(), Duration::ZERO), ("r-3".to_owned(), Duration::ZERO)]);
}

#[tokio::test]
async fn what_runs_when_the_process_is_asked_to_stop_has_a_short_grace() {
    let (world, runs) = (World::new(), Runs::default());
    let began = world.now();
    assert_eq!(world.handle(&stopping(&world, &runs), [world.delivery("1", 1)]).await, ["m-1"]);
    assert_eq!((world.now() - began).num_milliseconds(), 200);
    assert!(world.queue.letters().is_empty());
}

#[tokio::test]
async fn a_guarded_function_that_is_stopped_gives_its_lease_back() {
    let (world, runs) = (World::new(), Runs::default());
    let guarded = stopping(&world, &runs).guarded();
    assert_eq!(world.handle(&guarded, [world.delivery("1", 1)]).await, ["m-1"]);
    let key = LedgerKey { function: "stop".to_owned(), idempotency_key: "e-1".to_owned() };
    assert_eq!(world.ledger.get(&key).await.unwrap(), None);
}
