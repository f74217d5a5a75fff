use std::collections::{HashMap, VecDeque};

use super::{PublishFailure, Publisher, StreamRecord, UnreadableEvent};
use crate::{
    Backoff, Clock, DeadLetter, DeadLetterQueue, Description, Envelope, FunctionKind, Randomness, Reason,
    error::chain,
    telemetry::{milliseconds, without_values},
};

/// How often the relay sends an event that was refused, before the stream has to bring its record again.
pub(super) const PUBLISH_TRIES_MAX: u32 = 4;

/// The function that publishes what commits have put into their ledger records.
///
/// At least once and, for each partition of the ledger, in order: it stops at the first record that it cannot publish yet,
/// so that the stream resumes there. Consumers tell duplicates by the event's id. What can never be published (it is no
/// event, or the bus refuses it for good) goes to the dead-letter queue, and what follows is published.
#[derive(Debug, Clone, Copy)]
pub struct Relay {
    name: &'static str,
}

/// What a relay works with.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "ports have none")]
pub struct RelayPorts<'a> {
    /// Between two tries.
    pub clock: &'a dyn Clock,
    /// For the pauses between tries.
    pub randomness: &'a dyn Randomness,
    /// Where events go.
    pub publisher: &'a dyn Publisher,
    /// Where that goes which can never be published. While it takes nothing, the relay stops there.
    pub dead_letters: &'a dyn DeadLetterQueue,
}

/// An event, and the place of its record among those of the invocation.
type Pending<'e> = (usize, &'e Envelope);

/// An event that the bus will never take, and why.
struct Refused<'e> {
    event: Pending<'e>,
    error: String,
    attempts: u32,
}

/// How one call's events fared, apart from those that are refused for good.
enum Sent<'e> {
    All,
    /// The call cannot be taken because of one of them: each needs one of its own.
    OneByOne(Vec<Pending<'e>>),
    /// Some are still not taken; the lowest of their records.
    StoppedAt(usize),
}

impl Relay {
    /// A relay with its function's name.
    pub fn new(name: &'static str) -> Self {
        Self { name }
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is.
    pub fn describe(&self) -> Description {
        Description::new(self.name, FunctionKind::Relay)
    }

    /// Publishes the records' events; answers the sequence number of the first record that failed.
    pub async fn handle(&self, ports: RelayPorts<'_>, records: Vec<StreamRecord>) -> Option<String> {
        let began = ports.clock.monotonic();
        let mut published = Vec::new();
        let stopped = self.handle_records(ports, &records, &mut published).await.err();
        if stopped.is_none() || !published.is_empty() {
            let duration_ms = milliseconds(ports.clock.monotonic().saturating_sub(began));
            let (function, count) = (self.name, published.len());
            let subject = published.first().and_then(|event| event.subject.as_deref()).unwrap_or_default();
            let types: Vec<_> = published.iter().map(|event| event.event_type.as_str()).collect();
            let event_type = summary(&types);
            tracing::info!(target: "onceward::delivery", function, event_type, subject, outcome = "published", count,
                attempt = 1, duration_ms);
        }
        stopped.map(|place| records[place].sequence_number.clone())
    }

    /// `Err` is the place of the first record that has to come again.
    async fn handle_records<'r>(
        &self,
        ports: RelayPorts<'_>,
        records: &'r [StreamRecord],
        published: &mut Vec<&'r Envelope>,
    ) -> Result<(), usize> {
        let entries = records.iter().enumerate();
        let entries: Vec<_> =
            entries.flat_map(|(place, record)| record.events.iter().map(move |entry| (place, entry))).collect();
        // A letter is sent in its turn: had it overtaken an event that is not taken yet, it would be sent again with that.
        for run in entries.chunk_by(|(_, one), (_, next)| one.is_ok() == next.is_ok()) {
            for (place, unreadable) in run.iter().filter_map(|(place, entry)| Some((*place, entry.as_ref().err()?))) {
                self.park_unreadable(ports, &records[place], unreadable).await.map_err(|()| place)?;
            }
            let events: Vec<_> = run.iter().filter_map(|(place, entry)| Some((*place, entry.as_ref().ok()?))).collect();
            for chunk in chunks(&events, ports.publisher.batch_max(), ports.publisher.batch_bytes_max()) {
                self.publish(ports, records, chunk, published).await?;
            }
        }
        Ok(())
    }

    /// Sends some events until each is taken or refused for good; `Err` is the lowest record of those that are neither.
    async fn publish<'e>(
        &self,
        ports: RelayPorts<'_>,
        records: &[StreamRecord],
        chunk: &[Pending<'e>],
        published: &mut Vec<&'e Envelope>,
    ) -> Result<(), usize> {
        let (mut refused, mut stopped) = (Vec::new(), None);
        let mut calls = VecDeque::from([chunk.to_vec()]);
        while let Some(call) = calls.pop_front() {
            match self.send(ports, call, published, &mut refused).await {
                Sent::All => {}
                Sent::OneByOne(events) => calls.extend(events.into_iter().map(|event| vec![event])),
                Sent::StoppedAt(place) => {
                    stopped = Some(place);
                    break;
                }
            }
        }
        // What the stream brings again is refused again: its letter waits until then.
        let settled = |place| stopped.is_none_or(|stopped| place < stopped);
        refused.sort_by_key(|refused| refused.event.0);
        for refused in refused.iter().filter(|refused| settled(refused.event.0)) {
            let place = refused.event.0;
            self.park_refused(ports, &records[place], refused).await.map_err(|()| place)?;
        }
        stopped.map_or(Ok(()), Err)
    }

