//! One queue as a pure engine: every method takes the time, none does I/O, and none looks at more messages than it
//! returns. A message is found by its arrival number; ordered indexes tell which is next visible and next expired.

mod attempt;
mod copy;
mod moves;
mod stored;

pub(crate) use self::stored::Snapshot;

use self::attempt::Attempts;
use super::error::SqsError;
use super::fifo::{Deduplication, Group, Original};
use super::journal::Changes;
use super::limits;
use super::message::{Depth, Message};
use super::receipt::Receipt;
use super::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// Messages one receive moves to the dead-letter queue at most, so that no receive holds the lock for long.
pub(crate) const MOVES_MAX: usize = 1_000;

/// A queue. Times are milliseconds since the epoch; a time before an earlier one counts as that one.
#[derive(Debug)]
pub(crate) struct Queue {
    /// Goes into receipt handles.
    id: u128,
    settings: Arc<Settings>,
    now_ms: u64,
    arrivals: u64,
    messages: HashMap<u64, Stored>,
    /// Standard: the visible messages. FIFO: the head of each group that may be received from.
    ready: BTreeSet<u64>,
    /// Delayed and in-flight messages by the time they become visible.
    waiting: BTreeSet<(u64, u64)>,
    /// All messages by the time they were sent: the order in which they expire.
    sent: BTreeSet<(u64, u64)>,
    delayed: usize,
    in_flight: usize,
    groups: HashMap<String, Group>,
    deduplication: Deduplication,
    /// What changed since it was asked for, if somebody asks.
    changes: Option<Changes>,
    attempts: Attempts,
}

#[derive(Debug)]
struct Stored {
    message: Arc<Message>,
    record: Record,
    state: State,
    /// Receives here; names the receipt.
    receives: u32,
}

/// What a message has been through; it goes with it to a dead-letter queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) sent_ms: u64,
    /// Receives in all queues.
    pub(crate) receives: u32,
    pub(crate) first_received_ms: Option<u64>,
    /// ARN of the queue it was moved from.
    pub(crate) source_arn: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Ready,
    Delayed { until_ms: u64 },
    InFlight { until_ms: u64, since_ms: u64 },
}

/// How to take messages off a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Take {
    pub(crate) max: usize,
    pub(crate) visibility_ms: u64,
    /// A message received so often is given up to the dead-letter queue.
    pub(crate) receives_max: Option<u32>,
}

/// What a receive took.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) deliveries: Vec<Delivery>,
    /// Removed from the queue: to be given to the dead-letter queue by [`Queue::adopt`].
    pub(crate) dead: Vec<(Arc<Message>, Record)>,
}

/// One message received.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Arc<Message>,
    pub(crate) record: Record,
    pub(crate) receipt: Receipt,
}

impl Queue {
    pub(crate) fn new(id: u128, settings: Settings) -> Self {
        Self {
            id,
            settings: Arc::new(settings),
            now_ms: 0,
            arrivals: 0,
            messages: HashMap::new(),
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
            sent: BTreeSet::new(),
            delayed: 0,
            in_flight: 0,
            groups: HashMap::new(),
            deduplication: Deduplication::default(),
            changes: None,
            attempts: Attempts::default(),
        }
    }

    pub(crate) fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    pub(crate) fn change_settings(&mut self, settings: Settings) {
        self.settings = Arc::new(settings);
    }

    /// Adds a message, unless it is a duplicate; tells which message and arrival it is then.
    pub(crate) fn send(&mut self, now_ms: u64, message: Message, delay_ms: u64) -> Original {
        self.advance(now_ms);
        let key = match (&message.deduplication_id, self.settings.fifo) {
            (Some(id), true) => {
                let group = message.group_id.clone().filter(|_| self.settings.deduplicate_per_group);
                Some((group, id.clone()))
            }
            _ => None,
        };
        let forgotten = self.deduplication.forget(self.now_ms);
        self.change(|changes| changes.forgotten.extend(forgotten));
        if let Some(original) = key.as_ref().and_then(|key| self.deduplication.original(key)) {
            return original;
        }
        let original = Original { message_id: message.id.clone(), arrival: self.arrivals };
        if let Some(key) = key {
            let end_ms = self.deduplication.remember(self.now_ms, key.clone(), original.clone());
            self.change(|changes| changes.remembered.push((end_ms, key, original.clone())));
        }
        let record = Record { sent_ms: self.now_ms, ..Record::default() };
        self.insert(Arc::new(message), record, delay_ms);
        original
    }

    /// Takes visible messages, oldest first; a FIFO queue gives several of one group in their order.
    pub(crate) fn receive(&mut self, now_ms: u64, take: Take) -> Result<Taken, SqsError> {
        self.receive_after(0, now_ms, take)
    }

