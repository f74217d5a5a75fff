//! A type that is published and that no rule takes: `EventBridge` accepts the event and forgets it.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-how-it-works-concepts.html>

use super::Rule;
use crate::check::events::{self, TO_OUTSIDE};
use crate::check::finding::Finding;
use crate::check::nearest::nearest;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "unconsumed-type", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let published =
        subject.described().flat_map(|(function, it)| it.publishes.iter().map(move |it| (function, &it.name)));
    published
        .filter(|(_, name)| !events::is_declared(subject, TO_OUTSIDE, name))
        .filter(|(_, name)| !events::rules(subject).any(|rule| events::takes(rule, name)))
        .map(|(function, name)| {
            let asked = events::rules(subject).flat_map(|rule| events::named(rule).into_iter().map(move |it| (rule, it.1)));
            let asked: Vec<_> = asked.collect();
            let near = nearest(name, asked.iter().map(|(_, name)| *name));
            let rule = near.and_then(|near| asked.iter().find(|(_, name)| *name == near)).map(|(rule, _)| rule);
            let help = match (near, rule) {
                (Some(near), Some(rule)) => {
                    format!("write `{name}` in place of `{near}` in the pattern of {}", rule.logical_id)
                }
                _ => format!(
                    "add a rule that takes it; if another stack does, write `Metadata: {{Onceward: {{Events: {{{TO_OUTSIDE}: \
                     [{name}]}}}}}}`"
                ),
            };
            let message = format!("it publishes `{name}`, and no rule takes that: such events vanish");
            Finding::error(subject.at(&function.logical_id), message, help)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn a_published_type_that_no_rule_takes_is_an_error_unless_it_goes_outside() {
        let case = Case::team().edit("        - invoice.sent.v1 # the data warehouse's\n", "        []\n");
        assert_eq!(case.found(), ["error unconsumed-type SendInvoice:"]);
    }

    #[test]
    fn a_rule_that_asks_for_nearly_the_same_is_named() {
        let case = Case::team().edit("detail-type: [invoice.issued.v1]", "detail-type: [invoice.issued]");
        assert_eq!(case.only("unconsumed-type"), ["error unconsumed-type IssueInvoice:"]);
        let help = "write `invoice.issued.v1` in place of `invoice.issued` in the pattern of InvoicesRule";
        assert!(case.text().contains(help), "{}", case.text());
    }
}
