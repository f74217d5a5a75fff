//! What becomes of EventBridge's refusals, throttling and partial answers: the SDK's client against a scripted server.

use onceward::{Relay, RelayPorts, StreamRecord, memory::MemorySourceQueue};
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
    let failures =
        failures.map(|(index, reason)| PublishFailure { index, reason: reason.to_owned(), permanent: false });
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
    let record = |(index, envelope)| StreamRecord {
        sequence_number: format!("s{index}"),
        source: "stream".to_owned(),
        events: vec![Ok(envelope)],
    };
    envelopes(count).into_iter().enumerate().map(record).collect()
}

/// The record at which a relay of these stops, and the event ids of its letters.
async fn relay(publisher: &EventBridgePublisher, count: usize) -> (Option<String>, Vec<String>) {
    let dead_letters = MemorySourceQueue::default();
    let ports =
        RelayPorts { clock: &SystemClock, randomness: &SystemRandomness, publisher, dead_letters: &dead_letters };
    let failed = Relay::new("relay").handle(ports, records(count)).await;
    (failed, dead_letters.letters().into_iter().filter_map(|letter| Some(letter.event?.0)).collect())
}

#[tokio::test]
async fn the_relay_sends_more_than_ten_in_several_calls_and_repeats_only_what_was_refused() {
    let (server, publisher) = start().await;
    let mut first = [None; 10];
    (first[2], first[7]) = (Some("InternalFailure"), Some("ThrottlingException"));
    let second = answer(&[None, Some("ThrottlingException")]);
    server.answer(PUT, [answer(&first), second, answer(&[None]), answer(&[None; 2])]);
    assert_eq!(relay(&publisher, 12).await, (None, Vec::new()));
    let sent = sent(&server);
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [10, 2, 1, 2]);
    assert_eq!(sent[1..], [vec!["e2", "e7"], vec!["e7"], vec!["e10", "e11"]]);
}

#[tokio::test]
async fn the_relay_stops_at_the_first_event_that_stays_refused() {
    let (server, publisher) = start().await;
    server.answer(PUT, [answer(&[None, Some("ThrottlingException"), None]), answer(&[Some("ThrottlingException")])]);
    assert_eq!(relay(&publisher, 3).await, (Some("s1".to_owned()), Vec::new()));
}

/// The answer to an entry, and to a call, with a message.
#[tokio::test]
async fn what_is_refused_for_the_event_s_sake_is_permanent_and_what_can_be_mended_is_not() {
    for (code, message, permanent) in [
        ("InvalidArgument", "Parameter DetailType is not valid. Reason: it is too long.", true),
        (
            "InvalidArgument",
            "Parameter EventBusName is not valid. Reason: Provided Arn is not in correct format.",
            false,
        ),
        ("MalformedDetail", "Detail is malformed.", true),
        ("RedactionFailure", "why", true),
        ("InternalFailure", "why", false),
        ("ThrottlingException", "why", false),
        ("AccessDeniedException", "why", false),
        ("InvalidAccountIdException", "why", false),
        ("NotAuthorizedForSourceException", "Not authorized for the source.", false),
        ("NotAuthorizedForDetailTypeException", "why", false),
        ("SomethingNew", "why", false),
    ] {
        let (server, publisher) = start().await;
        let entries = json!([{"ErrorCode": code, "ErrorMessage": message}]);
        server.answer(PUT, [Answer::ok(json!({"FailedEntryCount": 1, "Entries": entries}))]);
        let failures = publish(&publisher, 1).await.unwrap();
        assert_eq!(failures[0].permanent, permanent, "{code}: {message}");
    }
}

#[tokio::test]
async fn a_source_that_is_aws_s_own_is_refused_for_good() {
    let (server, publisher) = start().await;
    server.answer(PUT, [answer(&[Some("NotAuthorizedForSourceException"); 2])]);
    let mut events = envelopes(2);
    events[1].source = "aws.orders".to_owned();
    let failures = publisher.publish(&[&events[0], &events[1]]).await.unwrap();
    assert_eq!(failures.iter().map(|failure| failure.permanent).collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn a_call_is_refused_for_good_for_what_is_in_it_alone() {
    for (status, code, message, permanent) in [
        (400, "ValidationException", "Total size of the entries in the request is over the limit.", true),
        (400, "ValidationException", "Value 'a b' at 'entries.1.member.eventBusName' failed to satisfy", false),
        (413, "RequestEntityTooLargeException", "why", true),
        (400, "ResourceNotFoundException", "why", false),
        (400, "AccessDeniedException", "why", false),
        (403, "ExpiredTokenException", "why", false),
    ] {
        let (server, publisher) = start().await;
        server.answer(PUT, [Answer::error(status, code, message)]);
        assert_eq!(publish(&publisher, 1).await.unwrap_err().permanent, permanent, "{code}: {message}");
    }
}

#[tokio::test]
async fn a_call_refused_because_of_one_event_is_sent_event_by_event() {
    let (server, publisher) = start().await;
    let refused = || Answer::error(400, "ValidationException", "Total size of the entries is over the limit.");
    server.answer(PUT, [refused(), answer(&[None]), refused(), answer(&[None])]);
    assert_eq!(relay(&publisher, 3).await, (None, vec!["e1".to_owned()]));
    assert_eq!(sent(&server), [vec!["e0", "e1", "e2"], vec!["e0"], vec!["e1"], vec!["e2"]]);
}
