//! The service over the queues: names them, gives them the time, moves messages between them, and waits.

use super::admission::{self, milliseconds};
use super::error::SqsError;
use super::journal::{Journaled, Locked, Saved};
use super::limits;
use super::message::{Depth, Outgoing, Receive, Received, Sent, check_fifo_id};
use super::moves::MoveTask;
use super::queue::{Delivery, Queue, Take, Taken};
use super::settings::Settings;
use super::{directory, fifo};
use crate::account::Account;
use crate::faults::Faults;
use crate::store::{Store, StoreError};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

/// The local SQS. A handle: clones are the same service.
#[derive(Clone)]
pub struct Sqs {
    shared: Arc<Shared>,
    faults: Faults,
}

struct Shared {
    account: Account,
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    queues: Mutex<Journaled>,
    /// Who wants to know what a queue gives up, by the queue's name.
    watchers: Mutex<BTreeMap<String, Watcher>>,
    /// When the queues of the last minute were deleted, in milliseconds since the epoch, by name.
    deleted: Mutex<BTreeMap<String, u64>>,
}

/// Is told of each message that a queue's redrive policy has moved; it must not block.
type Watcher = Arc<dyn Fn(&Moved) + Send + Sync>;

/// A message that was received as often as its queue allows, and is now in the dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The message's id, which it keeps.
    pub message_id: String,
    /// Its text.
    pub body: String,
    /// How often it was received.
    pub receives: u32,
    /// ARN of its queue.
    pub source_arn: String,
    /// ARN of the queue it is in now.
    pub dead_letter_arn: String,
}

/// A queue and what the service knows about it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) queue: Queue,
    /// When it was purged last.
    pub(crate) purged_ms: Option<u64>,
    /// Tasks that move messages off this queue, newest first.
    pub(crate) moves: VecDeque<MoveTask>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) created_ms: u64,
    pub(crate) modified_ms: u64,
    /// Wakes those who wait for a message.
    pub(crate) arrived: Arc<Notify>,
    /// What of it is stored, besides its messages.
    pub(crate) saved: Option<Saved>,
}

/// One look into a queue.
struct Look {
    received: Vec<Received>,
    /// Messages went to the dead-letter queue: there may be more to take.
    moved: bool,
    /// When to look again at the latest.
    next_in: Option<Duration>,
}

impl Sqs {
    /// A service without queues, on the system's clock.
    pub fn new(account: Account) -> Self {
        Self::with_clock(account, system_clock)
    }

    /// The service with the queues of `store`, in which it keeps them; on the system's clock.
    pub fn open(account: Account, store: Store) -> Result<Self, StoreError> {
        Self::open_with_clock(account, store, system_clock)
    }

    pub(super) fn open_with_clock(
        account: Account,
        store: Store,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let queues = Mutex::new(Journaled::open(store, clock())?);
        let shared =
            Shared { account, clock: Box::new(clock), queues, watchers: Mutex::default(), deleted: Mutex::default() };
        Ok(Self { shared: Arc::new(shared), faults: Faults::default() })
    }

    /// As [`Sqs::new`], but `clock` tells the time, in milliseconds since the epoch: for tests and simulation.
    pub fn with_clock(account: Account, clock: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let (queues, watchers, deleted) = (Mutex::default(), Mutex::default(), Mutex::default());
        let shared = Shared { account, clock: Box::new(clock), queues, watchers, deleted };
        Self { shared: Arc::new(shared), faults: Faults::default() }
    }

    /// With what goes wrong in its queues on purpose.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// From now on tells `watcher`, and nobody else, of each message that the queue's redrive policy moves.
    pub(crate) fn watch(&self, queue_arn: &str, watcher: impl Fn(&Moved) + Send + Sync + 'static) {
        let mut watchers = self.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.insert(directory::name(queue_arn).to_owned(), Arc::new(watcher));
    }

