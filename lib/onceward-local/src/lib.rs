//! The local cloud: what a SAM template of event handlers needs from AWS, in one process.

pub mod account;
mod background;
pub mod clock;
pub mod cloud;
pub mod conformance;
pub mod destination;
pub mod dev;
pub mod dynamodb;
pub mod endpoint;
pub mod events;
pub mod faults;
pub mod gateway;
pub mod iam;
pub mod lambda;
pub mod logs;
mod permission;
pub mod remote;
pub mod retry;
pub mod s3;
mod schedule;
pub mod scheduler;
pub mod sns;
pub mod sqs;
pub mod store;
pub mod template;
mod timetable;
pub mod wire;
