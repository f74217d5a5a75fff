//! A message that a standard queue delivers twice, on purpose.

use super::{Arc, Message, Queue, Record};

impl Queue {
    /// Adds a second copy of a message that was just received, as it was before: on AWS, on a server that was not there.
    pub(crate) fn copy(&mut self, message: Arc<Message>, record: &Record) {
        let receives = record.receives.saturating_sub(1);
        let first_received_ms = record.first_received_ms.filter(|_| receives > 0);
        self.insert(message, Record { receives, first_received_ms, ..record.clone() }, 0);
    }
}
