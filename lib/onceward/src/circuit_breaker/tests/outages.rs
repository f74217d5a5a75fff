//! The store fails, or the clock does.

use std::time::Duration;

use chrono::TimeDelta;

use super::{fail, open, refused, succeed, two, *};

#[tokio::test]
async fn without_a_store_calls_are_made_and_each_environment_has_a_breaker_of_its_own() {
    let (world, [first, second]) = (World::new(), two());
    world.ledger.circuits_fail(true);
    succeed(&world, &first).await.expect("the business goes on");
    open(&world, &first).await;
    refused(succeed(&world, &first).await);
    succeed(&world, &second).await.expect("it knows nothing of the other");
    world.clock.advance(Duration::from_secs(30));
    fail(&world, &first).await.unwrap_err();
    assert_eq!(refused(succeed(&world, &first).await), world.now() + Duration::from_mins(1));
    world.clock.advance(Duration::from_mins(1));
    succeed(&world, &first).await.unwrap();
    succeed(&world, &first).await.unwrap();
}

#[tokio::test]
async fn a_failing_store_is_asked_once_in_five_seconds() {
    let (world, breaker) = (World::new(), breaker());
    world.ledger.circuits_fail(true);
    for _ in 0..100 {
        succeed(&world, &breaker).await.unwrap();
    }
    assert_eq!(world.ledger.circuit_loads_and_swaps(), (1, 0));
}

#[tokio::test]
async fn what_the_store_missed_is_told_when_it_is_back() {
    let (world, [first, second]) = (World::new(), two());
    world.ledger.circuits_fail(true);
    open(&world, &first).await;
    let until = world.now() + Duration::from_secs(30);
    world.ledger.circuits_fail(false);
    world.clock.advance(TRUST);
    assert_eq!(refused(succeed(&world, &first).await), until);
    assert_eq!(refused(succeed(&world, &second).await), until);
}

#[tokio::test]
async fn a_circuit_that_closed_while_the_store_was_away_stays_closed() {
    let (world, breaker) = (World::new(), breaker());
    open(&world, &breaker).await;
    world.clock.advance(Duration::from_secs(30));
    world.ledger.circuits_fail(true);
    succeed(&world, &breaker).await.unwrap();
    world.ledger.circuits_fail(false);
    world.clock.advance(TRUST);
    succeed(&world, &breaker).await.unwrap();
    assert_eq!(world.ledger.load_circuit("gateway").await.unwrap(), None);
}

#[tokio::test]
async fn a_clock_that_jumps_does_not_leave_it_open_for_ever() {
    for jump in [TimeDelta::days(-3_650), TimeDelta::days(3_650)] {
        let (world, [first, second]) = (World::new(), two());
        open(&world, &first).await;
        refused(succeed(&world, &second).await);
        world.clock.jump(jump);
        fail(&world, &first).await.unwrap_err();
        let until = world.now() + Duration::from_mins(1);
        assert_eq!(refused(succeed(&world, &first).await), until, "the probe failed");
        assert_eq!(refused(succeed(&world, &second).await), until);
        world.clock.advance(Duration::from_mins(1));
        succeed(&world, &second).await.unwrap();
    }
}
