//! The local SQS: a pure engine per queue, the service over them, and both wire protocols of AWS.

mod admission;
mod digest;
mod directory;
mod error;
mod fifo;
mod journal;
pub mod limits;
mod message;
mod moves;
mod permission;
mod protocol;
mod queue;
mod receipt;
mod redrive;
mod service;
mod settings;
#[cfg(test)]
mod tests;

pub use error::SqsError;
pub use message::{AttributeValue, Depth, MessageAttribute, Outgoing, Receive, Received, Sent};
pub(crate) use redrive::RedrivePolicy;
pub use service::{Moved, Sqs};
pub(crate) use {
    digest::content_id,
    fifo::{Deduplication, Original},
    message::check_fifo_id,
};
