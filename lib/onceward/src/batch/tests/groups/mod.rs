mod failures;
mod limits;
mod ports;
mod random;
mod waiting;

use crate::{
    Commit, Context, Function, Key, Store as _, UnitOfWork, all,
    fixture::{Counter, Ping, Runs, World},
};

/// The row that pings of this value count in.
fn row(value: u32) -> Key {
    Key::new("pk", format!("counter-{value}"))
}

/// Counts each ping in the row of its value, and its own runs.
fn counting(runs: &Runs) -> Function {
    let runs = runs.clone();
    Function::new("count").commits_grouped(100).on(move |ping: Ping, _: Context| {
        runs.begin();
        async move { Ok(one_more(&ping)) }
    })
}

fn one_more(ping: &Ping) -> UnitOfWork {
    UnitOfWork::new().update::<Counter>(row(ping.value), Counter::one_more(), all([])).publish(ping)
}

async fn count(world: &World, value: u32) -> u64 {
    let row = world.ledger.load("counters", &row(value)).await.unwrap();
    row.map_or(0, |row| serde_dynamo::from_item::<_, Counter>(row).unwrap().count)
}

async fn assert_counts<const N: usize>(world: &World, counts: [u64; N]) {
    for (value, expected) in (0..).zip(counts) {
        assert_eq!(count(world, value).await, expected, "of {value}");
    }
}

/// How many records each group had that was sent, the largest first.
fn sizes(world: &World) -> Vec<usize> {
    let mut sizes: Vec<_> = world.ledger.groups().iter().map(Vec::len).collect();
    sizes.sort_unstable_by(|a, b| b.cmp(a));
    sizes
}

/// How many commits were sent by themselves.
fn alone(world: &World) -> usize {
    world.ledger.commit_ids().len()
}

/// No two commits of a group touch one item.
fn assert_disjoint(group: &[Commit]) {
    let records = group.iter().map(|commit| commit.key.to_string());
    let rows = group.iter().flat_map(|commit| commit.actions.iter().map(crate::Action::row));
    let mut items: Vec<_> = records.chain(rows).collect();
    let count = items.len();
    items.sort();
    items.dedup();
    assert_eq!(items.len(), count, "{items:?}");
}

#[tokio::test]
async fn the_records_of_a_group_are_one_call_to_the_ledger() {
    let (world, runs) = (World::new(), Runs::default());
    let batch = [0, 1, 2, 3, 4].map(|value| world.delivery(&value.to_string(), value));
    assert!(world.handle(&counting(&runs), batch).await.is_empty());
    assert_eq!((sizes(&world), alone(&world), runs.count()), (vec![5], 0, 5));
    assert_counts(&world, [1; 5]).await;
    assert_eq!(world.ledger.memory().take_outbox().len(), 5);
}

#[tokio::test]
async fn unless_said_each_record_commits_by_itself() {
    let (world, runs) = (World::new(), Runs::default());
    for records in [1, 0] {
        let batch = [0, 1, 2].map(|value| world.delivery(&format!("{records}-{value}"), value));
        assert!(world.handle(&counting(&runs).commits_grouped(records), batch).await.is_empty());
    }
    assert_eq!((sizes(&world), alone(&world)), (vec![], 6));
}

#[tokio::test]
async fn a_single_record_commits_as_without_groups() {
    let (world, runs) = (World::new(), Runs::default());
    assert!(world.handle(&counting(&runs), [world.delivery("1", 0)]).await.is_empty());
    assert_eq!((sizes(&world), alone(&world)), (vec![], 1));
}

#[tokio::test]
async fn a_batch_of_a_hundred_is_ten_calls_if_ten_run_at_a_time() {
    for yields in [0, 3] {
        let world = World::new();
        let function =
            Function::new("count").commits_grouped(25).concurrency(10).on(move |ping: Ping, _: Context| async move {
                for _ in 0..yields * (ping.value % 4) {
                    tokio::task::yield_now().await;
                }
                Ok(one_more(&ping))
            });
        let batch: Vec<_> = (0..100).map(|value| world.delivery(&value.to_string(), value)).collect();
        assert!(world.handle(&function, batch).await.is_empty());
        assert_eq!((sizes(&world), alone(&world)), (vec![10; 10], 0));
        assert_counts(&world, [1; 100]).await;
    }
}

#[tokio::test]
async fn records_that_touch_one_row_are_never_in_one_group() {
    let (world, runs) = (World::new(), Runs::default());
    let values = [0, 1, 0, 2, 0, 3, 1, 4];
    let batch: Vec<_> = (0..).zip(values).map(|(id, value): (u32, _)| world.delivery(&id.to_string(), value)).collect();
    assert!(world.handle(&counting(&runs), batch).await.is_empty());
    assert_eq!((sizes(&world), alone(&world)), (vec![5, 2], 1), "one is left with nobody to be grouped with");
    world.ledger.groups().iter().for_each(|group| assert_disjoint(group));
    assert_counts(&world, [3, 2, 1, 1, 1]).await;
}

#[tokio::test]
async fn a_duplicate_in_the_batch_is_replayed() {
    let (world, runs) = (World::new(), Runs::default());
    let body = world.body("twice", 0);
    let batch = [
        world.delivery_of("first", &body),
        world.delivery("1", 1),
        world.delivery_of("second", &body),
        world.delivery("2", 2),
    ];
    assert!(world.handle(&counting(&runs), batch).await.is_empty());
    assert_eq!((sizes(&world), alone(&world)), (vec![3], 1));
    assert_counts(&world, [1, 1, 1]).await;
    assert_eq!(world.ledger.memory().take_outbox().len(), 3);
}

#[tokio::test]
async fn guarded_records_complete_in_a_group() {
    let world = World::new();
    let charge = Function::new("charge").guarded().commits_grouped(10);
    let charge = charge.on(|ping: Ping, _: Context| async move { Ok(one_more(&ping)) });
    let batch = [0, 1, 2].map(|value| world.delivery(&value.to_string(), value));
    assert!(world.handle(&charge, batch.clone()).await.is_empty());
    assert!(world.handle(&charge, batch).await.is_empty());
    assert_eq!((sizes(&world), alone(&world)), (vec![3], 0));
    assert!(world.ledger.groups()[0].iter().all(|commit| commit.owner.is_some()));
    assert_counts(&world, [1, 1, 1]).await;
}

#[tokio::test]
async fn messages_of_one_message_group_stay_in_order() {
    let (world, runs) = (World::new(), Runs::default());
    let message = |group: &str, id: &str, value| crate::Delivery {
        ordering_key: Some(group.to_owned()),
        ..world.delivery(&format!("{group}{id}"), value)
    };
    let batch = [message("a", "1", 0), message("b", "1", 1), message("a", "2", 2), message("a", "3", 3)];
    assert!(world.handle(&counting(&runs), batch).await.is_empty());
    assert_eq!((sizes(&world), alone(&world)), (vec![2], 2), "only one is left in the end");
    let subjects = world.ledger.memory().take_outbox().into_iter().filter_map(|event| event.subject);
    assert_eq!(subjects.collect::<Vec<_>>(), ["0", "1", "2", "3"]);
}
