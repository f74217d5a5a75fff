//! What an event is told by: source and id of somebody else's, and the JSON value of its payload.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use futures_util::future::join_all;

use super::super::Delivery;
use crate::{
    Claim, Commit, CommitOutcome, Context, Envelope, EventIdentity, Fingerprint, Function, HandlerError, Lease, Ledger,
    LedgerKey, LedgerRecord, Origin, Reason, UnitOfWork, all,
    fixture::{Counter, Ping, Runs, World, again},
};

fn counting() -> Function {
    Function::new("count").on(|_: Ping, _: Context| async {
        Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])).answer(&"counted"))
    })
}

/// The event `id` of a source, in a message of its own.
fn event(world: &World, source: &str, id: &str, value: u32) -> Delivery {
    let body = serde_json::json!({
        "specversion": "1.0", "id": id, "source": source, "type": "ping.sent.v1", "time": world.now().to_rfc3339(),
        "data": {"value": value},
    });
    let number = rand_id(world);
    world.delivery_of(&number, body.to_string())
}

fn rand_id(world: &World) -> String {
    world.ports.randomness.next_u64().to_string()
}

fn key(text: &str) -> LedgerKey {
    LedgerKey { function: "count".to_owned(), idempotency_key: text.to_owned() }
}

fn identity(source: &str, id: &str) -> EventIdentity {
    EventIdentity { source: source.to_owned(), id: id.to_owned() }
}

async fn origin(world: &World, text: &str) -> Option<Origin> {
    let record = world.ledger.get(&key(text)).await.unwrap();
    record.map(|record| record.origin().clone())
}

/// What a build before this one has written for a message: its digest is of the text alone, and it names no source.
fn earlier(world: &World, delivery: &Delivery) -> Commit {
    let envelope = Envelope::parse(&delivery.body).unwrap();
    Commit {
        key: key(&envelope.id),
        commit_id: "earlier".to_owned(),
        origin: envelope.fingerprint_of_text().into(),
        owner: None,
        actions: Vec::new(),
        events: Vec::new(),
        answer: Some("\"earlier\"".to_owned()),
        committed_at: world.now(),
        expires_at: world.now() + TimeDelta::days(15),
    }
}

#[tokio::test]
async fn sources_that_count_from_one_do_not_collide() {
    for function in [counting(), counting().guarded(), counting().commits_grouped(10)] {
        let world = World::new();
        let events = ["till-1", "till-2", "till-3"].map(|source| event(&world, source, "1", 5));
        let mut rounds = 0;
        // At once: where the place of the id is only leased, the others wait for it.
        let mut left = events.to_vec();
        while !left.is_empty() {
            let failed = world.handle(&function, left.clone()).await;
            left.retain(|delivery| failed.contains(&delivery.message_id));
            rounds += 1;
            assert!(rounds <= 3, "{failed:?}");
        }
        assert_eq!(world.count().await, 3);
        for duplicate in [events.to_vec(), events.iter().map(|event| again(event, 2)).collect()] {
            assert!(world.handle(&function, duplicate).await.is_empty());
        }
        assert_eq!((world.count().await, world.queue.letters().len()), (3, 0));
        let first = origin(&world, "1").await.unwrap().event.unwrap();
        for source in ["till-1", "till-2", "till-3"].into_iter().filter(|source| *source != first.source) {
            let own = origin(&world, &format!("{source}#1")).await.unwrap();
            assert_eq!(own.event, Some(identity(source, "1")));
        }
    }
}

/// Deliveries at random, at once and again, of events that share an id; each has its effect once.
#[tokio::test]
async fn whatever_the_order_each_event_has_its_effect_once() {
    for seed in 0..60_u32 {
        let world = World::new();
        let done: Arc<Mutex<HashMap<u32, u32>>> = Arc::default();
        let (runs, effects) = (Runs::default(), done.clone());
        let function = Function::new("count").on(move |ping: Ping, _: Context| {
            let (run, effects) = (runs.begin(), effects.clone());
            async move {
                tokio::task::yield_now().await;
                if (run + seed).is_multiple_of(3) {
                    return Err(HandlerError::from(std::io::Error::other("fails now and then")));
                }
                *effects.lock().unwrap().entry(ping.value).or_default() += 1;
                Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
            }
        });
        let function = if seed.is_multiple_of(2) { function.guarded() } else { function };
        let events: Vec<_> = (0..4).map(|value| event(&world, &format!("s{value}"), "7", value)).collect();
        let mut left: Vec<_> = events.iter().chain(&events).cloned().collect();
        for round in 1.. {
            assert!(round < 50, "seed {seed}: {left:?}");
            let start = usize::try_from(world.ports.randomness.next_u64() % left.len() as u64).unwrap();
            left.rotate_left(start);
            let handled = join_all(left.iter().map(|one| world.handle(&function, [again(one, round)]))).await;
            let mut handled = handled.into_iter();
            left.retain(|_| !handled.next().unwrap().is_empty());
            if left.is_empty() {
                break;
            }
        }
        assert_eq!((world.count().await, world.queue.letters().len()), (4, 0), "seed {seed}");
        if seed.is_multiple_of(2) {
            assert!(done.lock().unwrap().values().all(|runs| *runs == 1), "seed {seed}: a guarded run was repeated");
        }
    }
}