    /// The same, but of a standard queue's visible messages the first so many come last, if there are more.
    pub(crate) fn receive_after(&mut self, passed_over: usize, now_ms: u64, take: Take) -> Result<Taken, SqsError> {
        self.advance(now_ms);
        let room = limits::IN_FLIGHT_MAX.saturating_sub(self.in_flight);
        if room == 0 && !self.settings.fifo {
            return Err(SqsError::OverLimit { in_flight: self.in_flight });
        }
        let max = take.max.min(room);
        let mut taken = Taken::default();
        while taken.deliveries.len() < max && taken.dead.len() < MOVES_MAX {
            let Some(&head) = self.ready.iter().nth(passed_over).or(self.ready.first()) else { break };
            if self.exhausted(head, take) {
                taken.dead.extend(self.remove(head).map(|stored| (stored.message, stored.record)));
                continue;
            }
            let mut next = Some(head);
            while let Some(arrival) = next.filter(|_| taken.deliveries.len() < max) {
                taken.deliveries.extend(self.deliver(arrival, take.visibility_ms));
                next = self.follower(arrival);
            }
        }
        Ok(taken)
    }

    /// The message after `arrival` in its group, if it can go out with it. It never had more receives than the one
    /// before it, so it is not exhausted either.
    fn follower(&self, arrival: u64) -> Option<u64> {
        let group = self.groups.get(self.messages.get(&arrival)?.message.group_id.as_ref()?)?;
        let next = *group.members.range((Bound::Excluded(arrival), Bound::Unbounded)).next()?;
        (self.messages.get(&next)?.state == State::Ready).then_some(next)
    }

    fn exhausted(&self, arrival: u64, take: Take) -> bool {
        let receives = self.messages.get(&arrival).map_or(0, |stored| stored.receives);
        take.receives_max.is_some_and(|max| receives >= max)
    }

    fn deliver(&mut self, arrival: u64, visibility_ms: u64) -> Option<Delivery> {
        let now_ms = self.now_ms;
        let stored = self.messages.get_mut(&arrival)?;
        stored.receives += 1;
        stored.record.receives += 1;
        stored.record.first_received_ms.get_or_insert(now_ms);
        let delivery = Delivery {
            message: Arc::clone(&stored.message),
            record: stored.record.clone(),
            receipt: Receipt { queue: self.id, arrival, receive: stored.receives },
        };
        self.turn(arrival, State::InFlight { until_ms: now_ms + visibility_ms, since_ms: now_ms });
        Some(delivery)
    }

    /// Deletes the message of a receipt. A standard queue ignores an old receipt (AWS: "the request will succeed, but
    /// the message might not be deleted") and takes the latest even after its timeout; a FIFO queue refuses both.
    pub(crate) fn delete(&mut self, now_ms: u64, handle: &str) -> Result<(), SqsError> {
        self.advance(now_ms);
        let receipt = Receipt::decode(handle, self.id)?;
        let Some(stored) = self.messages.get(&receipt.arrival) else { return Ok(()) };
        let latest = stored.receives == receipt.receive;
        let in_flight = matches!(stored.state, State::InFlight { .. });
        if self.settings.fifo && !(latest && in_flight) {
            return Err(SqsError::parameter("ReceiptHandle", handle, "The receipt handle has expired."));
        }
        if latest {
            self.remove(receipt.arrival);
        }
        Ok(())
    }

    /// Lets the message of a receipt become visible `timeout_ms` from now: at most 12 hours after it was received.
    pub(crate) fn change_visibility(&mut self, now_ms: u64, handle: &str, timeout_ms: u64) -> Result<(), SqsError> {
        self.advance(now_ms);
        let receipt = Receipt::decode(handle, self.id)?;
        let Some(stored) = self.messages.get(&receipt.arrival) else {
            let reason = "Message does not exist or is not available for visibility timeout change.";
            return Err(SqsError::parameter("ReceiptHandle", handle, reason));
        };
        let since_ms = match stored.state {
            State::InFlight { since_ms, .. } if stored.receives == receipt.receive => since_ms,
            _ => return Err(SqsError::MessageNotInflight),
        };
        let until_ms = self.now_ms + timeout_ms;
        let whole_s = (until_ms - since_ms) / 1_000;
        if !limits::VISIBILITY_S.contains(&whole_s) {
            let reason = "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].";
            return Err(SqsError::parameter("VisibilityTimeout", timeout_ms / 1_000, reason));
        }
        let visible = until_ms <= self.now_ms;
        self.turn(receipt.arrival, if visible { State::Ready } else { State::InFlight { until_ms, since_ms } });
        Ok(())
    }

    /// Deletes every message. Deduplication ids stay known.
    pub(crate) fn purge(&mut self) {
        self.messages.clear();
        self.ready.clear();
        self.waiting.clear();
        self.sent.clear();
        self.groups.clear();
        self.delayed = 0;
        self.in_flight = 0;
        self.change(|changes| *changes = Changes { emptied: true, ..std::mem::take(changes).identities() });
    }

