use std::sync::Mutex;

use chrono::DateTime;

use super::{
    relay::{PUBLISH_TRIES_MAX, chunks, summary},
    *,
};
use crate::{
    Clock, DeadLetter, Reason,
    memory::{ManualClock, MemoryPublisher, MemorySourceQueue, SeededRandomness},
};

fn envelope(id: &str) -> Envelope {
    let text = format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"s","type":"t.v1","time":"2026-01-01T00:00:00Z","data":1}}"#
    );
    Envelope::parse(&text).unwrap()
}

/// The record `{sequence}` with these events.
fn record<const N: usize>(sequence: u32, events: [&str; N]) -> StreamRecord {
    record_of(sequence, events.map(|id| Ok(envelope(id))).into())
}

fn record_of(sequence: u32, events: Vec<Result<Envelope, UnreadableEvent>>) -> StreamRecord {
    StreamRecord { sequence_number: sequence.to_string(), source: "stream".to_owned(), events }
}

/// Something that is no event.
fn unreadable(body: &str) -> Result<Envelope, UnreadableEvent> {
    Err(UnreadableEvent { body: body.to_owned(), error: "no list".to_owned() })
}

/// Without letters.
async fn relay(publisher: &dyn Publisher, records: Vec<StreamRecord>) -> Option<String> {
    let letters = MemorySourceQueue::default();
    let failed = relay_with(publisher, &letters, records).await;
    assert!(letters.letters().is_empty(), "{:?}", letters.letters());
    failed
}

async fn relay_with(
    publisher: &dyn Publisher,
    dead_letters: &MemorySourceQueue,
    records: Vec<StreamRecord>,
) -> Option<String> {
    let (clock, randomness) = (ManualClock::new(DateTime::UNIX_EPOCH), SeededRandomness::new(7));
    let ports = RelayPorts { clock: &clock, randomness: &randomness, publisher, dead_letters };
    Relay::new("relay").handle(ports, records).await
}

/// Body and reason of each letter.
fn told(letters: &MemorySourceQueue) -> Vec<(String, Reason)> {
    letters.letters().into_iter().map(|letter| (letter.body, letter.reason)).collect()
}

fn ids(publisher: &MemoryPublisher) -> Vec<String> {
    publisher.published().into_iter().map(|envelope| envelope.id).collect()
}

/// Notes the sizes of the calls, and fails as a whole a number of times.
#[derive(Default)]
struct Bus {
    outages: Mutex<u32>,
    calls: Mutex<Vec<usize>>,
}

#[async_trait]
impl Publisher for Bus {
    fn batch_max(&self) -> usize {
        10
    }

    fn batch_bytes_max(&self) -> usize {
        10_000
    }

    async fn publish(&self, envelopes: &[&Envelope]) -> Result<Vec<PublishFailure>, PublishError> {
        self.calls.lock().unwrap().push(envelopes.len());
        let mut outages = self.outages.lock().unwrap();
        if *outages == 0 {
            return Ok(Vec::new());
        }
        *outages -= 1;
        Err(PublishError { source: "down".into(), permanent: false })
    }
}

#[tokio::test]
async fn the_events_of_all_records_are_published_in_order() {
    let publisher = MemoryPublisher::default();
    let records = vec![record(1, ["a", "b"]), record(2, []), record(3, ["c"])];
    assert_eq!(relay(&publisher, records).await, None);
    assert_eq!(ids(&publisher), ["a", "b", "c"]);
    assert_eq!(relay(&publisher, Vec::new()).await, None);
}

#[tokio::test]
async fn a_call_takes_no_more_events_than_the_bus_allows() {
    let bus = Bus::default();
    let records = (0..25).map(|sequence| record(sequence, ["x"])).collect();
    assert_eq!(relay(&bus, records).await, None);
    assert_eq!(*bus.calls.lock().unwrap(), [10, 10, 5]);
}

#[tokio::test]
async fn refused_events_are_sent_again_and_no_others() {
    let publisher = MemoryPublisher::default();
    publisher.refuse("b", 3);
    publisher.refuse("d", 1);
    let records = vec![record(1, ["a", "b"]), record(2, ["c", "d", "e"])];
    assert_eq!(relay(&publisher, records).await, None);
    assert_eq!(ids(&publisher), ["a", "c", "e", "d", "b"]);
}

#[tokio::test]
async fn a_lasting_refusal_answers_the_lowest_failed_record_and_stops_there() {
    let publisher = MemoryPublisher::default();
    publisher.refuse("c", 4);
    publisher.refuse("b", 4);
    let mut records = vec![record(1, ["a"]), record(2, ["b"]), record(3, ["c"])];
    records.extend((4..=20).map(|sequence| record(sequence, ["later"])));
    assert_eq!(relay(&publisher, records).await.as_deref(), Some("2"));
    let later = ids(&publisher).iter().filter(|id| *id == "later").count();
    assert_eq!(later, 7, "those of the same call only");
}

