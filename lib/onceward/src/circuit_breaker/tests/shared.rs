use std::time::Duration;

use super::{fail, open, refused, succeed, two, *};
use crate::HandlerError;

#[tokio::test]
async fn five_failures_in_a_row_open_it_and_a_success_between_them_does_not() {
    let (world, breaker) = (World::new(), breaker());
    for _ in 1..FAILURES_MAX {
        fail(&world, &breaker).await.unwrap_err();
    }
    succeed(&world, &breaker).await.unwrap();
    open(&world, &breaker).await;
    assert_eq!(refused(succeed(&world, &breaker).await), world.now() + Duration::from_secs(30));
}

#[tokio::test]
async fn the_healthy_path_writes_nothing_and_reads_once_in_five_seconds() {
    let (world, breaker) = (World::new(), breaker());
    for _ in 0..100 {
        succeed(&world, &breaker).await.unwrap();
        fail(&world, &breaker).await.unwrap_err();
        world.clock.advance(Duration::from_millis(100));
    }
    assert_eq!(world.ledger.circuit_loads_and_swaps(), (2, 0), "in ten seconds");
}

#[tokio::test]
async fn an_error_that_is_an_answer_is_no_failure() {
    let (world, breaker) = (World::new(), breaker());
    let refuse = async || Err::<(), _>(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    let is_failure = |error: &std::io::Error| error.kind() != std::io::ErrorKind::InvalidInput;
    for _ in 0..2 * FAILURES_MAX {
        let answer = breaker.call_with(&context(&world), is_failure, refuse).await;
        assert!(matches!(answer, Err(CircuitBreakerError::Failed(_))));
    }
    open(&world, &breaker).await;
    world.clock.advance(Duration::from_secs(30));
    breaker.call_with(&context(&world), is_failure, refuse).await.unwrap_err();
    succeed(&world, &breaker).await.expect("the dependency answered the probe");
}

#[tokio::test]
async fn an_environment_that_never_failed_learns_within_five_seconds_that_another_opened_it() {
    let (world, [first, second]) = (World::new(), two());
    succeed(&world, &second).await.unwrap();
    open(&world, &first).await;
    let until = world.now() + Duration::from_secs(30);
    succeed(&world, &second).await.expect("it was asked a moment ago");
    world.clock.advance(TRUST);
    assert_eq!(refused(succeed(&world, &second).await), until);
    let third = breaker();
    assert_eq!(refused(succeed(&world, &third).await), until, "a new environment asks before its first call");
    let asked = world.ledger.circuit_loads_and_swaps();
    for known in [&first, &second, &third] {
        refused(succeed(&world, known).await);
    }
    let loads = world.ledger.circuit_loads_and_swaps().0 - asked.0;
    assert_eq!(loads, 1, "the first has not asked for five seconds, the others know");
}

#[tokio::test]
async fn the_first_to_open_it_decides_until_when() {
    let (world, [first, second]) = (World::new(), two());
    succeed(&world, &second).await.unwrap();
    open(&world, &first).await;
    let until = world.now() + Duration::from_secs(30);
    world.clock.advance(Duration::from_secs(3));
    open(&world, &second).await;
    assert_eq!(refused(succeed(&world, &second).await), until);
}

#[tokio::test]
async fn a_success_of_the_probe_closes_it_for_all() {
    let (world, [first, second]) = (World::new(), two());
    open(&world, &first).await;
    refused(succeed(&world, &second).await);
    world.clock.advance(Duration::from_secs(30));
    succeed(&world, &second).await.unwrap();
    assert_eq!(world.ledger.memory().load_circuit("gateway").await.unwrap(), None);
    succeed(&world, &first).await.unwrap();
    assert_eq!(world.ledger.circuit_loads_and_swaps().1, 3, "opened, probed, closed");
}

#[tokio::test]
async fn a_failed_probe_opens_it_for_longer_for_all() {
    let (world, [first, second]) = (World::new(), two());
    open(&world, &first).await;
    world.clock.advance(Duration::from_secs(30));
    assert!(matches!(fail(&world, &second).await, Err(CircuitBreakerError::Failed(_))));
    let until = world.now() + Duration::from_mins(1);
    assert_eq!((refused(succeed(&world, &first).await), refused(succeed(&world, &second).await)), (until, until));
}

#[tokio::test]
async fn whoever_deletes_the_record_closes_it_by_hand() {
    let (world, breaker) = (World::new(), breaker());
    open(&world, &breaker).await;
    let version = world.ledger.load_circuit("gateway").await.unwrap().unwrap().version;
    assert!(world.ledger.swap_circuit("gateway", Some(&version), None).await.unwrap());
    world.clock.advance(TRUST);
    succeed(&world, &breaker).await.unwrap();
}

#[derive(Debug, thiserror::Error)]
#[error("no payment")]
struct NoPayment(#[from] CircuitBreakerError<std::io::Error>);

#[tokio::test]
async fn a_refusal_asks_the_handlers_message_to_come_back_at_the_next_try() {
    let (world, breaker) = (World::new(), breaker());
    open(&world, &breaker).await;
    world.clock.advance(Duration::from_secs(10));
    let direct = HandlerError::from(succeed(&world, &breaker).await.unwrap_err());
    let within = HandlerError::from(NoPayment::from(succeed(&world, &breaker).await.unwrap_err()));
    for error in [direct, within] {
        assert!(error.to_string().contains("the circuit breaker `gateway` is open until 2024-10-"), "{error}");
        let HandlerError::Retryable { after, .. } = error else { panic!("{error:?}") };
        assert_eq!(after, Some(Duration::from_secs(20)));
    }
    let failed = HandlerError::from(CircuitBreakerError::Failed(std::io::Error::other("down")));
    assert!(matches!(failed, HandlerError::Retryable { after: None, .. }) && failed.to_string() == "down");
}
