use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::{
    Claim, ClaimOutcome, Context, Function, HandlerError, Lease, Ledger, LedgerKey, LedgerRecord, Ports, UnitOfWork,
    all,
    fixture::{Counter, Fault, Ping, Runs, World, again},
};

fn key() -> LedgerKey {
    LedgerKey { function: "charge".to_owned(), idempotency_key: "e-1".to_owned() }
}

fn count() -> UnitOfWork {
    UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]))
}

/// A guarded function that counts its charges and fails in its first run with what the value says.
fn charging(charges: &Runs) -> Function {
    let charges = charges.clone();
    Function::new("charge").guarded().on(move |ping: Ping, _: Context| {
        let run = charges.begin();
        async move {
            tokio::task::yield_now().await;
            match (ping.value, run) {
                (1, 1) => Err(HandlerError::from(std::io::Error::other("the first run fails"))),
                (2, 1) => panic!("the first run panics"),
                (3, 1) => Err(HandlerError::terminal("the first run refuses")),
                _ => Ok(count()),
            }
        }
    })
}

async fn record(ledger: &dyn Ledger) -> Option<LedgerRecord> {
    ledger.find(&[key()]).await.unwrap().remove(&key())
}

/// Takes the key of `e-1` for the other party, with the fingerprint that the event of `body` has.
async fn claim_by_other(ports: &Ports, body: &str, expires_at: DateTime<Utc>) -> ClaimOutcome {
    let fingerprint = crate::Envelope::parse(body).unwrap().fingerprint().unwrap();
    let lease = Lease { owner: "other".to_owned(), origin: fingerprint.into(), expires_at };
    let now = ports.clock.now();
    ports.ledger.claim(&Claim { key: key(), lease, now, expires_at: now + Duration::from_hours(1) }).await.unwrap()
}

#[tokio::test]
async fn a_guarded_event_is_completed_and_its_duplicates_are_replayed() {
    let (world, charges) = (World::new(), Runs::default());
    let message = world.delivery("1", 0);
    for delivery in [message.clone(), message.clone(), again(&message, 2)] {
        assert!(world.handle(&charging(&charges), [delivery]).await.is_empty());
    }
    assert_eq!((world.count().await, charges.count()), (1, 1));
    assert!(matches!(record(&*world.ledger).await, Some(LedgerRecord::Completed(_))));
}

#[tokio::test]
async fn a_failed_run_gives_the_key_back_at_once() {
    for value in [1, 2, 3] {
        let (world, charges) = (World::new(), Runs::default());
        let message = world.delivery("1", value);
        world.handle(&charging(&charges), [message.clone()]).await;
        assert_eq!(record(&*world.ledger).await, None, "value {value}");
        assert!(world.handle(&charging(&charges), [again(&message, 2)]).await.is_empty());
        assert_eq!((world.count().await, charges.count()), (1, 2));
    }
}

#[tokio::test]
async fn two_deliveries_at_once_charge_once_and_the_other_waits_for_the_lease() {
    let (world, charges) = (World::new(), Runs::default());
    let body = world.body("1", 0);
    let twice = ["first", "second"].map(|id| world.delivery_of(id, &body));
    let lease = world.deadline() - world.now();
    assert_eq!(world.handle(&charging(&charges), twice).await, ["m-second"]);
    assert_eq!((world.count().await, charges.count()), (1, 1));
    let lease = lease.to_std().unwrap();
    let delay = world.delays()[0].1;
    assert!((lease..=lease + Duration::from_secs(1)).contains(&delay), "{delay:?}");
}

#[tokio::test]
async fn a_dead_owners_key_is_taken_over_when_its_lease_ends() {
    let (world, charges) = (World::new(), Runs::default());
    let message = world.delivery("1", 0);
    let lease = Duration::from_secs(20);
    claim_by_other(&world.ports, &message.body, world.now() + lease).await;
    assert_eq!(world.handle(&charging(&charges), [again(&message, 2)]).await, ["m-1"]);
    let delay = world.delays()[0].1;
    assert!((lease..=lease + Duration::from_secs(1)).contains(&delay), "{delay:?}");
    assert_eq!(charges.count(), 0);
    world.clock.advance(delay);
    assert!(world.handle(&charging(&charges), [again(&message, 3)]).await.is_empty());
    assert_eq!((world.count().await, charges.count()), (1, 1));
}