    fn tell(&self, queue: &str, moved: &[Moved]) {
        let watchers = self.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        let watcher = watchers.get(queue).cloned();
        drop(watchers);
        let Some(watcher) = watcher else { return };
        for moved in moved {
            watcher(moved);
        }
    }

    /// Lets a task of long standing find the service without keeping it.
    pub(crate) fn downgrade(&self) -> impl Fn() -> Option<Self> + Send + use<> {
        let (shared, faults) = (Arc::downgrade(&self.shared), self.faults.clone());
        move || Some(Self { shared: shared.upgrade()?, faults: faults.clone() })
    }

    /// The queue's URL: `{endpoint}/{account id}/{name}`.
    pub fn url(&self, name: &str) -> String {
        let account = &self.shared.account;
        format!("{}/{}/{name}", account.endpoint, account.id)
    }

    /// A URL of another account's queue names none here; one of another host, or without an account, does.
    pub(crate) fn check_url(&self, url: &str) -> Result<(), SqsError> {
        let account = url.trim_end_matches('/').rsplit('/').nth(1).unwrap_or_default();
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if is_account && account != self.shared.account.id { Err(directory::missing(url)) } else { Ok(()) }
    }

    /// The queue's ARN.
    pub fn arn(&self, name: &str) -> String {
        self.shared.account.arn("sqs", name)
    }

    /// Sends a message. `queue` is a name, a URL or an ARN, here and everywhere.
    pub fn send(&self, queue: &str, message: Outgoing) -> Result<Sent, SqsError> {
        let settings = self.peek(queue, |entry| Arc::clone(entry.queue.settings()))?;
        // Digests of up to 1 MiB are computed here, where nobody waits for them.
        let (message, delay_ms) = admission::admit(&settings, message, Uuid::new_v4().to_string())?;
        let mut sent = Sent {
            message_id: String::new(),
            md5_of_body: message.md5_of_body.clone(),
            md5_of_message_attributes: message.md5_of_attributes.clone(),
            sequence_number: None,
        };
        let original = self.with_queue(queue, |entry, now_ms| entry.queue.send(now_ms, message, delay_ms))?;
        sent.message_id = original.message_id;
        sent.sequence_number = settings.fifo.then(|| fifo::sequence_number(original.arrival));
        Ok(sent)
    }

    /// Receives up to `request.max` messages; with none there, waits up to `request.wait` for the first. A message
    /// received as often as the queue's redrive policy allows goes to the dead-letter queue instead.
    pub async fn receive(&self, queue: &str, request: Receive) -> Result<Vec<Received>, SqsError> {
        self.receive_attempt(queue, request, None).await
    }