#[tokio::test]
async fn what_displaces_an_event_is_remembered_for_as_long() {
    let world = World::new();
    world.handle(&counting(), [event(&world, "a", "1", 5)]).await;
    assert!(world.ledger.kept().is_empty(), "only a collision costs more");
    world.clock.advance(std::time::Duration::from_hours(24));
    let deadline = world.deadline();
    world.handle(&counting(), [event(&world, "b", "1", 5)]).await;
    assert_eq!(world.ledger.kept(), [(key("1"), deadline + TimeDelta::days(15))]);
    world.handle(&counting().guarded(), [event(&world, "c", "1", 5)]).await;
    assert_eq!(world.ledger.kept().len(), 2);
    assert_eq!(world.count().await, 3);
}

#[tokio::test]
async fn if_what_displaces_it_is_forgotten_the_event_has_the_place_of_its_id() {
    for function in [counting(), counting().guarded()] {
        let world = World::new();
        world.handle(&function, [event(&world, "a", "1", 5)]).await;
        world.ledger.forgets();
        let message = event(&world, "b", "1", 5);
        for _ in 0..2 {
            assert!(world.handle(&function, [message.clone()]).await.is_empty());
        }
        assert_eq!(world.count().await, 2);
        assert_eq!(origin(&world, "1").await.unwrap().event, Some(identity("b", "1")));
        assert_eq!(origin(&world, "b#1").await, None);
    }
}

/// A claim may be given back: whoever went elsewhere because of it would be handled twice.
#[tokio::test]
async fn a_lease_of_another_source_is_waited_for() {
    let world = World::new();
    let origin_of_a = Origin { event: Some(identity("a", "1")), ..Origin::default() };
    let lease =
        Lease { owner: "other".to_owned(), origin: origin_of_a, expires_at: world.now() + TimeDelta::seconds(9) };
    let claim = Claim { key: key("1"), lease, now: world.now(), expires_at: world.now() + TimeDelta::days(15) };
    world.ports.ledger.claim(&claim).await.unwrap();
    let message = event(&world, "b", "1", 5);
    for function in [counting(), counting().guarded()] {
        assert_eq!(world.handle(&function, [message.clone()]).await, [message.message_id.as_str()]);
        assert!(world.delays().iter().all(|(_, delay)| delay.as_secs() >= 9), "{:?}", world.delays());
    }
    world.ports.ledger.release(&key("1"), "other").await.unwrap();
    assert!(world.handle(&counting().guarded(), [message.clone()]).await.is_empty());
    assert_eq!(origin(&world, "1").await.unwrap().event, Some(identity("b", "1")));
    assert_eq!((world.count().await, world.queue.letters().len()), (1, 0));
}

#[tokio::test]
async fn what_an_earlier_build_has_committed_is_a_duplicate() {
    for function in [counting(), counting().guarded(), counting().commits_grouped(10)] {
        let world = World::new();
        let message = event(&world, "warehouse", "1", 5);
        let written = world.ledger.commit(&earlier(&world, &message)).await.unwrap();
        assert_eq!(written, CommitOutcome::Committed);
        for delivery in [message.clone(), again(&message, 2)] {
            assert!(world.handle(&function, [delivery]).await.is_empty());
        }
        assert_eq!((world.count().await, world.queue.letters().len()), (0, 0));
        // Whose its record is, that build did not say: an event with another payload is not silently taken for it.
        world.handle(&function, [event(&world, "shop", "1", 6)]).await;
        assert_eq!(world.queue.letters()[0].reason, Reason::IdempotencyKeyReused);
        assert_eq!(world.count().await, 0);
    }
}