    /// Sends one call's events, and those of them that are not taken again.
    async fn send<'e>(
        &self,
        ports: RelayPorts<'_>,
        mut pending: Vec<Pending<'e>>,
        published: &mut Vec<&'e Envelope>,
        refused: &mut Vec<Refused<'e>>,
    ) -> Sent<'e> {
        for attempts in 1..=PUBLISH_TRIES_MAX {
            let envelopes: Vec<_> = pending.iter().map(|(_, event)| *event).collect();
            match ports.publisher.publish(&envelopes).await {
                Ok(failures) => {
                    self.warn_of(&failures, attempts);
                    let mut failures: HashMap<_, _> = failures.into_iter().map(|it| (it.index, it)).collect();
                    let mut again = Vec::new();
                    for (index, event) in pending.into_iter().enumerate() {
                        match failures.remove(&index) {
                            None => published.push(event.1),
                            Some(failure) if failure.permanent => {
                                refused.push(Refused { event, error: failure.reason, attempts });
                            }
                            Some(_) => again.push(event),
                        }
                    }
                    if again.is_empty() {
                        return Sent::All;
                    }
                    pending = again;
                }
                Err(error) if error.permanent && pending.len() == 1 => {
                    refused.push(Refused { event: pending[0], error: chain(&error), attempts });
                    return Sent::All;
                }
                Err(error) if error.permanent => return Sent::OneByOne(pending),
                Err(error) => {
                    let (function, attempt, error) = (self.name, attempts, chain(&error));
                    tracing::warn!(function, attempt, error, "the bus did not answer");
                }
            }
            if attempts < PUBLISH_TRIES_MAX {
                ports.clock.sleep(Backoff::COMMITS.after(attempts, ports.randomness)).await;
            }
        }
        Sent::StoppedAt(pending.iter().map(|(record, _)| *record).min().unwrap_or_default())
    }

    fn warn_of(&self, failures: &[PublishFailure], attempt: u32) {
        let Some(first) = failures.first() else { return };
        let reason = &first.reason;
        tracing::warn!(function = self.name, refused = failures.len(), attempt, reason, "events refused");
    }

    async fn park_unreadable(
        &self,
        ports: RelayPorts<'_>,
        record: &StreamRecord,
        unreadable: &UnreadableEvent,
    ) -> Result<(), ()> {
        let UnreadableEvent { body, error } = unreadable.clone();
        let letter = self.letter(ports, record, Reason::OutboxUnreadable, error);
        self.park(ports, DeadLetter { body, ..letter }).await
    }

    async fn park_refused(
        &self,
        ports: RelayPorts<'_>,
        record: &StreamRecord,
        refused: &Refused<'_>,
    ) -> Result<(), ()> {
        let (_, event) = refused.event;
        let body = serde_json::to_string(event).map_err(|error| {
            tracing::error!(
                function = self.name,
                event_id = event.id,
                error = chain(&error),
                "no letter can be written"
            );
        })?;
        let letter = self.letter(ports, record, Reason::PublishRefused, refused.error.clone());
        let (group, event) = (event.subject.clone(), Some((event.id.clone(), event.event_type.clone())));
        self.park(ports, DeadLetter { body, group, event, attempts: refused.attempts, ..letter }).await
    }

    /// A letter about something in this record, without a body.
    fn letter(&self, ports: RelayPorts<'_>, record: &StreamRecord, reason: Reason, error: String) -> DeadLetter {
        let now = ports.clock.now();
        DeadLetter {
            body: String::new(),
            is_base64: false,
            group: None,
            message_id: record.sequence_number.clone(),
            reason,
            error,
            function: self.name.to_owned(),
            source: record.source.clone(),
            attempts: 1,
            first_failed_at: now,
            last_failed_at: now,
            event: None,
        }
    }

    /// Stores the letter, or says why it is not stored: then the stream has to bring the record again.
    async fn park(&self, ports: RelayPorts<'_>, letter: DeadLetter) -> Result<(), ()> {
        let (event_id, event_type) = letter.event.clone().unwrap_or_else(|| (String::new(), "(unreadable)".to_owned()));
        let reason = format!("{}: {}", letter.reason.as_str(), without_values(&letter.error));
        let stored = ports.dead_letters.send(&letter).await;
        let (function, sequence_number) = (self.name, &letter.message_id);
        let outcome = if stored.is_ok() { "dead_lettered" } else { "retried" };
        tracing::info!(target: "onceward::delivery", function, event_type, event_id, subject = letter.group, outcome,
            attempt = letter.attempts, duration_ms = 0.0, sequence_number, reason);
        stored.map_err(|error| {
            // The queue's error may repeat the letter's, and that what was found.
            let error = without_values(&chain(&error));
            tracing::error!(function, sequence_number, error, "the relay stops at what it cannot publish");
        })
    }
}

/// The events in pieces, in order, each small enough for one call; a piece has one event at least.
pub(super) fn chunks<'e, 'r>(events: &'e [Pending<'r>], events_max: usize, bytes_max: usize) -> Vec<&'e [Pending<'r>]> {
    let (mut pieces, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, (_, event)) in events.iter().enumerate() {
        let size = event.bytes_max();
        if index > start && (index - start >= events_max || bytes + size > bytes_max) {
            pieces.push(&events[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += size;
    }
    if start < events.len() {
        pieces.push(&events[start..]);
    }
    pieces
}

/// One type's name, or how many there are.
pub(super) fn summary(types: &[&str]) -> String {
    match types {
        [] => "(none)".to_owned(),
        [one] => (*one).to_owned(),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => format!("{first} ×{}", types.len()),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    }
}
