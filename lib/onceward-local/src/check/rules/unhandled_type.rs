//! A rule brings a type that its function does not handle: each such event is a dead letter, or never comes because
//! nobody has that type.

use super::Rule;
use crate::check::description::{Description, Kind};
use crate::check::events::{self, FROM_OUTSIDE};
use crate::check::finding::Finding;
use crate::check::nearest::nearest;
use crate::check::subject::Subject;
use crate::template::{self, Function};

pub(super) const RULE: Rule = Rule { id: "unhandled-type", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in events::rules(subject) {
        for function in events::reached(subject, rule) {
            let Some(description) = subject.description(function).filter(|it| is_judged(it)) else { continue };
            // What does not come through is no concern of the function.
            if !events::filters(function) {
                findings.extend(unhandled(subject, rule, function, description));
            }
        }
    }
    findings
}

fn is_judged(description: &Description) -> bool {
    description.kind == Kind::Function && description.incomplete.is_none() && !description.handles.is_empty()
}

fn unhandled(
    subject: &Subject<'_>,
    rule: &template::Rule,
    function: &Function,
    description: &Description,
) -> Vec<Finding> {
    let id = &function.logical_id;
    let handled: Vec<_> = description.handles.iter().map(|it| it.name.as_str()).collect();
    let line = |place: String| (rule.logical_id.as_str(), subject.stack.lines.of(&place));
    let named = events::named(rule);
    let mut findings: Vec<_> = named
        .iter()
        .filter(|(_, name)| !handled.contains(name))
        .map(|(index, name)| {
            let help = match nearest(name, handled.iter().copied()) {
                Some(near) => format!("write `{near}`"),
                None => format!("take it out, or handle it in {id}, which handles {}", handled.join(", ")),
            };
            let message = format!("`{name}` goes to {id}, which does not handle it");
            Finding::error(line(events::type_place(subject, rule, *index)), message, help)
        })
        .collect();
    if findings.is_empty() && !handled.iter().any(|name| events::takes(rule, name)) {
        let message = format!("the pattern takes no type that {id} handles: {}", handled.join(", "));
        let help = format!("write `detail-type: [{}]`", handled.join(", "));
        findings.push(Finding::error(line(events::pattern_place(subject, rule)), message, help));
    }
    let outside = events::declared(subject, FROM_OUTSIDE).map(|declared| declared.name);
    let known = events::published(subject).into_iter().chain(outside);
    let brought = known.filter(|name| {
        !handled.contains(name) && !named.iter().any(|(_, known)| known == name) && events::takes(rule, name)
    });
    findings.extend(brought.map(|name| {
        let message = format!("its pattern takes `{name}` too, which {id} does not handle: each is a dead letter");
        let help = format!("name the types: `detail-type: [{}]`", handled.join(", "));
        Finding::error(line(events::type_place(subject, rule, None)), message, help)
    }));
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::check::tests::Case;

    #[test]
    fn a_type_without_its_version_is_an_error_with_the_right_one() {
        let case = Case::team().edit("detail-type: [invoice.issued.v1]", "detail-type: [invoice.issued]");
        assert_eq!(case.only("unhandled-type"), ["error unhandled-type detail-type: [invoice.issued]"]);
        assert!(case.text().contains("→ write `invoice.issued.v1`"), "{}", case.text());
    }

    #[test]
    fn a_pattern_that_takes_nothing_the_function_handles_is_an_error() {
        let case = Case::team().edit("{prefix: payment.}", "{prefix: payments.}");
        assert_eq!(
            case.only("unhandled-type"),
            ["error unhandled-type EventPattern: {detail-type: [{prefix: payments.}]}"]
        );
    }

    #[test]
    fn a_pattern_that_takes_more_than_the_function_handles_is_an_error() {
        let case = Case::team().say("SendInvoice", |said| {
            said["publishes"] = json!([{"type": "invoice.sent.v1"}, {"type": "payment.expected.v1"}]);
        });
        assert_eq!(
            case.only("unhandled-type"),
            ["error unhandled-type EventPattern: {detail-type: [{prefix: payment.}]}"]
        );
    }

    #[test]
    fn a_function_that_cannot_say_all_it_handles_is_not_judged() {
        let edit = |case: Case| case.edit("detail-type: [invoice.issued.v1]", "detail-type: [invoice.issued]");
        let vague = edit(Case::team().say("SendInvoice", |said| said["incomplete"] = "a layer decides".into()));
        assert_eq!(vague.only("unhandled-type"), [""; 0]);
    }
}
