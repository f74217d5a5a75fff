//! Adapters that keep everything in this process, for tests and simulations.

mod canonical;
mod evaluate;
mod ledger;
mod ports;
mod source_queue;

pub use ledger::MemoryLedger;
pub use ports::{ManualClock, MemoryPublisher, SeededRandomness};
pub use source_queue::MemorySourceQueue;
