use std::{collections::BTreeMap, time::Duration};

use crate::{
    Context, Delivery, Function, Ledger as _, LedgerKey, LedgerRecord, Reason, UnitOfWork, all,
    fixture::{Counter, Ping, Runs, World, again},
};

/// Counts each ping under the key that its value makes.
fn keyed(runs: &Runs) -> Function {
    let runs = runs.clone();
    Function::new("keyed").on_keyed(
        |ping: &Ping| format!("ping-{}", ping.value),
        move |ping: Ping, _: Context| {
            runs.begin();
            let count = UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([]));
            async move { Ok(count.answer(&ping.value)) }
        },
    )
}

fn with_header(delivery: Delivery, name: &str, value: &str) -> Delivery {
    Delivery { headers: BTreeMap::from([(name.to_owned(), value.to_owned())]), ..delivery }
}

fn by_header() -> Function {
    Function::new("by-header").idempotency_header("Idempotency-Key").on(|_: Ping, _: Context| async {
        Ok(UnitOfWork::new().update::<Counter>(Counter::the_key(), Counter::one_more(), all([])))
    })
}

#[tokio::test]
async fn two_events_with_one_business_key_are_handled_once() {
    let (world, runs) = (World::new(), Runs::default());
    for id in ["1", "2"] {
        assert!(world.handle(&keyed(&runs), [world.delivery(id, 7)]).await.is_empty());
    }
    assert!(world.handle(&keyed(&runs), [world.delivery("3", 8)]).await.is_empty());
    assert_eq!(world.count().await, 2);
    let key = LedgerKey { function: "keyed".to_owned(), idempotency_key: "ping-7".to_owned() };
    let Some(LedgerRecord::Completed(record)) = world.ledger.get(&key).await.unwrap() else { panic!("no record") };
    assert_eq!((record.answer::<u32>().unwrap(), record.committed_at), (Some(7), world.now()));
}

#[tokio::test]
async fn a_redelivered_event_is_looked_up_by_its_business_key() {
    let (world, runs) = (World::new(), Runs::default());
    let message = world.delivery("1", 7);
    world.handle(&keyed(&runs), [message.clone()]).await;
    world.handle(&keyed(&runs), [again(&message, 2)]).await;
    assert_eq!((runs.count(), world.ledger.finds()), (1, 1));
}

#[tokio::test]
async fn a_business_key_of_no_use_is_terminal() {
    let (world, runs) = (World::new(), Runs::default());
    let empty = Function::new("empty")
        .on_keyed(|_: &Ping| String::new(), |_: Ping, _: Context| async { Ok(UnitOfWork::new()) });
    world.handle(&empty, [world.delivery("1", 7)]).await;
    let unreadable = world.body("2", 7).replace(r#""value":7"#, r#""value":"seven""#);
    world.handle(&keyed(&runs), [world.delivery_of("2", unreadable)]).await;
    let letters = world.queue.letters();
    assert_eq!(letters[0].reason, Reason::IdempotencyKeyInvalid);
    assert_eq!(letters[0].error, "the idempotency key has 0 bytes: 1 to 1024 are possible");
    assert_eq!(letters[1].reason, Reason::SchemaRefused);
    assert!(letters[1].error.starts_with("value: invalid type"), "{}", letters[1].error);
    assert_eq!(letters[1].event, Some(("e-2".to_owned(), "ping.sent.v1".to_owned())));
}

#[tokio::test]
async fn a_header_can_hold_the_key() {
    let world = World::new();
    let first = with_header(world.delivery("1", 7), "idempotency-key", "k");
    let second = with_header(world.delivery("2", 7), "IDEMPOTENCY-KEY", "k");
    let other = with_header(world.delivery("3", 7), "Idempotency-Key", "l");
    assert!(world.handle(&by_header(), [first, second, other]).await.is_empty());
    assert_eq!((world.count().await, world.queue.letters().len()), (2, 0));
}

#[tokio::test]
async fn an_attribute_of_an_sns_notification_is_a_header_too() {
    let world = World::new();
    for id in ["1", "2"] {
        let notification = serde_json::json!({
            "Type": "Notification", "Message": world.body(id, 7),
            "MessageAttributes": {"Idempotency-Key": {"Type": "String", "Value": "k"}},
        });
        world.handle(&by_header(), [world.delivery_of(id, notification.to_string())]).await;
    }
    assert_eq!((world.count().await, world.queue.letters().len()), (1, 0));
}

#[tokio::test]
async fn an_event_without_the_named_header_is_terminal() {
    let world = World::new();
    assert!(world.handle(&by_header(), [world.delivery("1", 7)]).await.is_empty());
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!(letter.reason, Reason::IdempotencyKeyInvalid);
    assert!(letter.error.contains("`Idempotency-Key` is missing"), "{}", letter.error);
    assert_eq!(world.count().await, 0);
}

#[tokio::test]
async fn a_named_header_that_is_not_text_is_not_said_to_be_missing() {
    let world = World::new();
    let binary = Delivery { non_text_headers: ["IDEMPOTENCY-KEY".to_owned()].into(), ..world.delivery("1", 7) };
    assert!(world.handle(&by_header(), [binary]).await.is_empty());
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!(letter.reason, Reason::IdempotencyKeyInvalid);
    assert!(letter.error.contains("`Idempotency-Key` is not text"), "{}", letter.error);
}

#[tokio::test]
async fn a_function_decides_how_long_it_remembers() {
    let world = World::new();
    let short = || {
        Function::new("short")
            .retention(Duration::from_hours(1))
            .on(|_: Ping, _: Context| async { Ok(UnitOfWork::new()) })
    };
    let message = world.delivery("1", 0);
    world.clock.advance(Duration::from_hours(1));
    assert!(world.handle(&short(), [message.clone()]).await.is_empty());
    assert!(world.queue.letters().is_empty());
    world.clock.advance(Duration::from_secs(1));
    world.handle(&short(), [message]).await;
    let [letter] = world.queue.letters().try_into().unwrap();
    assert_eq!(letter.reason, Reason::TooLate);
    assert!(letter.error.contains("remembers 3600 s"), "{}", letter.error);
}
