//! A message that fails at its last receive: the next one would move it to the dead-letter queue, and no letter of the
//! queue's own says why. So the runtime sends the letter, and acknowledges the message.

use std::time::Duration;

use futures_util::future::{Either, select};

use super::{Batch, delivery::Prepared};
use crate::{Function, Reason, error::chain, execute::Failure};

/// A letter that is not stored this long before the invocation's deadline is left to the queue, so that the failures
/// can still be reported. Work stops 300 ms before the deadline: what is cut off then has 200 ms for its letter.
const ANSWER_MARGIN: Duration = Duration::from_millis(100);

/// How long a letter may take once the process is asked to stop: what runs has had its 200 ms by then, and answers are
/// waited for until 450 ms.
const STOPPING_LETTER_TIME: Duration = Duration::from_millis(150);

impl Batch<'_> {
    /// How long sending a letter may take.
    fn letter_time(&self) -> Duration {
        let left = self.invocation.remaining(self.ports.clock.as_ref()).saturating_sub(ANSWER_MARGIN);
        if self.ports.shutdown.is_requested() { left.min(STOPPING_LETTER_TIME) } else { left }
    }
}

impl<D: Send + Sync + 'static> Function<D> {
    /// Sends the letter of a message that has failed at its last receive. `None` if it was not the last, if that is not
    /// known, or if the letter could not be sent: then the message stays, and its queue moves it.
    ///
    /// A letter may be stored although that is not known in time: then the queue moves the message too, and there are
    /// two letters of one event.
    pub(super) async fn exhausted(&self, batch: &Batch<'_>, message: &Prepared, error: &str) -> Option<Failure> {
        let time = batch.letter_time();
        if time.is_zero() {
            return None;
        }
        let letter = std::pin::pin!(self.send_if_last(batch, message, error));
        match select(letter, batch.ports.clock.sleep(time)).await {
            Either::Left((sent, _)) => sent,
            Either::Right(_) => {
                let message_id = &message.delivery.message_id;
                tracing::warn!(message_id, "there is no time to send a letter at what may be the last receive");
                None
            }
        }
    }

    async fn send_if_last(&self, batch: &Batch<'_>, message: &Prepared, error: &str) -> Option<Failure> {
        let receive_count_max = batch.queue.receive_count_max().await?;
        if message.delivery.receive_count < receive_count_max {
            return None;
        }
        let now = batch.ports.clock.now();
        let letter = message.dead_letter(self.settings.name, Reason::RetriesExhausted, error.to_owned(), now);
        if let Err(error) = batch.queue.send(&letter).await {
            let (message_id, error) = (&message.delivery.message_id, chain(&error));
            tracing::warn!(
                message_id,
                error,
                "a letter could not be sent at the last receive: the queue moves the message"
            );
            return None;
        }
        Some(Failure::terminal(Reason::RetriesExhausted, error))
    }
}
