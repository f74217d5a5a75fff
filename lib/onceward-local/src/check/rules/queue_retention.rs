//! How long queues keep messages: dead letters longer than the queue they come from, and none of them longer than the
//! ledger keeps its records.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::{Consumer, Subject, queue_retention, redrive};
use crate::template::Queue;

pub(super) const RULE: Rule = Rule { id: "queue-retention", check };

/// 14 days, the most that SQS allows.
const RETENTION_MAX: u64 = 1_209_600;
const PROPERTY: &str = "MessageRetentionPeriod";

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    subject.consumers().flat_map(|consumer| of_queue(subject, consumer)).collect()
}

fn of_queue(subject: &Subject<'_>, consumer: Consumer<'_>) -> Vec<Finding> {
    let kept = queue_retention(consumer.queue);
    let letters = redrive(consumer.queue).and_then(|policy| subject.queue(&policy.target_arn));
    let mut findings = Vec::new();
    if let Some(letters) = letters {
        findings.extend(dead_letters(subject, consumer.queue, kept, letters));
    }
    let ledger = subject.description(consumer.function).and_then(|description| description.retention_seconds);
    if let Some(ledger) = ledger {
        for queue in [Some(consumer.queue), letters].into_iter().flatten().filter(|it| queue_retention(it) >= ledger) {
            findings.push(Finding::error(
                subject.property(&queue.logical_id, PROPERTY),
                format!(
                    "it keeps messages for {} s, and {} forgets after {ledger} s what it has handled: a later delivery is \
                     handled again",
                    queue_retention(queue),
                    consumer.function.logical_id
                ),
                format!("keep messages shorter, or the records longer: `Function::retention`, above {} s", queue_retention(queue)),
            ));
        }
    }
    findings
}

fn dead_letters(subject: &Subject<'_>, queue: &Queue, kept: u64, letters: &Queue) -> Option<Finding> {
    let longest = queue_retention(letters);
    let (id, help) = (&queue.logical_id, format!("write `{PROPERTY}: {RETENTION_MAX}`: 14 days"));
    let at = subject.property(&letters.logical_id, PROPERTY);
    // A dead letter's age counts from when the message was first sent.
    if longest < kept {
        let message =
            format!("it keeps messages for {longest} s and {id} for {kept} s: a letter may be expired when it comes");
        return Some(Finding::error(at, message, help));
    }
    let short = longest == kept && longest < RETENTION_MAX;
    short.then(|| {
        let message = format!(
            "it keeps messages no longer than {id}, {kept} s: little is left to look at a letter that comes late"
        );
        Finding::warning(at, message, help)
    })
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    const DEAD: &str = "MessageRetentionPeriod: 1209600 # of dead invoices";

    #[test]
    fn dead_letters_are_kept_longer_than_the_queue_keeps_them() {
        let found =
            |seconds: &str| Case::team().edit(DEAD, &format!("MessageRetentionPeriod: {seconds} # dead")).found();
        assert_eq!(found("345599"), ["error queue-retention MessageRetentionPeriod: 345599 # dead"]);
        assert_eq!(found("345600"), ["warning queue-retention MessageRetentionPeriod: 345600 # dead"]);
        assert_eq!(found("345601"), [""; 0]);
        assert_eq!(Case::team().edit(DEAD, "").found(), ["warning queue-retention InvoicesDead:"], "SQS's default");
    }

    #[test]
    fn the_ledger_remembers_longer_than_any_queue() {
        let case =
            |seconds: u64| Case::team().say("SendInvoice", move |said| said["retention_seconds"] = seconds.into());
        assert_eq!(case(1_209_601).found(), [""; 0]);
        assert_eq!(case(1_209_600).found(), [format!("error queue-retention {DEAD}")]);
        let both = case(345_600).found();
        assert_eq!(both, ["error queue-retention Invoices:".to_owned(), format!("error queue-retention {DEAD}")]);
    }
}
