use std::collections::{HashMap, VecDeque};

use super::delivery::Prepared;

/// Messages with one ordering key share a lane, in order; every other message has its own.
pub(super) fn lanes(messages: Vec<Prepared>) -> Vec<VecDeque<Prepared>> {
    let mut lanes: Vec<VecDeque<Prepared>> = Vec::new();
    let mut lane_of = HashMap::new();
    for message in messages {
        let next = lanes.len();
        let lane = message.ordering_key.clone().map_or(next, |key| *lane_of.entry(key).or_insert(next));
        if lane == next {
            lanes.push(VecDeque::new());
        }
        lanes[lane].push_back(message);
    }
    lanes
}
