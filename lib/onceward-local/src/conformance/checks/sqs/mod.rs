//! SQS, in both of its protocols.

mod batches;
mod dead_letters;
mod fifo;
mod messages;
mod query;
mod queues;
mod visibility;

use crate::conformance::behaviour::Behaviour;

const SERVICE: &str = "SQS";
const GUIDE: &str = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/";

pub(super) fn behaviours() -> Vec<Behaviour> {
    [
        messages::behaviours(),
        batches::behaviours(),
        visibility::behaviours(),
        fifo::behaviours(),
        dead_letters::behaviours(),
        queues::behaviours(),
        query::behaviours(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
