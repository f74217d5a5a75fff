use std::{panic::AssertUnwindSafe, time::Duration};

use async_trait::async_trait;
use futures_util::{FutureExt as _, future::join_all};

use super::{open, refused, succeed, two, *};
use crate::{Clock, fixture::Runs, memory::ManualClock};

/// Calls that end when they are told how.
struct Calls {
    runs: Runs,
    outcome: tokio::sync::watch::Sender<Option<bool>>,
}

impl Calls {
    fn new() -> Self {
        Self { runs: Runs::default(), outcome: tokio::sync::watch::Sender::new(None) }
    }

    async fn make(&self, world: &World, breaker: &CircuitBreaker) -> Answer {
        let call = async || {
            self.runs.begin();
            let succeeds = *self.outcome.subscribe().wait_for(Option::is_some).await.expect("the sender lives");
            if succeeds == Some(true) { Ok(1) } else { Err(std::io::Error::other("down")) }
        };
        breaker.call(&context(world), call).await
    }
}

#[tokio::test]
async fn of_many_callers_in_two_environments_one_is_the_probe_and_its_neighbours_wait_for_it() {
    for succeeds in [true, false] {
        let (world, [first, second]) = (World::new(), two());
        open(&world, &first).await;
        world.clock.advance(Duration::from_secs(30));
        let calls = Calls::new();
        let mut neighbours = Box::pin(join_all((0..20).map(|_| calls.make(&world, &first))));
        assert!((&mut neighbours).now_or_never().is_none());
        assert_eq!(calls.runs.count(), 1);
        let lease_end = world.now() + PROBE_LEASE;
        for other in join_all((0..20).map(|_| succeed(&world, &second))).await {
            assert_eq!(refused(other), lease_end);
        }
        calls.outcome.send_replace(Some(succeeds));
        let answers = neighbours.await;
        if succeeds {
            assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        } else {
            let until = world.now() + Duration::from_mins(1);
            let waited = answers.into_iter().filter(|answer| !matches!(answer, Err(CircuitBreakerError::Failed(_))));
            assert_eq!(waited.map(refused).collect::<Vec<_>>(), [until; 19]);
            assert_eq!(calls.runs.count(), 1);
        }
    }
}

/// Whether they ask the store first, or still believe what they read: then the store refuses all claims but one.
#[tokio::test]
async fn of_many_environments_that_are_due_at_once_one_is_the_probe() {
    for trust in [TRUST, Duration::from_hours(1)] {
        let world = World::new();
        let environments: Vec<_> = (0..20).map(|_| breaker().trust(trust)).collect();
        open(&world, &environments[0]).await;
        for environment in &environments {
            refused(succeed(&world, environment).await);
        }
        world.clock.advance(Duration::from_secs(30));
        let calls = Calls::new();
        let mut all = Box::pin(join_all(environments.iter().map(|environment| calls.make(&world, environment))));
        assert!((&mut all).now_or_never().is_none());
        assert_eq!(calls.runs.count(), 1);
        calls.outcome.send_replace(Some(true));
        assert_eq!(all.await.iter().filter(|answer| answer.is_ok()).count(), 1);
    }
}

/// While one sleeps, others run.
struct YieldingClock(Arc<ManualClock>);

#[async_trait]
impl Clock for YieldingClock {
    fn now(&self) -> DateTime<Utc> {
        self.0.now()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.advance(duration);
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_outcome_of_another_environments_quick_probe_is_waited_for() {
    for succeeds in [true, false] {
        let (mut world, [first, second], calls) = (World::new(), two(), Calls::new());
        open(&world, &first).await;
        world.clock.advance(Duration::from_secs(30));
        world.ports.clock = Arc::new(YieldingClock(world.clock.clone()));
        let mut probe = Box::pin(calls.make(&world, &first));
        assert!((&mut probe).now_or_never().is_none());
        let mut other = Box::pin(succeed(&world, &second));
        assert!((&mut other).now_or_never().is_none());
        calls.outcome.send_replace(Some(succeeds));
        assert_eq!(probe.await.is_ok(), succeeds);
        let until = world.now() + Duration::from_mins(1);
        let other = other.await;
        assert!(if succeeds { other.is_ok() } else { refused(other) == until });
    }
}

#[tokio::test]
async fn a_probe_that_panics_has_failed() {
    let (world, [first, second]) = (World::new(), two());
    open(&world, &first).await;
    world.clock.advance(Duration::from_secs(30));
    let context = context(&world);
    let probe = first.call(&context, async || -> Result<(), std::io::Error> { panic!("the probe panics") });
    AssertUnwindSafe(probe).catch_unwind().await.unwrap_err();
    let until = world.now() + Duration::from_mins(1);
    assert_eq!(refused(succeed(&world, &first).await), until);
    assert_eq!(refused(succeed(&world, &second).await), until, "the store was told before the next call");
}

#[tokio::test]
async fn calls_that_are_dropped_have_failed() {
    let (world, [first, second], calls) = (World::new(), two(), Calls::new());
    for _ in 0..FAILURES_MAX {
        let mut call = Box::pin(calls.make(&world, &first));
        assert!((&mut call).now_or_never().is_none());
    }
    let until = world.now() + Duration::from_secs(30);
    assert_eq!((refused(succeed(&world, &first).await), refused(succeed(&world, &second).await)), (until, until));
}

#[tokio::test]
async fn a_probe_whose_process_dies_is_replaced_when_its_lease_ends() {
    let (world, [first, second], calls) = (World::new(), two(), Calls::new());
    open(&world, &first).await;
    world.clock.advance(Duration::from_secs(30));
    let mut dying = Box::pin(calls.make(&world, &first));
    assert!((&mut dying).now_or_never().is_none());
    std::mem::forget(dying);
    let lease_end = world.now() + PROBE_LEASE;
    assert_eq!(refused(succeed(&world, &second).await), lease_end);
    world.clock.advance(PROBE_LEASE);
    succeed(&world, &second).await.unwrap();
    succeed(&world, &breaker()).await.unwrap();
}

#[tokio::test]
async fn a_probe_that_is_late_changes_nothing() {
    let (world, [first, second], calls) = (World::new(), two(), Calls::new());
    open(&world, &first).await;
    world.clock.advance(Duration::from_secs(30));
    let mut late = Box::pin(calls.make(&world, &first));
    assert!((&mut late).now_or_never().is_none());
    world.clock.advance(PROBE_LEASE);
    super::fail(&world, &second).await.unwrap_err();
    let until = world.now() + Duration::from_mins(2);
    calls.outcome.send_replace(Some(true));
    assert!(late.await.is_ok());
    assert_eq!(refused(succeed(&world, &first).await), until);
}
