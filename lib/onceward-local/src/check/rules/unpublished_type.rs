//! A rule that waits for a type which nobody publishes.

use super::Rule;
use crate::check::events::{self, FROM_OUTSIDE};
use crate::check::finding::{Finding, Severity};
use crate::check::nearest::nearest;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "unpublished-type", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let published = events::published(subject);
    let outside: Vec<_> = events::declared(subject, FROM_OUTSIDE).map(|declared| declared.name).collect();
    // Whoever cannot say all it publishes may publish it.
    let vague = subject.described().find(|(_, description)| description.incomplete.is_some());
    let severity = if vague.is_some() { Severity::Note } else { Severity::Error };
    let mut findings = Vec::new();
    // Functions that are not Onceward's may publish for their own.
    let of_ours = |rule: &_| events::reached(subject, rule).iter().any(|it| subject.description(it).is_some());
    for rule in events::rules(subject).filter(|rule| !events::is_for_aws(rule) && of_ours(rule)) {
        for (index, name) in events::named(rule) {
            if published.contains(name) || outside.contains(&name) {
                continue;
            }
            let help = match nearest(name, published.iter().copied().chain(outside.iter().copied())) {
                Some(near) => format!("write `{near}`"),
                None => format!(
                    "if another stack publishes it, write `Metadata: {{Onceward: {{Events: {{{FROM_OUTSIDE}: [{name}]}}}}}}`"
                ),
            };
            let line = subject.stack.lines.of(&events::type_place(subject, rule, index));
            let message = format!("it waits for `{name}`, which no function of this template publishes");
            findings.push(Finding::new(severity, (&rule.logical_id, line), message, help));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn a_rule_for_a_type_that_nobody_publishes_is_an_error_unless_it_comes_from_outside() {
        let rule = "detail-type: [invoice.issued.v1]";
        let found = |case: Case| case.only("unpublished-type");
        let silent = |said: &mut serde_json::Value| said["publishes"] = serde_json::json!([]);
        let expected = format!("error unpublished-type {rule}");
        assert_eq!(found(Case::team().say("IssueInvoice", silent)), [expected]);
        let declared = Case::team().say("IssueInvoice", silent);
        let declared = declared.edit("- payment.received.v1 #", "- invoice.issued.v1\n        - payment.received.v1 #");
        assert_eq!(found(declared), [""; 0]);
    }

    #[test]
    fn it_is_a_note_while_a_function_cannot_say_all_it_publishes() {
        let silent = |said: &mut serde_json::Value| said["publishes"] = serde_json::json!([]);
        let case = Case::team().say("IssueInvoice", silent);
        let case = case.say("BookPayment", |said| said["incomplete"] = "its layer publishes".into());
        assert_eq!(case.only("unpublished-type"), ["note unpublished-type detail-type: [invoice.issued.v1]"]);
    }

    #[test]
    fn events_of_aws_services_are_published_by_aws() {
        let aws = "source: [aws.s3]\n        detail-type: [Object Created]";
        let case = Case::team().edit("source: [billing]\n        detail-type: [invoice.issued.v1]", aws);
        assert_eq!(case.only("unpublished-type"), [""; 0]);
    }
}
