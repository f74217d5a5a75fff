//! One batch at a time, in order.

use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::Utc;
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use super::{
    Reading,
    discard::{Condition, Response},
    router::Assignments,
    segment::{Next, Segment},
    source::Record,
    window::{self, Turn, Window},
};
use crate::lambda::{
    mapping::{
        SOURCE_RETRY_DELAY,
        batch_response::{Verdict, ignored, verdict},
        event, fitting, lost,
    },
    pool::{Finished, Permit, Request},
    service::REQUEST_BYTES_MAX,
    tasks::stopped,
};

#[derive(Debug)]
pub(super) struct Lane {
    reading: Arc<Reading>,
    inbox: mpsc::Receiver<Record>,
    assignments: Assignments,
    /// Read and not yet in a batch.
    waiting: VecDeque<Record>,
    window: Option<Window>,
    /// Whether the shard has ended: no more records come.
    closed: bool,
}

/// How an attempt ended.
enum Outcome {
    Done,
    /// The records before this position are done.
    FailedAt(usize, String),
    /// The function did not run: that is no attempt.
    NotRun(String),
}

impl Lane {
    pub(super) fn new(reading: Arc<Reading>, inbox: mpsc::Receiver<Record>, assignments: Assignments) -> Self {
        Self { reading, inbox, assignments, waiting: VecDeque::new(), window: None, closed: false }
    }

    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        while !self.closed || !self.waiting.is_empty() || self.window.is_some() {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                () = self.round() => {}
            }
        }
    }

    async fn round(&mut self) {
        if self.waiting.is_empty() {
            self.first().await;
            return;
        }
        let length = self.reading.mapping.tumbling_window;
        if let (Some(length), Some(first)) = (length, self.waiting.front()) {
            if self.window.as_ref().is_some_and(|window| !window.holds(first)) {
                self.close(false).await;
                return;
            }
            if self.window.is_none() {
                self.window = Some(Window::around(first.written, length));
            }
        }
        self.gather().await;
        let batch = self.batch();
        self.handle(batch).await;
    }

    /// Waits for a record, or for the end of the open window.
    async fn first(&mut self) {
        let closing = self.window.as_ref().map(|window| window.closes_in(Utc::now()));
        let closes = async {
            match closing {
                Some(delay) => sleep(delay).await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            record = self.inbox.recv(), if !self.closed => match record {
                Some(record) => self.waiting.push_back(record),
                None => self.closed = true,
            },
            () = closes => self.close(false).await,
        }
    }

    /// Collects records until the batch is full or its time is over.
    async fn gather(&mut self) {
        let until = Instant::now() + self.reading.mapping.batching_window;
        while self.batch_len() == self.waiting.len() && self.waiting.len() < self.reading.mapping.batch_size.max(1) {
            if let Ok(record) = self.inbox.try_recv() {
                self.waiting.push_back(record);
                continue;
            }
            // No timer where there is nothing to wait for: one takes a tick, however short it is.
            if Instant::now() >= until {
                return;
            }
            tokio::select! {
                biased;
                () = sleep_until(until) => return,
                Some(record) = self.inbox.recv() => self.waiting.push_back(record),
            }
        }
    }

    /// How many of the waiting records the next batch can have: by number, by size, and of one window.
    fn batch_len(&self) -> usize {
        let held = |record: &&Record| self.window.as_ref().is_none_or(|window| window.holds(record));
        let records = self.waiting.iter().take(self.reading.mapping.batch_size.max(1)).take_while(held);
        fitting(records.map(|record| record.json.len()), self.bytes_max()).min(self.waiting.len())
    }

    /// Room for records: a window's state travels with them.
    fn bytes_max(&self) -> usize {
        if self.window.is_some() { REQUEST_BYTES_MAX - 2 * window::STATE_BYTES_MAX } else { REQUEST_BYTES_MAX }
    }

    fn batch(&mut self) -> Vec<Record> {
        let count = self.batch_len();
        self.waiting.drain(..count).collect()
    }

    /// Works on a batch until each of its records is done or given up.
    async fn handle(&mut self, batch: Vec<Record>) {
        let mut segments = VecDeque::from([Segment::new(batch)]);
        while let Some(mut segment) = segments.pop_front() {
            self.expire(&mut segment);
            if segment.records.is_empty() {
                continue;
            }
            match self.attempt(&mut segment).await {
                Outcome::Done => self.done(&segment.records),
                Outcome::NotRun(reason) => {
                    self.report(&format!("{} records not handled: {reason}", segment.records.len()));
                    sleep(SOURCE_RETRY_DELAY).await;
                    segments.push_front(segment);
                }
                Outcome::FailedAt(position, reason) => {
                    let done: Vec<_> = segment.records.drain(..position).collect();
                    self.done(&done);
                    self.failed(&mut segments, segment, position, &reason).await;
                }
            }
        }
    }

    async fn failed(&self, segments: &mut VecDeque<Segment>, mut segment: Segment, position: usize, reason: &str) {
        match segment.failed(&self.reading.mapping, position) {
            Next::Retry(delay) => {
                sleep(report_retry(self, &segment, delay, reason)).await;
                segments.push_front(segment);
            }
            Next::Split(count, delay) => {
                sleep(report_retry(self, &segment, delay, reason)).await;
                let (first, rest) = segment.split(count);
                segments.push_front(rest);
                segments.push_front(first);
            }
            Next::GiveUp => self.discard(Condition::RetryAttemptsExhausted, &segment, segment.records.len(), reason),
        }
    }

    /// Gives up the records that are too old.
    fn expire(&self, segment: &mut Segment) {
        let count = segment.expired(&self.reading.mapping, Utc::now());
        if count > 0 {
            self.discard(Condition::RecordAgeExceeded, segment, count, "older than MaximumRecordAgeInSeconds");
            segment.records.drain(..count);
        }
    }

    fn discard(&self, condition: Condition, segment: &Segment, count: usize, reason: &str) {
        let records = &segment.records[..count];
        self.reading.discard(condition, records, segment.invocations, segment.response.as_ref(), reason);
        self.done(records);
    }

    fn done(&self, records: &[Record]) {
        for record in records {
            self.assignments.done(record);
        }
        self.reading.position.done(records);
    }

    async fn attempt(&mut self, segment: &mut Segment) -> Outcome {
        let records = event(segment.records.iter().map(|record| record.json.as_str()));
        let payload = self.payload(records, Turn::Aggregate);
        let expires_in = segment.expires_in(&self.reading.mapping, Utc::now());
        let permit = tokio::select! {
            biased;
            permit = self.admission() => permit,
            () = expired(expires_in) => return Outcome::NotRun("too old before the function could run".to_owned()),
        };
        let finished = self.invoke(permit, payload).await;
        let Finished { request_id, invocation, .. } = match finished {
            Ok(finished) => finished,
            Err(reason) => return Outcome::NotRun(reason),
        };
        segment.invocations += 1;
        segment.response = Some(Response { request_id, function_error: invocation.function_error.clone() });
        if invocation.function_error.is_some() {
            return Outcome::FailedAt(0, String::from_utf8_lossy(&invocation.payload).into_owned());
        }
        let outcome = self.outcome(segment, &invocation.payload);
        if self.window.is_none() {
            return outcome;
        }
        match (window::state(&invocation.payload), outcome) {
            (Err(reason), _) => Outcome::FailedAt(0, reason),
            (Ok(_), outcome @ (Outcome::FailedAt(0, _) | Outcome::NotRun(_))) => outcome,
            (Ok(state), outcome) => {
                self.keep(state).await;
                outcome
            }
        }
    }

    fn outcome(&self, segment: &Segment, payload: &[u8]) -> Outcome {
        let identifiers: Vec<&str> = segment.records.iter().map(Record::sequence_number).collect();
        if !self.reading.mapping.report_batch_item_failures {
            self.report_ignored(&ignored(payload, &identifiers), &identifiers);
            return Outcome::Done;
        }
        match verdict(payload, &identifiers) {
            Verdict::Succeeded => Outcome::Done,
            Verdict::Failed(positions) => {
                let lowest = positions.first().copied().unwrap_or(0);
                Outcome::FailedAt(lowest, format!("the function reports {} as failed", identifiers[lowest]))
            }
            Verdict::Unreadable(reason) => Outcome::FailedAt(0, reason),
        }
    }

    /// Says what is lost because the mapping does not ask from which record on to try again: all from that one on.
    fn report_ignored(&self, failed: &[usize], identifiers: &[&str]) {
        let Some(lowest) = failed.first() else { return };
        let (function, lost) = (&self.reading.mapping.function, &identifiers[*lowest..]);
        let Some(notice) = lost::notice(function, &self.reading.stream_arn, lost) else { return };
        let table = &self.reading.mapping.table;
        let message = format!("stream of {table} -> {function}: {}", lost::passed_over(lost, identifiers.len()));
        self.reading.pool.sink.notify(function, "ERROR", &message, notice);
    }

    /// Waits until the function has started or may be tried, and for a slot.
    async fn admission(&self) -> Permit {
        self.reading.pool.ready().await;
        self.reading.pool.slots.acquire_unbounded().await
    }

    async fn invoke(&self, permit: Permit, payload: Bytes) -> Result<Finished, String> {
        self.reading.pool.run(permit, Request::new(payload, None)).await.map_err(|error| error.to_string())
    }

    /// `{"Records":[…]}`, in a window with its bounds and state.
    fn payload(&self, records: Bytes, turn: Turn) -> Bytes {
        let Some(window) = &self.window else { return records };
        let fields = window.fields(&self.reading, turn);
        let records = String::from_utf8_lossy(&records);
        let (records, fields) = (records.trim_end_matches('}'), fields.trim_start_matches('{'));
        Bytes::from(format!("{records},{fields}"))
    }

    async fn keep(&mut self, state: Value) {
        let too_large = window::is_too_large(&state);
        if let Some(window) = &mut self.window {
            window.state = state;
        }
        if too_large {
            self.close(true).await;
        }
    }

    /// Hands the window's state to the function for the last time.
    async fn close(&mut self, early: bool) {
        let Some(window) = self.window.clone() else { return };
        // Its fate is that of a batch: the same attempts, and no record to split or to name.
        let mut last = Segment::new(Vec::new());
        loop {
            let payload = self.payload(event(std::iter::empty()), Turn::Final { early });
            let permit = self.admission().await;
            let reason = match self.invoke(permit, payload).await {
                Ok(finished) if finished.invocation.function_error.is_none() => {
                    match window::state(&finished.invocation.payload) {
                        Ok(_) => break,
                        Err(reason) => reason,
                    }
                }
                Ok(finished) => String::from_utf8_lossy(&finished.invocation.payload).into_owned(),
                Err(reason) => reason,
            };
            match last.failed(&self.reading.mapping, 0) {
                Next::Retry(delay) | Next::Split(_, delay) => {
                    self.report(&format!("the window from {} is not closed: {reason}", window.start));
                    sleep(delay).await;
                }
                Next::GiveUp => {
                    self.report(&format!("SKIPPED the end of the window from {}: {reason}", window.start));
                    break;
                }
            }
        }
        match &mut self.window {
            Some(window) if early => window.restart(),
            window => *window = None,
        }
    }

    fn report(&self, message: &str) {
        self.reading.report("ERROR", message);
    }
}

/// Says that a segment is tried again, and when.
fn report_retry(lane: &Lane, segment: &Segment, delay: Duration, reason: &str) -> Duration {
    let (first, last) = (segment.records.first(), segment.records.last());
    let number = |record: Option<&Record>| record.map(|it| it.sequence_number().to_owned()).unwrap_or_default();
    let (count, delay_ms) = (segment.records.len(), delay.as_millis());
    let (first, last) = (number(first), number(last));
    lane.report(&format!("failed, next try in {delay_ms} ms: {count} records, {first} to {last}: {reason}"));
    delay
}

async fn expired(delay: Option<Duration>) {
    match delay {
        Some(delay) => sleep(delay).await,
        None => pending().await,
    }
}
