//! Event source mappings: what reads queues and streams and invokes functions with batches.

mod batch_response;
mod filter;
mod listed;
mod lost;
mod source;
mod sqs;
mod sqs_event;
mod stream;
#[cfg(test)]
mod tests;
mod unexplained;

use std::time::Duration;

pub(super) use self::listed::Listed;
use self::listed::common_settings;
pub(crate) use self::source::{QueueSource, SourceError, StreamSource};
pub(super) use self::unexplained::LastFailures;
pub use self::{
    sqs::{ATTACHED_VISIBILITY, CONCURRENCY_DEFAULT},
    stream::{BATCH_RETRY_DELAY_MAX, BATCH_RETRY_DELAY_MIN, RECORDS_AHEAD_MAX, STATE_BYTES_MAX, WINDOW_GRACE},
};

/// Pause before a source that could not be read is read again.
const SOURCE_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Room that `{"Records":[…]}` needs around the records.
const ENVELOPE_BYTES: usize = 16;

/// How many of `sizes`, in order, fit one payload of `bytes_max`; at least one, so that there is progress.
fn fitting(sizes: impl Iterator<Item = usize>, bytes_max: usize) -> usize {
    let mut bytes = ENVELOPE_BYTES;
    let fitting = sizes.take_while(|size| {
        bytes += size + 1;
        bytes <= bytes_max
    });
    fitting.count().max(1)
}

/// `{"Records":[…]}` of records that are JSON already.
fn event<'a>(records: impl Iterator<Item = &'a str>) -> bytes::Bytes {
    let mut event = String::from(r#"{"Records":["#);
    for (index, record) in records.enumerate() {
        if index > 0 {
            event.push(',');
        }
        event.push_str(record);
    }
    event.push_str("]}");
    event.into()
}
