//! Messages that come from another queue or go to one.

use super::{Queue, Record};
use crate::sqs::message::Message;
use std::sync::Arc;

impl Queue {
    /// Adds a message that another queue gave up. A standard queue keeps the time it was sent, so that moving it does
    /// not prolong its life; a FIFO queue starts it anew.
    /// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>
    pub(crate) fn adopt(&mut self, now_ms: u64, message: Arc<Message>, mut record: Record, source_arn: &str) {
        self.advance(now_ms);
        if self.settings.fifo {
            record.sent_ms = self.now_ms;
        }
        record.source_arn = Some(source_arn.to_owned());
        self.insert(message, record, 0);
    }

    /// What the message has been through that would be received next.
    pub(crate) fn first(&mut self, now_ms: u64) -> Option<Record> {
        self.advance(now_ms);
        self.messages.get(self.ready.first()?).map(|stored| stored.record.clone())
    }

    /// Removes the message that would be received next.
    pub(crate) fn take_first(&mut self, now_ms: u64) -> Option<Arc<Message>> {
        self.advance(now_ms);
        let arrival = *self.ready.first()?;
        self.remove(arrival).map(|stored| stored.message)
    }

    /// Adds a message that was moved here: as new, except that it is no duplicate of anything.
    pub(crate) fn refill(&mut self, now_ms: u64, message: Message) {
        self.advance(now_ms);
        let record = Record { sent_ms: self.now_ms, ..Record::default() };
        self.insert(Arc::new(message), record, 0);
    }
}
