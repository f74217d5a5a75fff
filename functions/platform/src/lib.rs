//! Platform: what every system built on Onceward deploys once.

pub mod outbox_relay;
