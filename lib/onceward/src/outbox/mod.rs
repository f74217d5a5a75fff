use std::{collections::HashSet, error::Error};

use async_trait::async_trait;

use crate::{Backoff, Clock, Description, Envelope, FunctionKind, Randomness, error::chain, telemetry::milliseconds};

/// How often the relay sends an event that was refused, before the stream has to bring its record again.
const PUBLISH_TRIES_MAX: u32 = 4;

/// Sends events to where rules route them.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// The most events one call takes.
    fn batch_max(&self) -> usize;

    /// The most bytes the events of one call may have together. An event larger than that is sent alone.
    fn batch_bytes_max(&self) -> usize;

    /// Sends the events; answers the places in `envelopes` of those that were refused.
    async fn publish(&self, envelopes: &[&Envelope]) -> Result<Vec<PublishFailure>, PublishError>;
}

/// One event that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishFailure {
    /// Its place in the call.
    pub index: usize,
    /// Why, in the bus's words.
    pub reason: String,
}

/// A call that failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("the events could not be sent")]
pub struct PublishError {
    /// What the bus says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

/// One record of the ledger's stream: the events of one commit.
#[derive(Debug)]
pub struct StreamRecord {
    /// The stream's name for the place of the record.
    pub sequence_number: String,
    /// What the commit published, or why it cannot be read.
    pub events: Result<Vec<Envelope>, String>,
}

/// The function that publishes what commits have put into their ledger records.
///
/// At least once and, for each partition of the ledger, in order: it stops at the first record that it cannot publish,
/// so that the stream resumes there. Consumers tell duplicates by the event's id.
#[derive(Debug, Clone, Copy)]
pub struct Relay {
    name: &'static str,
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
    pub async fn handle(
        &self,
        clock: &dyn Clock,
        randomness: &dyn Randomness,
        publisher: &dyn Publisher,
        records: Vec<StreamRecord>,
    ) -> Option<String> {
        let readable: Vec<_> = records.iter().take_while(|record| record.events.is_ok()).collect();
        if let Some(record) = records.get(readable.len()) {
            let error = record.events.as_ref().err();
            tracing::error!(function = self.name, record.sequence_number, error, "a record's events cannot be read");
        }
        let unreadable = records.get(readable.len()).map(|record| record.sequence_number.clone());
        let events: Vec<(usize, &Envelope)> = readable
            .iter()
            .enumerate()
            .flat_map(|(place, record)| record.events.iter().flatten().map(move |event| (place, event)))
            .collect();
        let began = clock.monotonic();
        for chunk in chunks(&events, publisher.batch_max(), publisher.batch_bytes_max()) {
            if let Err(place) = self.publish(clock, randomness, publisher, chunk).await {
                return Some(readable[place].sequence_number.clone());
            }
        }
        let duration_ms = milliseconds(clock.monotonic().saturating_sub(began));
        let (function, count) = (self.name, events.len());
        let subject = events.first().and_then(|(_, event)| event.subject.as_deref()).unwrap_or_default();
        let types: Vec<_> = events.iter().map(|(_, event)| event.event_type.as_str()).collect();
        let event_type = summary(&types);
        tracing::info!(target: "onceward::delivery", function, event_type, subject, outcome = "published", count,
            attempt = 1, duration_ms);
        unreadable
    }

    /// Sends one call's events until all are taken; `Err` is the lowest record of those that were not.
    async fn publish(
        &self,
        clock: &dyn Clock,
        randomness: &dyn Randomness,
        publisher: &dyn Publisher,
        chunk: &[(usize, &Envelope)],
    ) -> Result<(), usize> {
        let mut pending = chunk.to_vec();
        for attempt in 1..=PUBLISH_TRIES_MAX {
            let envelopes: Vec<_> = pending.iter().map(|(_, event)| *event).collect();
            match publisher.publish(&envelopes).await {
                Ok(failures) if failures.is_empty() => return Ok(()),
                Ok(failures) => {
                    let refused: HashSet<_> = failures.iter().map(|failure| failure.index).collect();
                    let mut place = 0;
                    pending.retain(|_| {
                        place += 1;
                        refused.contains(&(place - 1))
                    });
                    let reason = &failures[0].reason;
                    tracing::warn!(function = self.name, refused = failures.len(), attempt, reason, "events refused");
                }
                Err(error) => {
                    tracing::warn!(function = self.name, attempt, error = chain(&error), "the bus did not answer");
                }
            }
            if attempt < PUBLISH_TRIES_MAX {
                clock.sleep(Backoff::COMMITS.after(attempt, randomness)).await;
            }
        }
        Err(pending.iter().map(|(record, _)| *record).min().unwrap_or_default())
    }
}

/// The events in pieces, in order, each small enough for one call; a piece has one event at least.
fn chunks<'e, 'r>(
    events: &'e [(usize, &'r Envelope)],
    events_max: usize,
    bytes_max: usize,
) -> Vec<&'e [(usize, &'r Envelope)]> {
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
fn summary(types: &[&str]) -> String {
    match types {
        [] => "(none)".to_owned(),
        [one] => (*one).to_owned(),
        [first, rest @ ..] if rest.iter().all(|other| other == first) => format!("{first} ×{}", types.len()),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    }
}

#[cfg(test)]
mod tests;
