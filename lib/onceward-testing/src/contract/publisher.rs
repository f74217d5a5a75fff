use std::time::Duration;

use chrono::DateTime;
use onceward::{
    Envelope, Reason, Relay, RelayPorts, StreamRecord,
    memory::{ManualClock, MemorySourceQueue, SeededRandomness},
};
use serde_json::{Value, json};

use super::{BusProbe, Cloud, cloud_cases};

cloud_cases![
    an_event_arrives_with_source_type_and_envelope,
    an_event_has_the_time_at_which_it_happened,
    an_event_keeps_every_kind_of_value,
    the_events_of_one_call_arrive_in_order,
    a_call_may_have_the_most_events_and_bytes,
    an_event_may_fill_a_call,
    an_event_too_large_is_refused_and_the_next_call_is_taken,
    refused_events_are_named_by_their_place_and_the_others_arrive,
    the_relay_sends_what_is_more_than_one_call_takes_in_order,
    the_relay_parks_an_event_that_is_refused_for_good_and_goes_on,
];

/// How long one look at what was routed may wait.
const WAIT: Duration = Duration::from_secs(2);

/// Looks in which nothing new came, before a case gives up.
const EMPTY_LOOKS_MAX: usize = 10;

/// More than any bus takes: EventBridge's entries may have 1 MB, and had 256 KB before.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
const TOO_LARGE_BYTES: usize = 2 * 1024 * 1024;

/// What an envelope of these cases has at most beside its data, as the publisher's limit counts it.
const ATTRIBUTES_BYTES: usize = 1_024;

fn event(id: &str, data: &Value) -> Envelope {
    let envelope = json!({
        "specversion": "1.0", "id": id, "source": "orders", "type": "order.placed.v1",
        "time": "2026-01-01T01:02:03.004Z", "subject": "o-1", "data": data,
    });
    Envelope::parse(&envelope.to_string()).expect("an envelope")
}

fn numbered(count: usize) -> Vec<Envelope> {
    (0..count).map(|number| event(&number.to_string(), &json!({"number": number}))).collect()
}

/// An event whose data have this many bytes.
fn sized(id: &str, data_bytes: usize) -> Envelope {
    event(id, &json!("x".repeat(data_bytes - "\"\"".len())))
}

/// Publishes in one call; answers the places of the events that were refused.
async fn publish(probe: &dyn BusProbe, events: &[Envelope]) -> Vec<usize> {
    let failures = probe.publisher().publish(&events.iter().collect::<Vec<_>>()).await.unwrap();
    assert!(failures.iter().all(|failure| !failure.reason.is_empty()), "{failures:?}");
    failures.into_iter().map(|failure| failure.index).collect()
}

/// What was routed, until there are `count` events, in the order in which they come.
///
/// `EventBridge` itself promises no order between events; where a cloud keeps it, a case sees that the adapter did.
async fn routed(probe: &dyn BusProbe, count: usize) -> Vec<Value> {
    let (mut events, mut empty_looks) = (Vec::new(), 0);
    while events.len() < count && empty_looks < EMPTY_LOOKS_MAX {
        let more = probe.take_routed(WAIT).await;
        empty_looks += usize::from(more.is_empty());
        events.extend(more.iter().map(|body| serde_json::from_str(body).expect("an EventBridge event")));
    }
    assert_eq!(events.len(), count, "{:?}", ids(&events));
    events
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["detail"]["id"].as_str()).collect()
}

fn ids_of(envelopes: &[Envelope]) -> Vec<&str> {
    envelopes.iter().map(|envelope| envelope.id.as_str()).collect()
}

async fn an_event_arrives_with_source_type_and_envelope(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let event = event("e-1", &json!({"order_id": "o-1"}));
    assert!(publish(&*probe, std::slice::from_ref(&event)).await.is_empty());
    let routed = routed(&*probe, 1).await.remove(0);
    assert_eq!((&routed["source"], &routed["detail-type"]), (&json!("orders"), &json!("order.placed.v1")));
    assert_eq!(routed["detail"], serde_json::to_value(&event).unwrap());
    assert_eq!(Envelope::parse(&routed.to_string()).unwrap().fingerprint().unwrap(), event.fingerprint().unwrap());
}

async fn an_event_has_the_time_at_which_it_happened(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    publish(&*probe, &[event("e-1", &json!(1))]).await;
    let routed = routed(&*probe, 1).await.remove(0);
    let time = DateTime::parse_from_rfc3339(routed["time"].as_str().unwrap()).unwrap();
    assert_eq!(time.timestamp(), DateTime::parse_from_rfc3339("2026-01-01T01:02:03Z").unwrap().timestamp());
    assert_eq!(routed["detail"]["time"], "2026-01-01T01:02:03.004Z");
}