/// The builds before it compare the digest of the text, and look under the id alone.
#[tokio::test]
async fn an_earlier_build_finds_what_this_one_has_committed() {
    let world = World::new();
    let message = event(&world, "warehouse", "1", 5);
    world.handle(&counting(), [message.clone()]).await;
    let earlier = earlier(&world, &message);
    let CommitOutcome::Duplicate(record) = world.ledger.commit(&earlier).await.unwrap() else { panic!("written") };
    assert_eq!(record.origin().fingerprint.text, earlier.origin.fingerprint.text);
}

#[tokio::test]
async fn an_id_that_onceward_made_is_the_key_as_it_is() {
    let world = World::new();
    let id = "1b4e28ba-2fa1-4d3b-883f-0016d3cca427.0";
    assert!(world.handle(&counting(), [event(&world, "inventory", id, 5)]).await.is_empty());
    assert_eq!(origin(&world, id).await.unwrap().event, None);
    for id in [
        "1b4e28ba-2fa1-4d3b-883f-0016d3cca427",
        "1b4e28ba-2fa1-4d3b-883f-0016d3cca427.50",
        "1b4e28ba-2fa1-4d3b-883f-0016d3cca427.00",
        "1B4E28BA-2FA1-4D3B-883F-0016D3CCA427.0",
        "1b4e28ba-2fa1-1d3b-883f-0016d3cca427.0",
        "1b4e28ba2fa14d3b883f0016d3cca427.0",
        "{1b4e28ba-2fa1-4d3b-883f-0016d3cca427}.0",
        "1.0",
    ] {
        assert!(world.handle(&counting(), [event(&world, "inventory", id, 5)]).await.is_empty());
        assert_eq!(origin(&world, id).await.unwrap().event, Some(identity("inventory", id)), "{id}");
    }
}

#[test]
fn no_two_identities_have_one_text() {
    let texts = [("a", "b#c"), ("a#b", "c"), ("a%23b", "c"), ("a%2523b", "c"), ("a", "b"), ("a#", "b"), ("a", "#b")];
    let mut texts = texts.map(|(source, id)| identity(source, id).to_string()).to_vec();
    assert_eq!(texts[..2], ["a#b#c", "a%23b#c"]);
    let long = |last: &str| identity(&"s".repeat(1_024), &format!("{}{last}", "i".repeat(1_023))).to_string();
    texts.extend([long("1"), long("2")]);
    assert!(texts.iter().all(|text| text.len() <= 1_024));
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 9);
}

/// Its id is the text of another event's identity, and so the two have one place.
#[tokio::test]
async fn an_id_that_is_made_like_an_identity_is_never_silence() {
    let world = World::new();
    let (first, displaced, hostile) =
        (event(&world, "a", "1", 5), event(&world, "b", "1", 5), event(&world, "b", "b#1", 5));
    for message in [&first, &displaced, &hostile, &hostile, &displaced] {
        assert!(world.handle(&counting(), [message.clone()]).await.is_empty());
    }
    assert_eq!((world.count().await, world.queue.letters().len()), (3, 0));
    let world = World::new();
    for message in [&hostile, &first] {
        world.handle(&counting(), [message.clone()]).await;
    }
    for message in [displaced.clone(), again(&displaced, 2)] {
        world.handle(&counting(), [message]).await;
    }
    let letters = world.queue.letters();
    assert_eq!((world.count().await, letters.len()), (2, 2));
    for letter in letters {
        assert_eq!(letter.reason, Reason::IdempotencyKeyReused);
        assert!(letter.error.contains("count#b#1") && letter.error.contains("source and id"), "{}", letter.error);
    }
}

#[tokio::test]
async fn a_handler_that_now_refuses_does_not_make_a_letter_of_a_displaced_duplicate() {
    let world = World::new();
    let once = Function::new("count").on(|ping: Ping, context: Context| async move {
        let done = context.load::<Counter>(&Counter::the_key()).await?.map_or(0, |counter| counter.count);
        if done > u64::from(ping.value) {
            return Err(HandlerError::terminal("it is done already"));
        }
        Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
    });
    let events = [event(&world, "a", "1", 0), event(&world, "b", "1", 1)];
    for message in events.iter().chain(&events) {
        assert!(world.handle(&once, [message.clone()]).await.is_empty());
    }
    assert_eq!((world.count().await, world.queue.letters().len()), (2, 0));
}

/// As for any redelivered duplicate: two reads, no run of the handler, no refused commit.
#[tokio::test]
async fn a_displaced_duplicate_that_is_redelivered_is_read_ahead() {
    let world = World::new();
    let events = [event(&world, "a", "1", 5), event(&world, "b", "1", 5)];
    for message in &events {
        assert!(world.handle(&counting(), [message.clone()]).await.is_empty());
    }
    let (commits, finds) = (world.ledger.commit_ids().len(), world.ledger.finds());
    assert!(world.handle(&counting(), events.map(|message| again(&message, 2))).await.is_empty());
    assert_eq!((world.ledger.commit_ids().len(), world.ledger.finds()), (commits, finds + 2));
}

