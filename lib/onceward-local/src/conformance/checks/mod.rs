//! What is asked of a cloud, by service. Each list is written from AWS's documentation, whatever any cloud does.

mod dynamodb;
mod events;
mod lambda;
mod s3;
mod scheduler;
mod sns;
mod sqs;
mod sts;

use super::behaviour::Behaviour;

/// All behaviours, the services in the order of the table.
pub fn behaviours() -> Vec<Behaviour> {
    [
        sqs::behaviours(),
        events::behaviours(),
        scheduler::behaviours(),
        sns::behaviours(),
        dynamodb::behaviours(),
        lambda::behaviours(),
        s3::behaviours(),
        sts::behaviours(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_behaviour_has_a_name_of_its_own_one_sentence_and_a_page_of_aws() {
        let behaviours = behaviours();
        let names: BTreeSet<_> = behaviours.iter().map(Behaviour::name).collect();
        assert_eq!(names.len(), behaviours.len(), "a name is used twice");
        for behaviour in &behaviours {
            let plain =
                behaviour.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
            assert!(plain && !behaviour.id.is_empty(), "{behaviour:?}");
            assert!(!behaviour.statement.ends_with('.') && !behaviour.statement.contains('|'), "{behaviour:?}");
            let pages = ["https://docs.aws.amazon.com/", "https://smithy.io/2.0/aws/"];
            assert!(pages.iter().any(|page| behaviour.page.starts_with(page)), "{behaviour:?}: {}", behaviour.page);
        }
    }
}
