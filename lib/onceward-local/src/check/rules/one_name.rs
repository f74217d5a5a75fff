//! Ledger records begin with the function's name: two functions with one name take each other's events for duplicates,
//! and never run their handlers.

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::{LEDGER_TABLE, Subject, ledger};

pub(super) const RULE: Rule = Rule { id: "one-name", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: Vec<(&str, &str, &str)> = Vec::new();
    for (function, description) in subject.described().filter(|(_, description)| !description.name.is_empty()) {
        let Some(ledger) = ledger(function) else { continue };
        let name = description.name.as_str();
        let Some((.., first)) = seen.iter().find(|(known, table, _)| (*known, *table) == (name, ledger)) else {
            seen.push((name, ledger, &function.logical_id));
            continue;
        };
        findings.push(Finding::error(
            subject.at(&function.logical_id),
            format!(
                "its binary and {first}'s (line {}) both have the name `{name}` in the ledger {ledger}: what one of them \
                 has handled counts as handled by the other, whose handler never runs",
                subject.stack.lines.of(first)
            ),
            format!("give one of them another name in `Function::new(…)`, or a {LEDGER_TABLE} of its own"),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn two_functions_with_one_name_in_one_ledger_are_an_error() {
        let case = || Case::team().say("BookPayment", |said| said["name"] = "send-invoice".into());
        let found = case().only("one-name");
        assert_eq!(found, ["error one-name BookPayment:"]);
        assert!(case().text().contains("SendInvoice's (line "), "{}", case().text());
    }

    #[test]
    fn the_same_name_in_another_ledger_is_fine() {
        let case = Case::team().say("BookPayment", |said| said["name"] = "send-invoice".into());
        let apart = case.edit("LEDGER_TABLE: !Ref Ledger # of BookPayment", "LEDGER_TABLE: elsewhere");
        assert_eq!(apart.only("one-name"), [""; 0]);
    }
}