    /// As [`Sqs::receive`] from a FIFO queue: a receive of the same `attempt` within 5 minutes brings the same messages
    /// with the same receipt handles, hidden anew, as long as none of them was touched.
    pub async fn receive_attempt(
        &self,
        queue: &str,
        request: Receive,
        attempt: Option<&str>,
    ) -> Result<Vec<Received>, SqsError> {
        check(request)?;
        if let Some(id) = attempt {
            check_fifo_id("ReceiveRequestAttemptId", id)?;
            if !self.peek(queue, |entry| entry.queue.settings().fifo)? {
                let reason = "The request includes a parameter that is not valid for this queue type.";
                return Err(SqsError::parameter("ReceiveRequestAttemptId", id, reason));
            }
        }
        let deadline = Instant::now() + request.wait;
        loop {
            let arrived = self.peek(queue, |entry| Arc::clone(&entry.arrived))?;
            let mut notified = std::pin::pin!(arrived.notified());
            // Listens before it looks: what arrives in between is not missed.
            notified.as_mut().enable();
            let look = self.look(queue, request, attempt)?;
            if look.received.is_empty() && look.moved {
                continue;
            }
            let now = Instant::now();
            if !look.received.is_empty() || now >= deadline {
                return Ok(look.received);
            }
            let wake = look.next_in.map_or(deadline, |next| deadline.min(now + next));
            tokio::select! {
                () = notified => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// Deletes the message of a receipt handle; one already deleted is no error.
    pub fn delete(&self, queue: &str, receipt_handle: &str) -> Result<(), SqsError> {
        self.with_queue(queue, |entry, now_ms| entry.queue.delete(now_ms, receipt_handle))?
    }

    /// Makes the message of a receipt handle visible `timeout` from now; zero is at once.
    pub fn change_visibility(&self, queue: &str, receipt_handle: &str, timeout: Duration) -> Result<(), SqsError> {
        check_visibility(timeout)?;
        let timeout_ms = milliseconds(timeout);
        self.with_queue(queue, |entry, now_ms| entry.queue.change_visibility(now_ms, receipt_handle, timeout_ms))?
    }

    /// How many messages the queue holds.
    pub fn depth(&self, queue: &str) -> Result<Depth, SqsError> {
        self.with_queue(queue, |entry, now_ms| entry.queue.depth(now_ms))
    }

    /// Names of all queues, in order.
    pub fn queues(&self) -> Vec<String> {
        self.locked().keys().cloned().collect()
    }

    pub(crate) fn now_ms(&self) -> u64 {
        (self.shared.clock)()
    }

    pub(crate) fn locked(&self) -> Locked<'_> {
        // Every change is complete before anything that can panic: the map is whole even then.
        Locked { guard: self.shared.queues.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    pub(crate) fn deleted(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.shared.deleted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `act` on a queue at the current time, and wakes those for whom that changed something.
    pub(crate) fn with_queue<T>(&self, queue: &str, act: impl FnOnce(&mut Entry, u64) -> T) -> Result<T, SqsError> {
        let now_ms = self.now_ms();
        let mut queues = self.locked();
        let entry = directory::find(&mut queues, queue)?;
        Ok(entry.acting(|entry| act(entry, now_ms)))
    }

    /// Reads of a queue what does not depend on the time; wakes nobody.
    pub(crate) fn peek<T>(&self, queue: &str, read: impl FnOnce(&Entry) -> T) -> Result<T, SqsError> {
        directory::find(&mut self.locked(), queue).map(|entry| read(entry))
    }

    fn look(&self, queue: &str, request: Receive, attempt: Option<&str>) -> Result<Look, SqsError> {
        let now_ms = self.now_ms();
        let mut queues = self.locked();
        let name = directory::name(queue);
        let settings = Arc::clone(directory::find(&mut queues, name)?.queue.settings());
        // A dead-letter queue that was deleted takes nothing: the message stays, rather than being lost.
        let redrive = settings.redrive.as_ref().filter(|it| queues.contains_key(directory::name(&it.dead_letter_arn)));
        let take = Take {
            max: request.max,
            visibility_ms: request.visibility.map_or(settings.visibility_ms, milliseconds),
            receives_max: redrive.map(|it| it.receives_max),
        };
        let entry = directory::find(&mut queues, name)?;
        let taken = entry.acting(|entry| disturbed(&self.faults, name, entry, now_ms, take, attempt))?;
        let next_in = entry.queue.next_visible_ms().map(|at_ms| Duration::from_millis(at_ms.saturating_sub(now_ms)));
        let mut moved = Vec::new();
        if let Some(redrive) = redrive.filter(|_| !taken.dead.is_empty()) {
            let source_arn = self.arn(name);
            moved.extend(taken.dead.iter().map(|(message, record)| Moved {
                message_id: message.id.clone(),
                body: message.body.clone(),
                receives: record.receives,
                source_arn: source_arn.clone(),
                dead_letter_arn: redrive.dead_letter_arn.clone(),
            }));
            directory::find(&mut queues, &redrive.dead_letter_arn)?.acting(|dead_letters| {
                for (message, record) in taken.dead {
                    dead_letters.queue.adopt(now_ms, message, record, &source_arn);
                }
            });
        }
        drop(queues);
        self.tell(name, &moved);
        let received = taken.deliveries.into_iter().map(|it| self.received(&settings, it)).collect();
        Ok(Look { received, moved: !moved.is_empty(), next_in })
    }

    fn received(&self, settings: &Settings, delivery: Delivery) -> Received {
        let Delivery { message, record, receipt } = delivery;
        let mut attributes = BTreeMap::new();
        let mut put = |name: &str, value: Option<String>| attributes.extend(value.map(|it| (name.to_owned(), it)));
        put("SenderId", Some(self.shared.account.id.clone()));
        put("SentTimestamp", Some(record.sent_ms.to_string()));
        put("ApproximateReceiveCount", Some(record.receives.to_string()));
        put("ApproximateFirstReceiveTimestamp", record.first_received_ms.map(|ms| ms.to_string()));
        put("MessageGroupId", message.group_id.clone());
        put("MessageDeduplicationId", message.deduplication_id.clone());
        put("SequenceNumber", settings.fifo.then(|| fifo::sequence_number(receipt.arrival)));
        put("AWSTraceHeader", message.trace_header.clone());
        put("DeadLetterQueueSourceArn", record.source_arn);
        Received {
            message_id: message.id.clone(),
            receipt_handle: receipt.encode(),
            body: message.body.clone(),
            md5_of_body: message.md5_of_body.clone(),
            attributes,
            message_attributes: message.attributes.clone(),
            md5_of_message_attributes: message.md5_of_attributes.clone(),
        }
    }
}

impl Entry {
    /// Runs `act`, then wakes one waiting receiver if there is a message for it (it passes the word on if there are
    /// more), and all of them if they now have to wake up sooner than they planned.
    pub(crate) fn acting<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let before_ms = self.queue.next_visible_ms();
        let answer = act(self);
        match (before_ms, self.queue.next_visible_ms()) {
            (None, Some(_)) => self.arrived.notify_waiters(),
            (Some(before_ms), Some(after_ms)) if after_ms < before_ms => self.arrived.notify_waiters(),
            _ => {}
        }
        if self.queue.is_ready() {
            self.arrived.notify_one();
        }
        answer
    }
}

/// Takes messages off a queue, of which a standard one may deliver some twice or in another order.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html>
fn disturbed(
    faults: &Faults,
    name: &str,
    entry: &mut Entry,
    now_ms: u64,
    take: Take,
    attempt: Option<&str>,
) -> Result<Taken, SqsError> {
    let queue = &mut entry.queue;
    if faults.is_off() || queue.settings().fifo {
        return queue.take(now_ms, take, attempt);
    }
    let passed_over = if queue.depth(now_ms).visible > 1 { faults.overtaken(name) } else { 0 };
    let taken = queue.receive_after(passed_over, now_ms, take)?;
    for Delivery { message, record, .. } in &taken.deliveries {
        if faults.received_twice(name) {
            queue.copy(Arc::clone(message), record);
        }
    }
    Ok(taken)
}

impl fmt::Debug for Sqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqs").field("account", &self.shared.account).finish_non_exhaustive()
    }
}

fn system_clock() -> u64 {
    u64::try_from(chrono::Utc::now().timestamp_millis()).unwrap_or_default()
}

fn check(request: Receive) -> Result<(), SqsError> {
    if !limits::RECEIVE_MESSAGES.contains(&request.max) {
        let reason = "Must be between 1 and 10, if provided.";
        return Err(SqsError::parameter("MaxNumberOfMessages", request.max, reason));
    }
    if request.wait > Duration::from_secs(*limits::WAIT_S.end()) {
        let reason = "Must be >= 0 and <= 20, if provided.";
        return Err(SqsError::parameter("WaitTimeSeconds", request.wait.as_secs(), reason));
    }
    request.visibility.map_or(Ok(()), check_visibility)
}

fn check_visibility(timeout: Duration) -> Result<(), SqsError> {
    if timeout > Duration::from_secs(*limits::VISIBILITY_S.end()) {
        let reason = "Must be between 0 and 43200, if provided.";
        return Err(SqsError::parameter("VisibilityTimeout", timeout.as_secs(), reason));
    }
    Ok(())
}