#[tokio::test]
async fn a_late_owner_writes_nothing_and_leaves_its_successors_claim() {
    let world = World::new();
    let message = world.delivery("1", 0);
    let (ports, clock, body) = (world.ports.clone(), world.clock.clone(), Arc::new(message.body.clone()));
    let late = Function::new("charge").guarded().on(move |_: Ping, _: Context| {
        let (ports, clock, body) = (ports.clone(), clock.clone(), body.clone());
        async move {
            clock.advance(Duration::from_secs(30));
            let end = ports.clock.now() + Duration::from_secs(30);
            assert_eq!(claim_by_other(&ports, &body, end).await, ClaimOutcome::Claimed);
            Ok(count())
        }
    });
    assert_eq!(world.handle(&late, [message]).await, ["m-1"]);
    assert_eq!(world.count().await, 0);
    let lease = record(&*world.ledger).await;
    assert!(matches!(&lease, Some(LedgerRecord::InProgress(lease)) if lease.owner == "other"), "{lease:?}");
}

#[tokio::test]
async fn another_payload_under_a_leased_key_is_refused() {
    let (world, charges) = (World::new(), Runs::default());
    claim_by_other(&world.ports, &world.body("1", 0), world.deadline()).await;
    assert!(world.handle(&charging(&charges), [world.delivery("1", 7)]).await.is_empty());
    assert_eq!(world.queue.letters()[0].reason, crate::Reason::IdempotencyKeyReused);
    assert_eq!(charges.count(), 0);
}

#[tokio::test]
async fn a_completion_whose_answer_was_lost_is_not_repeated() {
    let (world, charges) = (World::new(), Runs::default());
    world.ledger.fail([Fault::AnswerLost, Fault::Busy, Fault::Busy, Fault::Busy, Fault::Busy]);
    let message = world.delivery("1", 0);
    assert_eq!(world.handle(&charging(&charges), [message.clone()]).await, ["m-1"]);
    assert!(world.handle(&charging(&charges), [again(&message, 2)]).await.is_empty());
    assert_eq!((world.count().await, charges.count()), (1, 1));
}

#[tokio::test]
async fn every_run_and_retry_gets_the_same_idempotency_key() {
    let world = World::new();
    let keys = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = keys.clone();
    let function = Function::new("charge").guarded().on(move |_: Ping, context: Context| {
        seen.lock().unwrap().push((context.idempotency_key().to_owned(), context.attempt()));
        async { Err(HandlerError::from(std::io::Error::other("fails"))) }
    });
    for receive_count in 1..=3 {
        world.handle(&function, [again(&world.delivery("1", 0), receive_count)]).await;
    }
    assert_eq!(*keys.lock().unwrap(), [1, 2, 3].map(|attempt| ("tests#e-1".to_owned(), attempt)));
}

#[tokio::test]
async fn a_claim_is_remembered_as_long_as_a_commit() {
    let (world, charges) = (World::new(), Runs::default());
    world.handle(&charging(&charges), [world.delivery("1", 0)]).await;
    let claim = world.ledger.claimed().remove(0);
    assert_eq!((claim.now, claim.lease.expires_at), (world.now(), world.deadline()));
    assert_eq!(claim.expires_at, world.ledger.commits()[0].expires_at);
    assert_eq!(claim.expires_at, world.now() + chrono::TimeDelta::days(15));
}

/// It holds the key: there is nothing to look up.
#[tokio::test]
async fn a_guarded_run_that_fails_is_not_looked_up_as_a_duplicate() {
    let (world, charges) = (World::new(), Runs::default());
    world.handle(&charging(&charges), [world.delivery("1", 3)]).await;
    assert_eq!((world.ledger.finds(), world.queue.letters().len()), (0, 1));
}
