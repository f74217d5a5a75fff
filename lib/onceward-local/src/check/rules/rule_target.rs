//! What a rule cannot deliver is dropped after 24 hours, unless its target has a dead-letter queue, and the bus may send
//! to both.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html>

use serde_json::Value;

use super::Rule;
use crate::check::events;
use crate::check::finding::Finding;
use crate::check::subject::{Subject, target_place};
use crate::destination::service;
use crate::events::Target;
use crate::iam::{Caller, Policy, may_send};
use crate::template;

pub(super) const RULE: Rule = Rule { id: "rule-target", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in events::rules(subject) {
        let is_ours = events::reached(subject, rule).iter().any(|function| subject.description(function).is_some());
        for (index, target) in rule.targets.iter().enumerate() {
            if is_ours && target.dead_letter_arn.is_none() {
                findings.push(Finding::error(
                    at(subject, rule, &target_place(rule, index)),
                    format!(
                        "target `{}` has no dead-letter queue: an event that cannot be delivered is dropped after 24 h",
                        target.id
                    ),
                    "write `DeadLetterConfig: {Arn: !GetAtt DeadLetters.Arn}`",
                ));
            }
            findings.extend(refused(subject, rule, index, target));
        }
    }
    findings
}

/// The queues of a target that the rule may not send to.
fn refused(subject: &Subject<'_>, rule: &template::Rule, index: usize, target: &Target) -> Vec<Finding> {
    let queues = [("Arn", Some(target.arn.as_str())), ("DeadLetterConfig", target.dead_letter_arn.as_deref())];
    let queues = queues.into_iter().filter_map(|(property, arn)| Some((property, arn?)));
    let rule_arn = subject.account.arn("events", &path(rule));
    let refused = queues.filter_map(|(property, arn)| {
        let queue = subject.queue(arn).filter(|_| service(arn) == Some("sqs"))?;
        // SAM lets the rule into a queue that it makes itself.
        let declared = subject.stack.lines.has(&queue.logical_id);
        let policy = queue.attributes.get("Policy").and_then(|text| serde_json::from_str::<Value>(text).ok());
        // One that cannot be read is a fault of the template.
        let policy = policy.and_then(|document| Policy::parse(&document).ok());
        if !declared || may_send(&Caller::events(&rule_arn), policy.as_ref(), arn, subject.account) {
            return None;
        }
        let id = &queue.logical_id;
        Some(Finding::error(
            at(subject, rule, &format!("{}.{property}", target_place(rule, index))),
            format!("the policy of the queue {id} does not let this rule send to it: its events do not arrive"),
            format!(
                "add to an AWS::SQS::QueuePolicy of {id}: `{{Effect: Allow, Principal: {{Service: events.amazonaws.com}}, \
                 Action: sqs:SendMessage, Resource: !GetAtt {id}.Arn, Condition: {{ArnEquals: {{aws:SourceArn: !GetAtt \
                 {}.Arn}}}}}}`",
                rule.logical_id
            ),
        ))
    });
    refused.collect()
}

fn at<'r>(subject: &Subject<'_>, rule: &'r template::Rule, place: &str) -> (&'r str, usize) {
    (&rule.logical_id, subject.stack.lines.of(place))
}

/// A rule of the default bus is `rule/{name}`, any other `rule/{bus}/{name}`.
fn path(rule: &template::Rule) -> String {
    match rule.bus.as_str() {
        crate::events::DEFAULT_BUS => format!("rule/{}", rule.name),
        bus => format!("rule/{bus}/{}", rule.name),
    }
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    const LETTERS: &str = "          DeadLetterConfig: {Arn: !GetAtt InvoicesDead.Arn}";
    const RESOURCES: &str = "Resource: [!GetAtt Invoices.Arn, !GetAtt InvoicesDead.Arn] # both";

    #[test]
    fn a_target_without_a_dead_letter_queue_is_an_error() {
        assert_eq!(Case::team().edit(LETTERS, "").found(), ["error rule-target - Id: invoices"]);
    }

    #[test]
    fn a_queue_that_does_not_let_the_rule_in_is_an_error() {
        let queue = Case::team().edit(RESOURCES, "Resource: !GetAtt InvoicesDead.Arn");
        assert_eq!(queue.found(), ["error rule-target Arn: !GetAtt Invoices.Arn"]);
        let letters = Case::team().edit(RESOURCES, "Resource: !GetAtt Invoices.Arn");
        assert_eq!(letters.found(), [format!("error rule-target {}", LETTERS.trim())]);
        let another = "aws:SourceArn: !GetAtt InvoicesRule.Arn";
        let another = Case::team().edit(another, "aws:SourceArn: !GetAtt PaymentsRule.Arn");
        assert_eq!(another.found().len(), 2, "{:?}", another.found());
    }
}
