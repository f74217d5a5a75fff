//! Adapters that keep everything in this process, for tests and simulations.

mod canonical;
mod evaluate;
mod ledger;
mod ports;

pub use ledger::MemoryLedger;
pub use ports::{ManualClock, MemoryPublisher, MemorySourceQueue, SeededRandomness};
