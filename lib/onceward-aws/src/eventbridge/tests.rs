//! What becomes of EventBridge's refusals, throttling and partial answers: the SDK's client against a scripted server.

use onceward::{Relay, StreamRecord};
use serde_json::{Value, json};

use super::*;
use crate::{
    SystemClock, SystemRandomness,
    clients::CALL_TRIES_MAX,
    scripted::{Answer, Scripted, chain},
};

const PUT: &str = "PutEvents";

async fn start() -> (Scripted, EventBridgePublisher) {
    let server = Scripted::start().await;
    let publisher = EventBridgePublisher::new(Client::new(&server.config().await), "stack-bus");
    (server, publisher)
}

fn envelopes(count: usize) -> Vec<Envelope> {
    let one = |index| {
        let text = json!({
            "specversion": "1.0", "id": format!("e{index}"), "source": "orders", "type": "order.placed.v1",
            "time": "2026-01-01T00:00:00Z", "data": {},
        });
        Envelope::parse(&text.to_string()).expect("an envelope")
    };
    (0..count).map(one).collect()
}

/// An answer with an id for each entry, but for those that have a code.
fn answer(codes: &[Option<&str>]) -> Answer {
    let entries: Vec<_> = codes
        .iter()
        .map(|code| match code {
            None => json!({"EventId": "1"}),
            Some(code) => json!({"ErrorCode": code, "ErrorMessage": "why"}),
        })
        .collect();
    Answer::ok(json!({"FailedEntryCount": codes.iter().flatten().count(), "Entries": entries}))
}

/// The ids of the events of each call.
fn sent(server: &Scripted) -> Vec<Vec<String>> {
    let id = |entry: &Value| {
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        detail["id"].as_str().unwrap().to_owned()
    };
    let requests = server.requests(PUT);
    requests.iter().map(|request| request["Entries"].as_array().unwrap().iter().map(id).collect()).collect()
}

async fn publish(publisher: &EventBridgePublisher, count: usize) -> Result<Vec<PublishFailure>, PublishError> {
    let envelopes = envelopes(count);
    publisher.publish(&envelopes.iter().collect::<Vec<_>>()).await
}

#[tokio::test]
async fn entries_that_were_refused_are_told_by_place_and_reason() {
    let (server, publisher) = start().await;
    server.answer(PUT, [answer(&[None, Some("ThrottlingException"), None, Some("AccessDeniedException")])]);
    let denied = "events:PutEvents on the event bus stack-bus (EVENT_BUS_NAME) is not allowed: allow it in the \
                  function's role: AccessDeniedException: why";
    let failures = [(1, "ThrottlingException: why"), (3, denied)];
    let failures = failures.map(|(index, reason)| PublishFailure { index, reason: reason.to_owned() });
    assert_eq!(publish(&publisher, 4).await.unwrap(), failures);
}

#[tokio::test]
async fn an_entry_without_a_result_is_not_taken_for_published() {
    let (server, publisher) = start().await;
    server.answer(PUT, [Answer::ok(json!({"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {}]}))]);
    let failures = publish(&publisher, 3).await.unwrap();
    assert_eq!(failures.iter().map(|failure| failure.index).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn a_call_that_is_refused_as_a_whole_says_what_to_do() {
    let bus = "the event bus stack-bus (EVENT_BUS_NAME)";
    for (status, code, text, tries) in [
        (400, "ThrottlingException", "ThrottlingException: why".to_owned(), CALL_TRIES_MAX),
        (500, "InternalException", "InternalException: why".to_owned(), CALL_TRIES_MAX),
        (400, "ResourceNotFoundException", format!("{bus} does not exist in this account and region: deploy it"), 1),
        (400, "AccessDeniedException", format!("events:PutEvents on {bus} is not allowed: allow it in the"), 1),
        (403, "ExpiredTokenException", "the credentials have expired: ".to_owned(), 1),
    ] {
        let (server, publisher) = start().await;
        server.answer(PUT, [Answer::error(status, code, "why")]);
        let said = chain(&publish(&publisher, 1).await.unwrap_err());
        assert!(said.starts_with(&format!("the events could not be sent: {text}")), "{said}");
        assert!(said.ends_with(&format!("{code}: why (request REQUEST-1)")), "{said}");
        assert_eq!(server.requests(PUT).len(), tries as usize, "{code}");
    }
}

fn records(count: usize) -> Vec<StreamRecord> {
    let record = |(index, envelope)| StreamRecord { sequence_number: format!("s{index}"), events: Ok(vec![envelope]) };
    envelopes(count).into_iter().enumerate().map(record).collect()
}

#[tokio::test]
async fn the_relay_sends_more_than_ten_in_several_calls_and_repeats_only_what_was_refused() {
    let (server, publisher) = start().await;
    let mut first = [None; 10];
    (first[2], first[7]) = (Some("InternalFailure"), Some("ThrottlingException"));
    let second = answer(&[None, Some("ThrottlingException")]);
    server.answer(PUT, [answer(&first), second, answer(&[None]), answer(&[None; 2])]);
    let failed = Relay::new("relay").handle(&SystemClock, &SystemRandomness, &publisher, records(12)).await;
    assert_eq!(failed, None);
    let sent = sent(&server);
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [10, 2, 1, 2]);
    assert_eq!(sent[1..], [vec!["e2", "e7"], vec!["e7"], vec!["e10", "e11"]]);
}

#[tokio::test]
async fn the_relay_stops_at_the_first_event_that_stays_refused() {
    let (server, publisher) = start().await;
    server.answer(PUT, [answer(&[None, Some("ThrottlingException"), None]), answer(&[Some("ThrottlingException")])]);
    let failed = Relay::new("relay").handle(&SystemClock, &SystemRandomness, &publisher, records(3)).await;
    assert_eq!(failed.as_deref(), Some("s1"));
}
