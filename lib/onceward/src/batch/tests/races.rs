use crate::{
    Condition, Context, Function, Ports, Reason, UnitOfWork, Update, absent, all, at_least, equals,
    fixture::{Counter, Fault, Ping, Runs, World, again},
    present, version,
};

/// Reads the count and writes one more, under the condition that nobody else did meanwhile. In its first `losing` runs
/// somebody does.
fn reading(runs: &Runs, world: &World, losing: u32) -> Function {
    let (runs, ports) = (runs.clone(), world.ports.clone());
    Function::new("read").on(move |_: Ping, context: Context| {
        let (run, ports) = (runs.begin(), ports.clone());
        async move {
            let before = context.load::<Counter>(&Counter::the_key()).await?.map_or(0, |counter| counter.count);
            if run <= losing {
                overtake(&ports, run).await;
            }
            let unread = if before == 0 { absent() } else { equals("count", before) };
            Ok(UnitOfWork::new().put(&Counter { count: before + 1 }, unread))
        }
    })
}

/// Another function's commit to the same row.
async fn overtake(ports: &Ports, run: u32) {
    let other = Function::new("overtake").on(|_: Ping, _: Context| async {
        Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
    });
    let world = World::new();
    let message = world.delivery(&format!("overtaking-{run}"), run);
    let failed = other.handle_batch(ports, &world.queue, world.invocation(), vec![message]).await;
    assert!(failed.is_empty());
}

fn counting() -> Function {
    Function::new("count").on(|ping: Ping, _: Context| async move {
        let unit = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
        Ok(unit.publish(&ping))
    })
}

#[tokio::test]
async fn a_handler_that_lost_a_race_runs_again_on_fresh_reads() {
    let (world, runs) = (World::new(), Runs::default());
    assert!(world.handle(&reading(&runs, &world, 2), [world.delivery("1", 1)]).await.is_empty());
    assert_eq!((world.count().await, runs.count()), (3, 3));
}

#[tokio::test]
async fn a_handler_that_keeps_losing_is_retried_later() {
    let (world, runs) = (World::new(), Runs::default());
    let before = world.now();
    assert_eq!(world.handle(&reading(&runs, &world, u32::MAX), [world.delivery("1", 1)]).await, ["m-1"]);
    assert_eq!((world.count().await, runs.count()), (5, 5));
    assert!(world.now() > before, "it pauses between the runs");
    assert_eq!(world.delays().len(), 1);
    assert!(world.queue.letters().is_empty());
}

/// Writes without a look at the row; in its first runs somebody else writes it before.
fn blind(runs: &Runs, world: &World, condition: Condition, overtaken: u32) -> Function {
    let (runs, ports) = (runs.clone(), world.ports.clone());
    Function::new("blind").on(move |_: Ping, _: Context| {
        let (run, ports, condition) = (runs.begin(), ports.clone(), condition.clone());
        async move {
            if run <= overtaken {
                overtake(&ports, run).await;
            }
            Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), condition))
        }
    })
}

#[tokio::test]
async fn a_condition_on_a_row_that_stays_missing_is_given_up_as_that() {
    for condition in [present(), at_least("count", 1), version(3), equals("a", 1), all([at_least("count", 0)])] {
        let (world, runs) = (World::new(), Runs::default());
        let function = blind(&runs, &world, condition.clone(), 0);
        assert!(world.handle(&function, [world.delivery("1", 1)]).await.is_empty(), "{condition:?}");
        let letter = world.queue.letters().remove(0);
        assert_eq!(
            (letter.reason, letter.attempts, runs.count()),
            (Reason::ConditionCannotHold, 1, 2),
            "{condition:?}"
        );
        assert!(letter.error.starts_with("the row counters/counter does not exist, and"), "{}", letter.error);
        assert_eq!(world.count().await, 0);
    }
}

#[tokio::test]
async fn a_row_that_must_not_be_there_and_stays_is_given_up_as_that() {
    for condition in [absent(), absent().and(present()), all([all([]), absent()])] {
        let (world, runs) = (World::new(), Runs::default());
        overtake(&world.ports, 0).await;
        let function = blind(&runs, &world, condition.clone(), 0);
        assert!(world.handle(&function, [world.delivery("1", 1)]).await.is_empty(), "{condition:?}");
        let letter = world.queue.letters().remove(0);
        assert_eq!((letter.reason, runs.count()), (Reason::ConditionCannotHold, 2), "{condition:?}");
        assert!(letter.error.starts_with("the row counters/counter exists, and"), "{}", letter.error);
        assert_eq!(world.count().await, 1);
    }
}

#[tokio::test]
async fn a_row_that_comes_after_the_first_run_was_a_race() {
    let (world, runs) = (World::new(), Runs::default());
    let (begun, ports) = (runs.clone(), world.ports.clone());
    let function = Function::new("late").on(move |_: Ping, _: Context| {
        let (run, ports) = (begun.begin(), ports.clone());
        async move {
            if run == 2 {
                overtake(&ports, run).await;
            }
            Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), present()))
        }
    });
    assert!(world.handle(&function, [world.delivery("1", 1)]).await.is_empty());
    assert_eq!((world.count().await, runs.count(), world.queue.letters().len()), (2, 2, 0));
}

