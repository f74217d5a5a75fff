//! Source queue and publisher.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt as _;
use onceward_testing::contract::{self, CloudCase};

use crate::cloud::MemoryCloud;

/// Cases that say nothing about memory, and why.
const NOT_IN_MEMORY: [(&str, &str); 1] = [(
    "a_dead_letter_sent_again_to_a_fifo_queue_is_there_once",
    "a harness tells each delivery by its letter, so memory keeps every letter that is sent",
)];

async fn assert_kept(cases: Vec<CloudCase>) {
    let excepted = |name: &str| NOT_IN_MEMORY.iter().any(|(case, _)| *case == name);
    let mut broken = Vec::new();
    for (name, case) in cases {
        if !excepted(name) && AssertUnwindSafe(case(Arc::new(MemoryCloud))).catch_unwind().await.is_err() {
            broken.push(name);
        }
    }
    assert!(broken.is_empty(), "broken: {broken:#?}");
}

#[tokio::test]
async fn the_source_queue_passes_the_contract() {
    assert_kept(contract::source_queue_cases()).await;
}

#[tokio::test]
async fn the_publisher_passes_the_contract() {
    assert_kept(contract::publisher_cases()).await;
}

#[test]
fn no_two_cases_share_a_name_and_each_exception_names_a_case() {
    let mut names: Vec<_> = [contract::source_queue_cases(), contract::publisher_cases()]
        .concat()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(NOT_IN_MEMORY.iter().all(|(name, _)| names.contains(name)));
}
