use super::{alone, assert_counts, counting, one_more, sizes};
use crate::{
    Context, Function, HandlerError, HandlerResult,
    fixture::{Counter, Fault, Ping, Runs, World, again},
    present,
};

/// The messages given up.
fn letters(world: &World) -> Vec<String> {
    world.queue.letters().into_iter().map(|letter| letter.message_id).collect()
}

#[tokio::test]
async fn a_failed_condition_fails_its_record_and_no_other() {
    let (world, runs) = (World::new(), Runs::default());
    let counter = runs.clone();
    let function = Function::new("count").commits_grouped(10).on(move |ping: Ping, _: Context| {
        counter.begin();
        async move {
            let unit = one_more(&ping);
            Ok(if ping.value == 1 { unit.check::<Counter>(Counter::the_key(), present()) } else { unit })
        }
    });
    let batch = [0, 1, 2, 3].map(|value| world.delivery(&value.to_string(), value));
    assert!(world.handle(&function, batch).await.is_empty());
    assert_eq!(letters(&world), ["m-1"]);
    assert_counts(&world, [1, 0, 1, 1]).await;
    assert_eq!(runs.count(), 3 + 2, "only the record whose condition failed runs again");
    assert_eq!((sizes(&world), alone(&world)), (vec![4], 3 + 2));
}

#[tokio::test]
async fn a_record_cancels_one_group_at_most() {
    let world = World::new();
    let function = Function::new("count").commits_grouped(10).concurrency(3).on(|ping: Ping, _: Context| async move {
        if ping.value == 1 {
            tokio::task::yield_now().await;
            return Ok(one_more(&ping).check::<Counter>(Counter::the_key(), present()));
        }
        Ok(one_more(&ping))
    });
    let batch: Vec<_> = (0..9).map(|value| world.delivery(&value.to_string(), value)).collect();
    assert!(world.handle(&function, batch).await.is_empty());
    assert_eq!(letters(&world), ["m-1"]);
    let groups = world.ledger.groups();
    let with_it = groups.iter().filter(|group| group.iter().any(|commit| commit.key.idempotency_key == "e-1"));
    assert_eq!(with_it.count(), 1);
    assert!(groups.len() > 1);
    assert_counts(&world, [1, 0, 1, 1, 1, 1, 1, 1, 1]).await;
}

#[tokio::test]
async fn records_that_lost_a_race_run_again_on_fresh_reads() {
    let world = World::new();
    let function = Function::new("read").commits_grouped(10).on(|_: Ping, context: Context| async move {
        let key = Counter::the_key();
        let before = context.load::<Counter>(&key).await?.map_or(0, |counter| counter.count);
        let unread = if before == 0 { crate::absent() } else { crate::equals("count", before) };
        Ok(crate::UnitOfWork::new().put(&Counter { count: before + 1 }, unread))
    });
    let mut batch = [1, 2, 3, 4].map(|id| world.delivery(&id.to_string(), id)).to_vec();
    for receive_count in 2..20 {
        let failed = world.handle(&function, batch.clone()).await;
        batch.retain(|message| failed.contains(&message.message_id));
        batch = batch.iter().map(|message| again(message, receive_count)).collect();
    }
    assert_eq!((batch.len(), world.count().await), (0, 4));
}

#[tokio::test]
async fn a_group_whose_answer_was_lost_is_applied_once() {
    let (world, runs) = (World::new(), Runs::default());
    world.ledger.fail([Fault::AnswerLost]);
    let batch = [0, 1, 2].map(|value| world.delivery(&value.to_string(), value));
    assert!(world.handle(&counting(&runs), batch.clone()).await.is_empty());
    assert_eq!((sizes(&world), alone(&world), runs.count()), (vec![3], 3, 3));
    assert!(world.handle(&counting(&runs), batch.map(|message| again(&message, 2))).await.is_empty());
    assert_counts(&world, [1, 1, 1]).await;
    assert_eq!(world.ledger.memory().take_outbox().len(), 3);
}

#[tokio::test]
async fn a_group_whose_outcome_stays_unknown_is_found_by_the_redelivery() {
    let (world, runs) = (World::new(), Runs::default());
    world.ledger.fail([Fault::AnswerLost].into_iter().chain([Fault::Busy; 15]));
    let batch = [0, 1, 2].map(|value| world.delivery(&value.to_string(), value));
    assert_eq!(world.handle(&counting(&runs), batch.clone()).await.len(), 3);
    assert!(world.handle(&counting(&runs), batch.map(|message| again(&message, 2))).await.is_empty());
    assert_counts(&world, [1, 1, 1]).await;
    assert_eq!(runs.count(), 3);
}

#[tokio::test]
async fn a_group_that_fails_is_sent_commit_by_commit() {
    for fault in [Fault::Busy, Fault::Broken, Fault::Panic] {
        let (world, runs) = (World::new(), Runs::default());
        world.ledger.fail([fault]);
        let batch = [0, 1, 2].map(|value| world.delivery(&value.to_string(), value));
        assert!(world.handle(&counting(&runs), batch).await.is_empty(), "{fault:?}");
        assert_eq!((sizes(&world), alone(&world), runs.count()), (vec![3], 3, 3));
        assert_counts(&world, [1, 1, 1]).await;
    }
}

/// After the group, only the record that meets the fault fails.
#[tokio::test]
async fn a_commit_that_fails_by_itself_too_fails_its_record_and_no_other() {
    let (world, runs) = (World::new(), Runs::default());
    world.ledger.fail([Fault::Busy, Fault::Broken]);
    let batch = [0, 1, 2].map(|value| world.delivery(&value.to_string(), value));
    assert_eq!(world.handle(&counting(&runs), batch).await, ["m-0"]);
    assert_counts(&world, [0, 1, 1]).await;
}

/// Counts, or fails with what its value says, later than the others count.
async fn obey(ping: Ping, _context: Context) -> HandlerResult {
    if ping.value >= 7 {
        tokio::task::yield_now().await;
    }
    match ping.value {
        7 => panic!("seven is too much"),
        8 => Err(HandlerError::terminal("eight is wrong")),
        9 => Err("not a number".parse::<u32>().expect_err("it is none").into()),
        _ => Ok(one_more(&ping)),
    }
}

#[tokio::test]
async fn handlers_that_never_commit_hold_nobody() {
    let world = World::new();
    let function = Function::new("obey").commits_grouped(10).on(obey);
    let values = [7, 0, 8, 1, 9, 2];
    let batch = values.map(|value| world.delivery(&value.to_string(), value)).to_vec();
    let garbage = world.delivery_of("garbage", "{");
    let mut failed = world.handle(&function, [batch, vec![garbage]].concat()).await;
    failed.sort();
    assert_eq!(failed, ["m-7", "m-9"]);
    assert_eq!((sizes(&world), alone(&world)), (vec![3], 0));
    assert_counts(&world, [1, 1, 1]).await;
    assert_eq!(world.queue.letters().len(), 2);
}
