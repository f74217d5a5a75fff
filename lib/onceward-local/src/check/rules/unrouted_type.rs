//! A type that a function handles and nothing brings to it: its events vanish on the bus.

use super::Rule;
use crate::check::events::{self, FROM_OUTSIDE};
use crate::check::finding::Finding;
use crate::check::nearest::nearest;
use crate::check::subject::Subject;
use crate::template::Function;

pub(super) const RULE: Rule = Rule { id: "unrouted-type", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let handled = subject.described().flat_map(|(function, it)| it.handles.iter().map(move |it| (function, &it.name)));
    handled
        .filter(|(function, name)| !events::is_made(name) && !is_brought(subject, function, name))
        .map(|(function, name)| {
            let asked = events::rules(subject).filter(|rule| events::reaches(subject, rule, function));
            let asked: Vec<_> = asked.collect();
            let named = asked.iter().flat_map(|rule| events::named(rule)).map(|(_, name)| name);
            let help = match (nearest(name, named), asked.first().map(|rule| &rule.logical_id)) {
                (Some(near), Some(rule)) => format!("write `{name}` in place of `{near}` in the pattern of {rule}"),
                (None, Some(rule)) => format!("add `{name}` to the `detail-type` of {rule}"),
                _ => format!(
                    "add an AWS::Events::Rule with `detail-type: [{name}]` whose target is the function's queue"
                ),
            };
            Finding::error(
                subject.at(&function.logical_id),
                format!("it handles `{name}`, and no rule brings that to it: such events are published and vanish"),
                help,
            )
        })
        .collect()
}

fn is_brought(subject: &Subject<'_>, function: &Function, name: &str) -> bool {
    let mut asked = events::rules(subject).filter(|rule| events::reaches(subject, rule, function)).peekable();
    // Whoever publishes it from outside may send it to the queue itself.
    let sent = asked.peek().is_none() && events::is_declared(subject, FROM_OUTSIDE, name);
    sent || events::has_other_sources(subject, function) || asked.any(|rule| events::takes(rule, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::check::tests::Case;

    #[test]
    fn a_handled_type_that_no_rule_brings_is_an_error() {
        let also = Case::team().say("SendInvoice", |said| {
            said["handles"] = json!([{"type": "invoice.issued.v1"}, {"type": "invoice.voided.v1"}]);
        });
        assert_eq!(also.found(), ["error unrouted-type SendInvoice:"]);
    }

    #[test]
    fn a_rule_without_the_version_brings_nothing_and_the_right_name_is_said() {
        let case = Case::team().edit("detail-type: [invoice.issued.v1]", "detail-type: [invoice.issued]");
        assert_eq!(case.only("unrouted-type"), ["error unrouted-type SendInvoice:"]);
        let help = "write `invoice.issued.v1` in place of `invoice.issued` in the pattern of InvoicesRule";
        assert!(case.text().contains(help), "{}", case.text());
    }

    #[test]
    fn a_disabled_rule_brings_nothing() {
        let case = Case::team().edit("Name: invoices-rule", "Name: invoices-rule\n      State: DISABLED");
        assert_eq!(case.only("unrouted-type"), ["error unrouted-type SendInvoice:"]);
    }

    #[test]
    fn what_the_runtime_makes_of_changes_needs_no_rule() {
        for made in ["com.amazonaws.dynamodb.INSERT", "onceward.no-value.v1"] {
            let case = Case::team().say("Relay", |said| said["handles"] = json!([{"type": made}]));
            assert_eq!(case.found(), [""; 0]);
        }
    }
}
