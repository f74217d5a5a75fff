//! A queue without a redrive policy offers a message that always fails until it expires, and then it is gone.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::{Subject, is_fifo, redrive};

pub(super) const RULE: Rule = Rule { id: "dead-letter-queue", check };

/// What AWS advises for queues of Lambda functions: fewer, and a message is given up because of a throttled function.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-queueconfig>
const RECEIVES_ADVISED: u64 = 5;
/// With one receive, whatever happens to a message is its end.
const RECEIVES_MIN: u64 = 2;

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for consumer in subject.consumers() {
        let (id, function) = (&consumer.queue.logical_id, &consumer.function.logical_id);
        let at = subject.property(id, "RedrivePolicy");
        let Some(policy) = redrive(consumer.queue) else {
            findings.push(Finding::error(
                at,
                format!("{function} reads it, and it has no dead-letter queue: a message that always fails is gone when it expires"),
                "write `RedrivePolicy: {deadLetterTargetArn: !GetAtt DeadLetters.Arn, maxReceiveCount: 5}`, with a queue for \
                 dead letters",
            ));
            continue;
        };
        match policy.receives_max {
            Some(receives) if receives < RECEIVES_MIN => findings.push(Finding::error(
                at,
                format!("maxReceiveCount is {receives}: a message whose first try fails is not tried again"),
                format!("write `maxReceiveCount: {RECEIVES_ADVISED}`"),
            )),
            Some(receives) if receives < RECEIVES_ADVISED => findings.push(Finding::warning(
                at,
                format!("maxReceiveCount is {receives}: a function that is throttled for a while loses messages to the dead letters"),
                format!("write `maxReceiveCount: {RECEIVES_ADVISED}`, as AWS advises"),
            )),
            _ => {}
        }
        if let Some(letters) = subject.queue(&policy.target_arn).filter(|it| is_fifo(it) != is_fifo(consumer.queue)) {
            let kind = if is_fifo(consumer.queue) { "a FIFO" } else { "a standard" };
            let message =
                format!("it is {kind} queue and its dead-letter queue {} is not: SQS refuses that", letters.logical_id);
            findings.push(Finding::error(at, message, format!("make {} {kind} queue", letters.logical_id)));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    const POLICY: &str =
        "      RedrivePolicy: {deadLetterTargetArn: !GetAtt PicturesDead.Arn, maxReceiveCount: 5} # of pictures";

    #[test]
    fn a_consumed_queue_without_a_redrive_policy_is_an_error_whatever_the_function() {
        assert_eq!(Case::team().edit(POLICY, "").found(), ["error dead-letter-queue Pictures:"]);
    }

    #[test]
    fn few_receives_are_a_warning_and_one_is_an_error() {
        let found = |receives: &str| {
            let policy = POLICY.replace("maxReceiveCount: 5", receives);
            (Case::team().edit(POLICY, &policy).found(), policy.trim().to_owned())
        };
        let (few, line) = found("maxReceiveCount: 4");
        assert_eq!(few, [format!("warning dead-letter-queue {line}")]);
        let (one, line) = found("maxReceiveCount: '1'");
        assert_eq!(one, [format!("error dead-letter-queue {line}")]);
    }

    #[test]
    fn dead_letters_of_a_fifo_queue_are_in_one() {
        let case = Case::team().edit("QueueName: pictures\n", "QueueName: pictures.fifo\n      FifoQueue: true\n");
        assert_eq!(case.found(), [format!("error dead-letter-queue {}", POLICY.trim())]);
    }
}
