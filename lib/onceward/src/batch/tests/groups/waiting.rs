use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{FutureExt as _, future::join};
use tokio::sync::{Semaphore, watch};

use super::{alone, assert_counts, count, one_more, row, sizes};
use crate::{
    Action, Change, Clock, Commit, CommitOutcome, Context, Entity as _, Function, Invocation, LedgerKey, Operation,
    Ports, all,
    batch::group::GroupedLedger,
    fixture::{Counter, Ping, Runs, World},
};

/// A clock whose sleeps end when it is moved that far.
struct SteppedClock {
    start: DateTime<Utc>,
    passed: watch::Sender<Duration>,
}

#[async_trait]
impl Clock for SteppedClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + self.monotonic()
    }

    fn monotonic(&self) -> Duration {
        *self.passed.borrow()
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic() + duration;
        self.passed.subscribe().wait_for(|passed| *passed >= until).await.unwrap();
    }
}

impl SteppedClock {
    /// The ports of the world with such a clock.
    fn within(world: &World) -> (Arc<Self>, Ports) {
        let clock = Arc::new(Self { start: world.now(), passed: watch::Sender::new(Duration::ZERO) });
        (clock.clone(), Ports { clock, ..world.ports.clone() })
    }

    fn advance(&self, duration: Duration) {
        self.passed.send_modify(|passed| *passed += duration);
    }
}

