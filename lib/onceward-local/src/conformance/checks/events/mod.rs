//! EventBridge: patterns, delivery, rules, archives.

mod archives;
mod delivery;
mod input;
mod patterns;
mod publishing;
mod rules;

use crate::conformance::behaviour::Behaviour;

const SERVICE: &str = "EventBridge";
const GUIDE: &str = "https://docs.aws.amazon.com/eventbridge/latest/";

pub(super) fn behaviours() -> Vec<Behaviour> {
    [
        patterns::behaviours(),
        publishing::behaviours(),
        delivery::behaviours(),
        input::behaviours(),
        rules::behaviours(),
        archives::behaviours(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
