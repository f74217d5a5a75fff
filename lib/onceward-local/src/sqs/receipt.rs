//! Receipt handles: which queue, which message, which receive of it.

use super::error::SqsError;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Bytes of a handle before it is encoded.
const BYTES: usize = 28;

/// What a receipt handle says. Opaque to callers, and found without a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The queue's own id: that of a queue deleted and created again differs.
    pub(crate) queue: u128,
    /// The message's arrival number in that queue.
    pub(crate) arrival: u64,
    /// The how many-th receive of it.
    pub(crate) receive: u32,
}

impl Receipt {
    pub(crate) fn encode(self) -> String {
        let mut bytes = [0; BYTES];
        bytes[..16].copy_from_slice(&self.queue.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.arrival.to_be_bytes());
        bytes[24..].copy_from_slice(&self.receive.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a handle of the queue with the id `queue`; any other is [`SqsError::ReceiptHandleIsInvalid`].
    pub(crate) fn decode(handle: &str, queue: u128) -> Result<Self, SqsError> {
        let read = || {
            let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(handle).ok()?.try_into().ok()?;
            let (id, rest) = bytes.split_first_chunk::<16>()?;
            let (arrival, rest) = rest.split_first_chunk::<8>()?;
            let (receive, _) = rest.split_first_chunk::<4>()?;
            Some(Self {
                queue: u128::from_be_bytes(*id),
                arrival: u64::from_be_bytes(*arrival),
                receive: u32::from_be_bytes(*receive),
            })
        };
        read()
            .filter(|receipt| receipt.queue == queue)
            .ok_or_else(|| SqsError::ReceiptHandleIsInvalid { receipt_handle: handle.to_owned() })
    }
}
