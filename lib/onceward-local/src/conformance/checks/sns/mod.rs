//! SNS, to SQS.

mod delivery;
mod filters;
mod topics;

use crate::conformance::behaviour::Behaviour;

const SERVICE: &str = "SNS";
const GUIDE: &str = "https://docs.aws.amazon.com/sns/latest/";

pub(super) fn behaviours() -> Vec<Behaviour> {
    [delivery::behaviours(), filters::behaviours(), topics::behaviours()].into_iter().flatten().collect()
}