    /// How many messages there are.
    pub(crate) fn depth(&mut self, now_ms: u64) -> Depth {
        self.advance(now_ms);
        let visible = self.messages.len() - self.delayed - self.in_flight;
        Depth { visible, in_flight: self.in_flight, delayed: self.delayed }
    }

    /// Whether a receive would find a message now.
    pub(crate) fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// When the next hidden message becomes visible.
    pub(crate) fn next_visible_ms(&self) -> Option<u64> {
        self.waiting.first().map(|(until_ms, _)| *until_ms)
    }

    /// Lets time pass: what was hidden until now is visible, what is older than the retention is gone.
    fn advance(&mut self, now_ms: u64) {
        self.now_ms = self.now_ms.max(now_ms);
        while let Some(&(until_ms, arrival)) = self.waiting.first()
            && until_ms <= self.now_ms
        {
            self.turn(arrival, State::Ready);
        }
        while let Some(&(sent_ms, arrival)) = self.sent.first()
            && sent_ms + self.settings.retention_ms <= self.now_ms
        {
            self.remove(arrival);
        }
    }

    fn insert(&mut self, message: Arc<Message>, record: Record, delay_ms: u64) {
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.change(|changes| changes.added.extend([arrival]));
        let until_ms = self.now_ms + delay_ms;
        let state = if delay_ms == 0 { State::Ready } else { State::Delayed { until_ms } };
        self.place(arrival, message, Snapshot { record, state, receives: 0 });
    }

    fn place(&mut self, arrival: u64, message: Arc<Message>, snapshot: Snapshot) {
        let Snapshot { record, state, receives } = snapshot;
        self.sent.insert((record.sent_ms, arrival));
        if let Some(group) = message.group_id.as_ref().filter(|_| self.settings.fifo) {
            self.groups.entry(group.clone()).or_default().members.insert(arrival);
        }
        self.messages.insert(arrival, Stored { message, record, state: State::Ready, receives });
        self.turn(arrival, state);
    }

    fn remove(&mut self, arrival: u64) -> Option<Stored> {
        // Ready first, so that the counts and indexes of the other states are left in one place.
        self.turn(arrival, State::Ready);
        let stored = self.messages.remove(&arrival)?;
        self.sent.remove(&(stored.record.sent_ms, arrival));
        if self.settings.fifo {
            self.leave_group(&stored.message, arrival);
        } else {
            self.ready.remove(&arrival);
        }
        Some(stored)
    }

    /// The one place where a message changes its state.
    fn turn(&mut self, arrival: u64, state: State) {
        self.change(|changes| changes.turned.extend([arrival]));
        let Some(stored) = self.messages.get_mut(&arrival) else { return };
        let before = std::mem::replace(&mut stored.state, state);
        let message = Arc::clone(&stored.message);
        match before {
            State::Ready => {}
            State::Delayed { until_ms } => {
                self.waiting.remove(&(until_ms, arrival));
                self.delayed -= 1;
            }
            State::InFlight { until_ms, .. } => {
                self.waiting.remove(&(until_ms, arrival));
                self.in_flight -= 1;
            }
        }
        match state {
            State::Ready => {}
            State::Delayed { until_ms } => {
                self.waiting.insert((until_ms, arrival));
                self.delayed += 1;
            }
            State::InFlight { until_ms, .. } => {
                self.waiting.insert((until_ms, arrival));
                self.in_flight += 1;
            }
        }
        if !self.settings.fifo {
            match state {
                State::Ready => self.ready.insert(arrival),
                State::Delayed { .. } | State::InFlight { .. } => self.ready.remove(&arrival),
            };
        } else if let Some(name) = &message.group_id
            && let Some(group) = self.groups.get_mut(name)
        {
            group.in_flight -= usize::from(matches!(before, State::InFlight { .. }));
            group.in_flight += usize::from(matches!(state, State::InFlight { .. }));
            self.list_group(name);
        }
    }

    fn leave_group(&mut self, message: &Message, arrival: u64) {
        let Some(name) = &message.group_id else { return };
        let Some(group) = self.groups.get_mut(name) else { return };
        group.members.remove(&arrival);
        self.list_group(name);
        if self.groups.get(name).is_some_and(|group| group.members.is_empty()) {
            self.groups.remove(name);
        }
    }

    /// Lists a group under its head if it may be received from, and not otherwise.
    fn list_group(&mut self, name: &str) {
        let Some(group) = self.groups.get_mut(name) else { return };
        let visible = |arrival: &u64| self.messages.get(arrival).is_some_and(|stored| stored.state == State::Ready);
        let head = group.members.first().copied().filter(|head| group.in_flight == 0 && visible(head));
        if group.listed != head {
            group.listed.iter().for_each(|arrival| {
                self.ready.remove(arrival);
            });
            self.ready.extend(head);
            group.listed = head;
        }
    }
}