#[tokio::test]
async fn a_refusal_in_a_later_call_answers_its_record() {
    let publisher = MemoryPublisher::default();
    publisher.refuse("b", u32::MAX);
    let records = (1..=15).map(|sequence| record(sequence, [if sequence == 13 { "b" } else { "a" }])).collect();
    assert_eq!(relay(&publisher, records).await.as_deref(), Some("13"));
}

#[tokio::test]
async fn an_outage_is_survived_if_it_is_short() {
    for (outages, failed) in [(3, None), (4, Some("1"))] {
        let bus = Bus { outages: Mutex::new(outages), ..Bus::default() };
        assert_eq!(relay(&bus, vec![record(1, ["a"]), record(2, ["b"])]).await.as_deref(), failed);
        assert_eq!(*bus.calls.lock().unwrap(), [2, 2, 2, 2]);
    }
}

#[tokio::test]
async fn a_call_has_no_more_bytes_than_the_bus_takes_and_one_event_at_least() {
    let large = |id, bytes| {
        let mut envelope = envelope(id);
        envelope.data = serde_json::value::to_raw_value(&"x".repeat(bytes)).unwrap();
        envelope
    };
    let events = vec![large("1", 4_000), large("2", 4_000), large("3", 4_000), large("4", 20_000), large("5", 1)];
    let bus = Bus::default();
    assert_eq!(relay(&bus, vec![record_of(1, events.into_iter().map(Ok).collect())]).await, None);
    assert_eq!(*bus.calls.lock().unwrap(), [2, 1, 1, 1]);
}

#[test]
fn the_size_of_an_envelope_is_never_guessed_too_small() {
    let mut envelope = envelope("e");
    let longest = Some("\u{1}".repeat(300));
    envelope.subject.clone_from(&longest);
    envelope.correlationid.clone_from(&longest);
    envelope.traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    envelope.sequence = Some(u64::MAX.to_string());
    assert!(envelope.bytes_max() >= serde_json::to_string(&envelope).unwrap().len());
}

/// In how many pieces events go that count and weigh so much at most, each piece with its events' places.
fn pieces(ids: &[&str], events_max: usize, bytes_max: usize) -> Vec<Vec<usize>> {
    let envelopes: Vec<_> = ids.iter().map(|id| envelope(id)).collect();
    let events: Vec<_> = envelopes.iter().enumerate().collect();
    let pieces = chunks(&events, events_max, bytes_max);
    pieces.into_iter().map(|piece| piece.iter().map(|(place, _)| *place).collect()).collect()
}

#[test]
fn a_piece_is_full_at_its_limits_and_never_empty() {
    let size = envelope("a").bytes_max();
    assert_eq!(pieces(&[], 10, 10_000), Vec::<Vec<usize>>::new());
    assert_eq!(pieces(&["a", "b", "c"], 2, 10_000), [vec![0, 1], vec![2]]);
    assert_eq!(pieces(&["a", "b", "c"], 10, 2 * size), [vec![0, 1], vec![2]], "two fit exactly");
    assert_eq!(pieces(&["a", "b", "c"], 10, 2 * size - 1), [vec![0], vec![1], vec![2]]);
    assert_eq!(pieces(&["a", "b"], 10, size - 1), [vec![0], vec![1]], "what fits nowhere is the bus's to refuse");
}

#[test]
fn a_line_names_one_type_how_often_or_how_many_others() {
    assert_eq!(summary(&[]), "(none)");
    assert_eq!(summary(&["a.v1"]), "a.v1");
    assert_eq!(summary(&["a.v1", "a.v1"]), "a.v1 ×2");
    assert_eq!(summary(&["a.v1", "b.v1", "a.v1"]), "a.v1 +2");
}

/// It pauses between its tries, and not after the last: the stream waits long enough.
#[tokio::test]
async fn a_relay_pauses_between_tries_only() {
    let bus = Bus { outages: Mutex::new(u32::MAX), ..Bus::default() };
    let clock = Pauses::default();
    let (randomness, dead_letters) = (SeededRandomness::new(7), MemorySourceQueue::default());
    let ports = RelayPorts { clock: &clock, randomness: &randomness, publisher: &bus, dead_letters: &dead_letters };
    let failed = Relay::new("relay").handle(ports, vec![record(1, ["a"])]).await;
    assert_eq!(failed.as_deref(), Some("1"));
    let tries = bus.calls.lock().unwrap().len();
    assert_eq!((tries, *clock.0.lock().unwrap()), (PUBLISH_TRIES_MAX as usize, tries - 1));
}

/// Counts the pauses.
#[derive(Debug, Default)]
struct Pauses(Mutex<usize>);

#[async_trait]
impl Clock for Pauses {
    fn now(&self) -> DateTime<chrono::Utc> {
        DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> std::time::Duration {
        std::time::Duration::ZERO
    }

    async fn sleep(&self, _duration: std::time::Duration) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn a_relay_knows_its_name() {
    assert_eq!(Relay::new("relay").name(), "relay");
}

mod poison;