/// Lets the others run until the condition holds.
async fn until(condition: impl AsyncFn() -> bool) {
    for _ in 0..10_000 {
        if condition().await {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the condition does not come to hold");
}

#[tokio::test]
async fn a_slow_handler_is_waited_for_once_and_for_two_seconds() {
    let (world, runs, slow) = (World::new(), Runs::default(), Arc::new(Semaphore::new(0)));
    let (clock, ports) = SteppedClock::within(&world);
    let (begun, done) = (runs.clone(), slow.clone());
    let function = Function::new("count").commits_grouped(5).concurrency(5).on(move |ping: Ping, _: Context| {
        begun.begin();
        let done = done.clone();
        async move {
            if ping.value == 0 {
                let _permit = done.acquire().await?;
            }
            Ok(one_more(&ping))
        }
    });
    let batch = (0..9).map(|value| world.delivery(&value.to_string(), value)).collect();
    let handling = function.handle_batch(&ports, &world.queue, world.invocation(), batch);
    let observing = async {
        until(async || runs.count() == 5).await;
        clock.advance(Duration::from_millis(1_999));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!((sizes(&world), alone(&world)), (vec![], 0), "two seconds are not over");
        clock.advance(Duration::from_millis(1));
        until(async || count(&world, 8).await == 1).await;
        assert_eq!((sizes(&world), alone(&world), count(&world, 0).await), (vec![4, 4], 0, 0));
        slow.add_permits(1);
    };
    let (failed, ()) = join(handling, observing).await;
    assert!(failed.is_empty());
    assert_eq!((sizes(&world), alone(&world)), (vec![4, 4], 1));
    assert_counts(&world, [1; 9]).await;
}

/// Even values count, odd ones are never done. The clock goes on whenever nothing else does, up to the deadline.
async fn handle_with_late_ones(world: &World, concurrency: usize, deadline_ms: i64, values: Vec<u32>) {
    let (clock, ports) = SteppedClock::within(world);
    let function = Function::new("count").commits_grouped(20).concurrency(concurrency);
    let function = function.on(|ping: Ping, _: Context| async move {
        match ping.value % 2 {
            0 => Ok(one_more(&ping)),
            _ => std::future::pending().await,
        }
    });
    let deadline = world.now() + TimeDelta::milliseconds(deadline_ms);
    let batch = values.iter().map(|value| world.delivery(&value.to_string(), *value)).collect();
    let invocation = Invocation::until(deadline, clock.as_ref());
    let handling = function.handle_batch(&ports, &world.queue, invocation, batch);
    let stepping = async {
        while clock.now() < deadline {
            clock.advance(Duration::from_millis(10));
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    };
    let (failed, ()) = join(handling, stepping).await;
    let late = values.iter().filter(|value| **value % 2 == 1);
    let late: HashSet<_> = late.map(|value| format!("m-{value}")).collect();
    assert_eq!(failed.into_iter().map(|failure| failure.message_id).collect::<HashSet<_>>(), late);
    for value in values {
        assert_eq!(count(world, value).await, u64::from(value % 2 == 0), "of {value}");
    }
}

#[tokio::test]
async fn a_handler_that_is_not_done_at_the_deadline_takes_no_other_record_with_it() {
    for values in [[1, 0, 2], [0, 1, 2], [0, 2, 1]] {
        let world = World::new();
        handle_with_late_ones(&world, 10, 1_300, values.to_vec()).await;
        assert_eq!((sizes(&world), alone(&world)), (vec![2], 0));
    }
}

/// Each wait takes a quarter of what is left: the end is never reached.
#[tokio::test]
async fn however_many_handlers_are_late_there_is_time_to_write() {
    for concurrency in [10, 12, 100] {
        handle_with_late_ones(&World::new(), concurrency, 4_300, (0..18).collect()).await;
    }
}

#[tokio::test]
async fn what_is_ready_is_written_when_the_process_is_about_to_be_stopped() {
    let (world, runs) = (World::new(), Runs::default());
    let (clock, ports) = SteppedClock::within(&world);
    let (begun, shutdown) = (runs.clone(), ports.shutdown.clone());
    let function = Function::new("count").commits_grouped(20).on(move |ping: Ping, _: Context| {
        begun.begin();
        async move {
            match ping.value {
                0 => std::future::pending().await,
                _ => Ok(one_more(&ping)),
            }
        }
    });
    let batch = [0, 1, 2].map(|value| world.delivery(&value.to_string(), value)).to_vec();
    let handling = function.handle_batch(&ports, &world.queue, world.invocation(), batch);
    let stopping = async {
        until(async || runs.count() == 3).await;
        shutdown.request();
        until(async || count(&world, 2).await == 1).await;
        clock.advance(Duration::from_millis(200));
    };
    let (failed, ()) = join(handling, stopping).await;
    assert_eq!(failed.into_iter().map(|failure| failure.message_id).collect::<Vec<_>>(), ["m-0"]);
    assert_eq!((sizes(&world), alone(&world)), (vec![2], 0));
}

/// A commit that counts in the row of its value.
fn commit(world: &World, value: u32) -> Commit {
    let operation = Operation::Update(vec![Change::Add("count".to_owned(), 1)]);
    let action = Action { table: Counter::TABLE, key: row(value), operation, condition: all([]) };
    Commit {
        key: LedgerKey { function: "count".to_owned(), idempotency_key: format!("e-{value}") },
        commit_id: format!("commit-{value}"),
        origin: crate::Origin::default(),
        owner: None,
        actions: vec![action],
        events: Vec::new(),
        answer: None,
        committed_at: world.now(),
        expires_at: world.now(),
    }
}

fn grouped(world: &World, lanes: usize) -> Arc<GroupedLedger> {
    let settings = Function::new("count").commits_grouped(10).settings;
    let grouped = GroupedLedger::new(&settings, &world.ports, world.invocation());
    grouped.begin(lanes);
    grouped
}

#[tokio::test]
async fn a_record_that_is_dropped_while_it_waits_is_not_written() {
    let world = World::new();
    let commits = [0, 1, 2].map(|value| commit(&world, value));
    let grouped = grouped(&world, 3);
    let ledger = grouped.ports().ledger;
    let [mut first, mut second, third] = commits.each_ref().map(|commit| ledger.commit(commit));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    drop(first);
    grouped.lane_ended();
    let (second, third) = join(second, third).await;
    assert_eq!((second.unwrap(), third.unwrap()), (CommitOutcome::Committed, CommitOutcome::Committed));
    assert_eq!((sizes(&world), alone(&world)), (vec![2], 0));
    assert_counts(&world, [0, 1, 1]).await;
}

#[tokio::test]
async fn the_last_record_that_runs_does_not_wait_for_one_that_was_dropped() {
    let world = World::new();
    let commits = [0, 1].map(|value| commit(&world, value));
    let grouped = grouped(&world, 2);
    let ledger = grouped.ports().ledger;
    let [mut first, second] = commits.each_ref().map(|commit| ledger.commit(commit));
    assert!((&mut first).now_or_never().is_none());
    drop(first);
    grouped.lane_ended();
    assert_eq!(second.await.unwrap(), CommitOutcome::Committed);
    assert_eq!((sizes(&world), alone(&world)), (vec![], 1));
    assert_counts(&world, [0, 1]).await;
}

#[tokio::test]
async fn a_record_that_is_dropped_while_its_group_is_sent_does_not_stop_it() {
    let world = World::new();
    let commits = [0, 1].map(|value| commit(&world, value));
    let grouped = grouped(&world, 2);
    let ledger = grouped.ports().ledger;
    let [mut first, mut second] = commits.each_ref().map(|commit| ledger.commit(commit));
    assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
    assert_eq!(sizes(&world), [2], "it is under way, driven by the second record");
    drop(second);
    assert_eq!(first.await.unwrap(), CommitOutcome::Committed);
    assert_eq!((sizes(&world), alone(&world)), (vec![2], 0));
    assert_counts(&world, [1, 1]).await;
}