async fn an_event_keeps_every_kind_of_value(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let data = json!({
        "": null, "text": "é日本😀\u{0}\u{1f}\u{2028}\"\\/<&>", "é": [true, false, [], {}, ""],
        "numbers": [0, -1, i64::MAX, i64::MIN, 0.1, -2.5e-7, 1e21],
    });
    publish(&*probe, &[event("é😀", &data)]).await;
    let routed = routed(&*probe, 1).await.remove(0);
    assert_eq!((&routed["detail"]["data"], &routed["detail"]["id"]), (&data, &json!("é😀")));
}

async fn the_events_of_one_call_arrive_in_order(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let events = numbered(probe.publisher().batch_max());
    assert!(publish(&*probe, &events).await.is_empty());
    assert_eq!(ids(&routed(&*probe, events.len()).await), ids_of(&events));
}

async fn a_call_may_have_the_most_events_and_bytes(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let (count, bytes) = (probe.publisher().batch_max(), probe.publisher().batch_bytes_max());
    let events: Vec<_> = (0..count).map(|id| sized(&id.to_string(), bytes / count - ATTRIBUTES_BYTES)).collect();
    assert!(publish(&*probe, &events).await.is_empty());
    assert_eq!(ids(&routed(&*probe, count).await), ids_of(&events));
}

async fn an_event_may_fill_a_call(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let events = [sized("full", probe.publisher().batch_bytes_max() - ATTRIBUTES_BYTES)];
    assert!(publish(&*probe, &events).await.is_empty());
    let data = serde_json::from_str::<Value>(events[0].data.get()).unwrap();
    assert!(routed(&*probe, 1).await[0]["detail"]["data"] == data, "not as published");
}

/// Alone in its call, as [`batch_bytes_max`](onceward::Publisher::batch_bytes_max) asks for.
async fn an_event_too_large_is_refused_and_the_next_call_is_taken(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let outcome = probe.publisher().publish(&[&sized("too large", TOO_LARGE_BYTES)]).await;
    let refused = outcome.map(|failures| failures.iter().map(|failure| failure.index).collect::<Vec<_>>());
    assert!(refused.as_ref().map_or(true, |places| places == &[0]), "{refused:?}");
    assert!(publish(&*probe, &numbered(1)).await.is_empty());
    assert_eq!(ids(&routed(&*probe, 1).await), ["0"]);
}

async fn refused_events_are_named_by_their_place_and_the_others_arrive(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let mut events = numbered(5);
    for place in [1, 4] {
        events[place] = probe.unacceptable(events[place].clone());
    }
    assert_eq!(publish(&*probe, &events).await, [1, 4]);
    assert_eq!(ids(&routed(&*probe, 3).await), ["0", "2", "3"]);
}

async fn relay(probe: &dyn BusProbe, dead_letters: &MemorySourceQueue, commits: Vec<Vec<Envelope>>) -> Option<String> {
    let (clock, randomness) = (ManualClock::new(DateTime::UNIX_EPOCH), SeededRandomness::new(7));
    let record = |(place, events): (usize, Vec<Envelope>)| StreamRecord {
        sequence_number: format!("record {place}"),
        source: "stream".to_owned(),
        events: events.into_iter().map(Ok).collect(),
    };
    let records = commits.into_iter().enumerate().map(record).collect();
    let publisher = probe.publisher();
    let ports = RelayPorts { clock: &clock, randomness: &randomness, publisher, dead_letters };
    Relay::new("relay").handle(ports, records).await
}

async fn the_relay_sends_what_is_more_than_one_call_takes_in_order(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let publisher = probe.publisher();
    let mut events = numbered(2 * publisher.batch_max() + 1);
    events.extend(["a", "b", "c"].map(|id| sized(id, publisher.batch_bytes_max() / 2)));
    let commits = events.chunks(publisher.batch_max() - 1).map(<[_]>::to_vec).collect();
    assert_eq!(relay(&*probe, &MemorySourceQueue::default(), commits).await, None);
    assert_eq!(ids(&routed(&*probe, events.len()).await), ids_of(&events));
}

async fn the_relay_parks_an_event_that_is_refused_for_good_and_goes_on(cloud: &dyn Cloud) {
    let probe = cloud.bus().await;
    let count = probe.publisher().batch_max() + 2;
    let mut commits: Vec<_> = numbered(count).into_iter().map(|event| vec![event]).collect();
    commits[2] = commits[2].drain(..).map(|event| probe.unacceptable(event)).collect();
    let refused = commits[2][0].clone();
    let letters = MemorySourceQueue::default();
    assert_eq!(relay(&*probe, &letters, commits).await, None);
    let [letter] = &letters.letters()[..] else { panic!("one letter: {:?}", letters.letters()) };
    assert_eq!((letter.reason, letter.message_id.as_str()), (Reason::PublishRefused, "record 2"));
    assert_eq!(serde_json::from_str::<Value>(&letter.body).unwrap(), serde_json::to_value(&refused).unwrap());
    let expected: Vec<_> = (0..count).filter(|place| *place != 2).map(|place| place.to_string()).collect();
    assert_eq!(ids(&routed(&*probe, expected.len()).await), expected);
}