#[tokio::test]
async fn a_source_that_no_record_can_name_is_refused() {
    let world = World::new();
    for (length, letters) in [(1_024, 0), (1_025, 1)] {
        world.handle(&counting(), [event(&world, &"s".repeat(length), &length.to_string(), 5)]).await;
        assert_eq!(world.queue.letters().len(), letters);
    }
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!(letter.reason, Reason::IdempotencyKeyInvalid);
    assert_eq!(letter.error, "the event's source has 1025 bytes: at most 1024 are possible");
}

#[tokio::test]
async fn the_same_value_in_another_text_is_a_duplicate() {
    let world = World::new();
    let first = event(&world, "a", "1", 9);
    let body = |data: &str| first.body.replace(r#"{"value":9}"#, data);
    for data in [r#"{"value":9}"#, r#"{ "value": 9 }"#, r#"{"\u0076alue":9}"#] {
        assert!(world.handle(&counting(), [world.delivery_of("m", body(data))]).await.is_empty());
    }
    assert_eq!((world.count().await, world.queue.letters().len()), (1, 0), "{:?}", world.queue.letters());
}

#[tokio::test]
async fn a_member_that_is_there_twice_is_a_letter_with_its_path() {
    for function in [counting(), counting().guarded()] {
        let world = World::new();
        let first = event(&world, "a", "1", 9);
        let body = first.body.replace(r#"{"value":9}"#, r#"{"value":9,"more":[{"x":1,"x":1}]}"#);
        let twice = Delivery { body, ..first };
        assert!(world.handle(&function, [twice.clone()]).await.is_empty());
        let [letter] = world.queue.letters().try_into().unwrap();
        assert_eq!((letter.reason, world.count().await), (Reason::SchemaRefused, 0));
        assert_eq!(letter.error, "more[0].x: this member is there twice: leave one of the two");
        // An earlier build took it: what it has committed stays committed.
        world.ledger.commit(&earlier(&world, &twice)).await.unwrap();
        assert!(world.handle(&function, [twice]).await.is_empty());
        assert_eq!((world.queue.letters().len(), world.count().await), (1, 0));
    }
}

#[tokio::test]
async fn the_record_of_another_lambda_function_is_a_letter_and_never_silence() {
    for function in [counting(), counting().guarded(), counting().commits_grouped(10)] {
        let world = World::new();
        let message = event(&world, "a", "1", 5);
        let deliver = async |ports, delivery: &Delivery| {
            let batch = vec![delivery.clone()];
            assert!(function.handle_batch(&ports, &world.queue, world.invocation(), batch).await.is_empty());
        };
        deliver(world.as_lambda("shop-count", &[]), &message).await;
        assert_eq!(origin(&world, "1").await.unwrap().lambda.as_deref(), Some("shop-count"));
        deliver(world.as_lambda("shop-count", &[]), &message).await;
        deliver(world.as_lambda("shop-count-2", &["x", "shop-count"]), &message).await;
        deliver(world.ports.clone(), &message).await;
        assert!(world.queue.letters().is_empty());
        for delivery in [message.clone(), again(&message, 2)] {
            deliver(world.as_lambda("store-count", &["x"]), &delivery).await;
        }
        let letters = world.queue.letters();
        assert_eq!((letters.len(), world.count().await), (2, 1));
        for letter in letters {
            assert_eq!(letter.reason, Reason::RecordOfAnotherFunction);
            for said in ["shop-count", "store-count", "\"count\"", "FORMER_FUNCTION_NAMES=shop-count"] {
                assert!(letter.error.contains(said), "{}", letter.error);
            }
        }
    }
}

#[tokio::test]
async fn a_record_that_names_no_lambda_function_is_anybodys() {
    let world = World::new();
    let message = event(&world, "a", "1", 5);
    world.handle(&counting(), [message.clone()]).await;
    let ports = world.as_lambda("count", &[]);
    counting().handle_batch(&ports, &world.queue, world.invocation(), vec![message]).await;
    assert_eq!((world.count().await, world.queue.letters().len()), (1, 0));
    let Some(LedgerRecord::Completed(record)) = world.ledger.get(&key("1")).await.unwrap() else { panic!("none") };
    assert_eq!((record.origin.lambda, record.result.as_deref()), (None, Some("\"counted\"")));
    assert_ne!(record.origin.fingerprint, Fingerprint::default());
}