/// It may come to hold: nothing but its value stands in the way.
#[tokio::test]
async fn a_condition_on_the_value_of_a_row_is_tried_again_later() {
    for condition in [at_least("count", 100), equals("count", 100), version(1)] {
        let (world, runs) = (World::new(), Runs::default());
        overtake(&world.ports, 0).await;
        let function = blind(&runs, &world, condition, 0);
        assert_eq!(world.handle(&function, [world.delivery("1", 1)]).await, ["m-1"]);
        assert_eq!((runs.count(), world.queue.letters().len()), (5, 0));
    }
}

/// Each run finds another row missing: each may have been taken by somebody else.
#[tokio::test]
async fn another_row_in_each_run_may_be_a_race() {
    let (world, runs) = (World::new(), Runs::default());
    let begun = runs.clone();
    let function = Function::new("wandering").on(move |_: Ping, _: Context| {
        let key = crate::Key::new("pk", format!("row-{}", begun.begin()));
        async move { Ok(UnitOfWork::new().update::<Counter>(key, Counter::one_more(), present())) }
    });
    assert_eq!(world.handle(&function, [world.delivery("1", 1)]).await, ["m-1"]);
    assert_eq!((runs.count(), world.queue.letters().len()), (5, 0));
}

#[tokio::test]
async fn each_run_has_a_commit_of_its_own() {
    let (world, runs) = (World::new(), Runs::default());
    world.handle(&reading(&runs, &world, 1), [world.delivery("1", 1)]).await;
    let mut ids = world.ledger.commit_ids();
    assert_eq!(ids.len(), 3, "two of the loser, one of the winner");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn concurrent_takers_of_a_hot_row_never_take_more_than_there_is() {
    let world = World::new();
    let take = Function::new("take").on(|ping: Ping, context: Context| async move {
        let left = context.load::<Counter>(&Counter::the_key()).await?.map_or(0, |counter| counter.count);
        tokio::task::yield_now().await;
        if left == 0 {
            return Ok(UnitOfWork::new());
        }
        let take = Update::new().subtract("count", 1);
        Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), take, at_least("count", 1)).publish(&ping))
    });
    for id in ["given-1", "given-2", "given-3"] {
        world.handle(&counting(), [world.delivery(id, 0)]).await;
    }
    world.ledger.memory().take_outbox();
    let batch: Vec<_> = (0..10).map(|id| world.delivery(&id.to_string(), id)).collect();
    assert!(world.handle(&take, batch).await.is_empty());
    assert_eq!((world.count().await, world.ledger.memory().take_outbox().len()), (0, 3));
}

#[tokio::test]
async fn a_busy_ledger_gets_the_same_commit_again() {
    let world = World::new();
    world.ledger.fail([Fault::Busy; 4]);
    assert!(world.handle(&counting(), [world.delivery("1", 1)]).await.is_empty());
    let ids = world.ledger.commit_ids();
    assert_eq!((world.count().await, ids.len()), (1, 5));
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn a_ledger_that_stays_busy_fails_the_record() {
    let world = World::new();
    world.ledger.fail([Fault::Busy; 5]);
    let message = world.delivery("1", 1);
    assert_eq!(world.handle(&counting(), [message.clone()]).await, ["m-1"]);
    assert_eq!((world.count().await, world.ledger.commit_ids().len(), world.delays().len()), (0, 5, 1));
    assert!(world.handle(&counting(), [again(&message, 2)]).await.is_empty());
    assert_eq!(world.count().await, 1);
}

#[tokio::test]
async fn a_ledger_that_is_broken_is_not_asked_again() {
    let world = World::new();
    world.ledger.fail([Fault::Broken]);
    assert_eq!(world.handle(&counting(), [world.delivery("1", 1)]).await, ["m-1"]);
    assert_eq!(world.ledger.commit_ids().len(), 1);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_recognises_itself() {
    let world = World::new();
    world.ledger.fail([Fault::AnswerLost, Fault::Busy]);
    assert!(world.handle(&counting(), [world.delivery("1", 1)]).await.is_empty());
    assert_eq!((world.count().await, world.ledger.memory().take_outbox().len()), (1, 1));
    assert!(world.queue.letters().is_empty());
}

#[tokio::test]
async fn a_commit_whose_outcome_stays_unknown_is_found_by_the_redelivery() {
    let world = World::new();
    world.ledger.fail([Fault::AnswerLost, Fault::Busy, Fault::Busy, Fault::Busy, Fault::Busy]);
    let message = world.delivery("1", 1);
    assert_eq!(world.handle(&counting(), [message.clone()]).await, ["m-1"]);
    assert!(world.handle(&counting(), [again(&message, 2)]).await.is_empty());
    assert_eq!((world.count().await, world.ledger.memory().take_outbox().len()), (1, 1));
}

#[tokio::test]
async fn a_record_is_remembered_from_its_commit_for_as_long_as_the_function_says() {
    let world = World::new();
    let function = counting().retention(std::time::Duration::from_hours(48));
    assert!(world.handle(&function, [world.delivery("1", 1)]).await.is_empty());
    let commit = world.ledger.commits().remove(0);
    assert_eq!(commit.committed_at, world.now());
    assert_eq!(commit.expires_at, world.now() + chrono::TimeDelta::hours(48));
}

#[tokio::test]
async fn the_first_run_does_not_wait() {
    let world = World::new();
    let before = world.now();
    assert!(world.handle(&counting(), [world.delivery("1", 1)]).await.is_empty());
    assert_eq!(world.now(), before);
}
