//! The local cloud: what a SAM template of event handlers needs from AWS, in one process.

pub mod account;
pub mod cloud;
pub mod conformance;
pub mod destination;
pub mod dev;
pub mod dynamodb;
pub mod endpoint;
pub mod events;
pub mod faults;
pub mod gateway;
pub mod lambda;
pub mod logs;
pub mod sns;
pub mod sqs;
pub mod store;
pub mod template;
pub mod wire;
