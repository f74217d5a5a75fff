//! The adapters in memory pass the contracts.

mod cloud;
mod faulty;
mod ledger;
mod queues_and_buses;
