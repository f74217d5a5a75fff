//! What was not checked is said: silence would look like a pass.

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "not-checked", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in &subject.stack.functions {
        let at = subject.at(&function.logical_id);
        match subject.said.get(&function.logical_id) {
            Some(Ok(description)) => {
                if let Some(why) = &description.incomplete {
                    let message = format!("it cannot say all about itself: {why}");
                    findings.push(Finding::note(at, message, "what it leaves out is not checked"));
                }
                let role = subject.stack.permissions.functions.get(&function.name);
                let elsewhere = role.filter(|role| !subject.stack.permissions.roles.contains_key(&role.role_arn));
                findings.extend(elsewhere.map(|role| {
                    let message =
                        format!("its role {} is not of this template: what it may do is not checked", role.role_arn);
                    Finding::note(subject.of_function(function, "Role"), message, "")
                }));
            }
            Some(Err(reason)) => {
                let message = format!("not an Onceward function, as far as its binary says ({reason})");
                findings.push(Finding::note(
                    at,
                    message,
                    "its code is not checked; what the template says of its queues is",
                ));
            }
            None => findings.push(Finding::note(at, "it was not asked what it is", "its code is not checked")),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn what_is_not_checked_is_noted() {
        let elsewhere =
            Case::team().edit("Role: !GetAtt SendInvoiceRole.Arn", "Role: arn:aws:iam::123456789012:role/other");
        let vague = elsewhere.say("BookPayment", |said| said["incomplete"] = "a layer decides".into());
        let expected = [
            "note not-checked Role: arn:aws:iam::123456789012:role/other",
            "note not-checked BookPayment:",
            "note not-checked Thumbnail:",
        ];
        assert_eq!(vague.only("not-checked"), expected);
        assert!(vague.text().contains("(it printed nothing)"), "{}", vague.text());
        assert_eq!(vague.found(), [""; 0]);
    }
}
