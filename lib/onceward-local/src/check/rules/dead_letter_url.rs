//! Where the runtime sends a message that no retry can help is where SQS moves one that it gave up: one place to look.

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::{DEAD_LETTER_QUEUE_URL, NONE, Subject, redrive};

pub(super) const RULE: Rule = Rule { id: "dead-letter-url", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (function, _) in subject.described() {
        // One that is missing, or no URL, is found by the rules on variables.
        let Some(url) = function.environment.get(DEAD_LETTER_QUEUE_URL).filter(|url| *url != NONE) else { continue };
        let Some(named) = subject.queue_by_url(url) else { continue };
        for consumer in subject.queues_of(function) {
            let target = redrive(consumer.queue).and_then(|policy| subject.queue(&policy.target_arn));
            let Some(target) = target.filter(|target| target.logical_id != named.logical_id) else { continue };
            findings.push(Finding::error(
                subject.variable(function, DEAD_LETTER_QUEUE_URL),
                format!(
                    "it sends dead letters to {}, and its queue {} moves them to {}: nobody looks in two places",
                    named.logical_id, consumer.queue.logical_id, target.logical_id
                ),
                format!("write `{DEAD_LETTER_QUEUE_URL}: !Ref {}`, or `{NONE}`", target.logical_id),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn dead_letters_go_where_the_queue_moves_them_or_are_said_to_go_nowhere() {
        let case = |to: &str| {
            Case::team().edit("DEAD_LETTER_QUEUE_URL: !Ref InvoicesDead", &format!("DEAD_LETTER_QUEUE_URL: {to}"))
        };
        let expected = "error dead-letter-url DEAD_LETTER_QUEUE_URL: !Ref PaymentsDead";
        assert_eq!(case("!Ref PaymentsDead").only("dead-letter-url"), [expected]);
        assert_eq!(case("none").found(), [""; 0]);
    }
}
