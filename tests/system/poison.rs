//! What the relay can never publish is parked with its reason, and the events behind it are published.

use aws_sdk_sqs::types::Message;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::{
    on_a_cloud,
    system::{System, envelope, order},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        on_a_cloud("poison::an_outbox_that_cannot_be_read_is_parked_and_later_events_are_published", unreadable),
        on_a_cloud("poison::an_event_that_the_bus_refuses_for_good_is_parked_and_later_events_are_published", refused),
    ]
}

/// All in one shard with the orders after it: the local cloud's streams have one.
async fn unreadable(system: System) {
    let records = [json!({"S": "no list"}), json!({"L": [{"S": "no envelope"}, {"N": "1"}]})];
    for (place, events) in records.iter().enumerate() {
        system.put_record(&format!("poison#{place}"), events).await;
    }
    goes_on(&system).await;
    let letters = letters(&system, 3).await;
    let mut bodies: Vec<_> = letters.iter().map(|letter| letter.body.as_deref().expect("a body")).collect();
    bodies.sort_unstable();
    assert_eq!(bodies[..2], ["1", "no envelope"]);
    assert_eq!(serde_json::from_str::<Value>(bodies[2]).expect("the record")["events"], "no list");
    for letter in &letters {
        assert_eq!((text(letter, "reason"), text(letter, "function")), ("OutboxUnreadable", "outbox-relay"));
        assert!(text(letter, "source").contains("/stream/") && !text(letter, "error").is_empty());
    }
}

async fn refused(system: System) {
    let mut reserved = envelope("order.noted.v1", "e-1", &json!({}));
    reserved["source"] = json!("aws.orders");
    let mut long = envelope(&"x".repeat(129), "e-2", &json!({}));
    long["source"] = json!("orders");
    let last = envelope("order.noted.v1", "e-3", &json!({}));
    let events: Vec<_> = [&reserved, &long, &last].iter().map(|event| json!({"S": event.to_string()})).collect();
    system.put_record("poison#1", &json!({ "L": events })).await;
    goes_on(&system).await;
    let letters = letters(&system, 2).await;
    for (event, error) in [(&reserved, "NotAuthorizedForSource"), (&long, "DetailType")] {
        let is_of = |letter: &&Message| text(letter, "event_id") == event["id"];
        let letter = letters.iter().find(is_of).expect("a letter of this event");
        let body: Value = serde_json::from_str(letter.body.as_deref().expect("a body")).expect("the event");
        assert_eq!((&body["type"], &body["data"]), (&event["type"], &event["data"]));
        assert_eq!((text(letter, "reason"), text(letter, "attempts")), ("PublishRefused", "1"));
        assert!(text(letter, "error").contains(error), "{}", text(letter, "error"));
    }
}

/// An order placed after what cannot be published is delivered.
async fn goes_on(system: &System) {
    let product = system.own("p");
    system.receive(&product, 1).await;
    let order_id = system.place(&order(&product, 1)).await;
    assert_eq!(system.settled(&order_id).await["status"], "confirmed");
}

/// So many letters of the relay, and no more.
async fn letters(system: &System, count: usize) -> Vec<Message> {
    let queue = system.name("outbox-failures");
    let mut letters = Vec::new();
    while letters.len() < count {
        letters.extend(system.messages(&queue).await);
    }
    assert_eq!(letters.len(), count, "{letters:?}");
    letters
}

fn text<'a>(letter: &'a Message, attribute: &str) -> &'a str {
    let attributes = letter.message_attributes.as_ref().expect("attributes");
    attributes[attribute].string_value.as_deref().expect("text")
}
