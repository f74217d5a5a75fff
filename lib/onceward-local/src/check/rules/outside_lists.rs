//! `Metadata.Onceward.Events` says what comes from other stacks and what goes there. An entry that is wrong hides a fault.

use serde_json::Value;

use super::Rule;
use crate::check::events::{self, FROM_OUTSIDE, TO_OUTSIDE};
use crate::check::finding::{Finding, Severity};
use crate::check::nearest::nearest;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "outside-lists", check };

const SECTION: &str = "Metadata";

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = shape(subject);
    let published = events::published(subject);
    let handled = subject.described().flat_map(|(_, it)| it.handles.iter().map(|it| it.name.as_str()));
    let handled: Vec<_> = handled.collect();
    // Whoever cannot say all it publishes, and whoever is not asked, may publish it.
    let tells = |function| subject.description(function).is_some_and(|it| it.incomplete.is_none());
    let functions = &subject.stack.functions;
    let is_known = !functions.is_empty() && functions.iter().all(tells);
    let unknown = if is_known { Severity::Error } else { Severity::Note };
    let at = |declared: events::Declared<'_>| (SECTION, subject.stack.lines.of(&declared.place()));
    for declared in events::declared(subject, FROM_OUTSIDE).filter(|declared| !declared.name.is_empty()) {
        let name = declared.name;
        if let Some((function, _)) = events::publishers(subject, name).next() {
            let message = format!("`{name}` does not come from outside: {} publishes it", function.logical_id);
            findings.push(Finding::warning(at(declared), message, "take the entry out"));
        } else if !handled.contains(&name) && !events::rules(subject).any(|rule| events::takes(rule, name)) {
            let message = format!("no rule takes `{name}` and no function handles it");
            findings.push(Finding::error(at(declared), message, suggestion(name, &handled)));
        }
    }
    for declared in events::declared(subject, TO_OUTSIDE).filter(|declared| !declared.name.is_empty()) {
        let name = declared.name;
        if !published.contains(name) {
            let message = format!("no function of this template publishes `{name}`");
            let known: Vec<_> = published.iter().copied().collect();
            findings.push(Finding::new(unknown, at(declared), message, suggestion(name, &known)));
        } else if let Some(rule) = events::rules(subject).find(|rule| events::takes(rule, name)) {
            let message = format!(
                "{} takes `{name}` in this template: the entry hides the day when it does not",
                rule.logical_id
            );
            findings.push(Finding::warning(at(declared), message, "take the entry out"));
        }
    }
    findings
}

fn suggestion(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("write `{near}`"),
        None => "take the entry out".to_owned(),
    }
}

/// Both are lists of types, and there is no other.
fn shape(subject: &Subject<'_>) -> Vec<Finding> {
    let section = &subject.stack.metadata["Onceward"]["Events"];
    let mut findings = Vec::new();
    for (list, value) in section.as_object().into_iter().flatten() {
        let place = format!("Metadata.Onceward.Events.{list}");
        let at = (SECTION, subject.stack.lines.of(&place));
        if list != FROM_OUTSIDE && list != TO_OUTSIDE {
            let message = format!("`{list}` is not known here: nobody reads it");
            findings.push(Finding::error(at, message, format!("the lists are {FROM_OUTSIDE} and {TO_OUTSIDE}")));
        } else if !value.as_array().is_some_and(|entries| entries.iter().all(Value::is_string)) {
            let message = format!("{list} is not a list of types: what is in it is not read");
            findings.push(Finding::error(at, message, format!("write `{list}: [order.placed.v1]`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    fn from_outside(entry: &str) -> Case {
        Case::team().edit("- payment.received.v1 #", &format!("- {entry} # new\n        - payment.received.v1 #"))
    }

    fn to_outside(entry: &str) -> Case {
        Case::team().edit("- invoice.sent.v1 #", &format!("- {entry} # new\n        - invoice.sent.v1 #"))
    }

    /// Without the function that is not Onceward's.
    fn alone(case: Case) -> Case {
        let foreign = "  Thumbnail:\n    Type: AWS::Serverless::Function\n    Properties:\n      FunctionName: thumbnail\n      Events:\n        \
                       Pictures: {Type: SQS, Properties: {Queue: !GetAtt Pictures.Arn}}\n";
        case.edit(foreign, "")
    }

    #[test]
    fn an_entry_that_a_function_which_is_not_asked_may_publish_is_a_note() {
        assert_eq!(to_outside("order.lost.v1").only("outside-lists"), ["note outside-lists - order.lost.v1 # new"]);
        let vague = alone(to_outside("order.lost.v1")).say("BookPayment", |said| said["incomplete"] = "a layer".into());
        assert_eq!(vague.only("outside-lists"), ["note outside-lists - order.lost.v1 # new"]);
    }

    #[test]
    fn an_entry_that_nobody_knows_is_an_error() {
        assert_eq!(from_outside("order.lost.v1").found(), ["error outside-lists - order.lost.v1 # new"]);
        assert_eq!(alone(to_outside("order.lost.v1")).found(), ["error outside-lists - order.lost.v1 # new"]);
        assert!(to_outside("invoice.sent").text().contains("→ write `invoice.sent.v1`"));
    }

    #[test]
    fn an_entry_that_is_not_needed_is_a_warning() {
        assert_eq!(from_outside("invoice.issued.v1").found(), ["warning outside-lists - invoice.issued.v1 # new"]);
        assert_eq!(to_outside("invoice.issued.v1").found(), ["warning outside-lists - invoice.issued.v1 # new"]);
    }

    #[test]
    fn a_list_of_another_name_or_shape_is_an_error() {
        let other = Case::team().edit("      ToOutside:", "      Outside: []\n      ToOutside:");
        assert_eq!(other.found(), ["error outside-lists Outside: []"]);
        let shape = Case::team().edit("- payment.received.v1 #", "- {Type: a.b.v1}\n        - payment.received.v1 #");
        assert_eq!(shape.found(), ["error outside-lists FromOutside:"]);
    }
}
