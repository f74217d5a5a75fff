//! What `--iam report` tells at the end.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::json;

use crate::escape;
use crate::iam::{Denial, Iam, Unused};

const HEADING: Style = Style::new().bold();
const FAILED: Style = AnsiColor::Red.on_default();

/// For people: what AWS would have denied, and what nobody used, by function.
pub(super) fn text(iam: &Iam) -> String {
    listing(&iam.denials(), &iam.unused())
}

/// The same as one JSON object: `{"denied": […], "unused": […]}`.
pub(super) fn json(iam: &Iam) -> String {
    let denied = iam.denials();
    let denied: Vec<_> = denied
        .iter()
        .map(|(denial, count)| {
            let mut entry = json!(denial);
            entry["count"] = json!(count);
            entry["message"] = json!(denial.message());
            entry
        })
        .collect();
    json!({ "denied": denied, "unused": iam.unused() }).to_string()
}

fn listing(denied: &[(Denial, u64)], unused: &[Unused]) -> String {
    let mut text = String::new();
    if denied.is_empty() {
        let _ = writeln!(text, "\n{HEADING}Denied on AWS:{HEADING:#} nothing");
    } else {
        let _ = writeln!(text, "\n{HEADING}Denied on AWS{HEADING:#}");
        for (denial, count) in denied {
            let Denial { caller, action, resource, .. } = denial;
            let (caller, action, resource) = (escape::line(caller), escape::line(action), escape::line(resource));
            let _ = writeln!(text, "  {FAILED}{caller}{FAILED:#}: {action} on {resource} ({count} times)");
        }
    }
    if unused.is_empty() {
        let _ = write!(text, "\n{HEADING}Allowed and never used:{HEADING:#} nothing");
        return text;
    }
    let _ = write!(text, "\n{HEADING}Allowed and never used{HEADING:#}");
    let mut function = "";
    for unused in unused {
        if unused.function != function {
            function = &unused.function;
            let _ = write!(text, "\n  {}", escape::line(function));
        }
        let Unused { action, resource, condition, .. } = unused;
        let condition = if condition.is_empty() { String::new() } else { format!(" if {condition}") };
        let (action, resource, condition) = (escape::line(action), escape::line(resource), escape::line(&condition));
        let _ = write!(text, "\n    {action} on {resource}{condition}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Reason;

    #[test]
    fn the_listing_names_each_function_once_with_what_it_did_not_use() {
        let unused = |function: &str, action: &str, condition: &str| Unused {
            function: function.to_owned(),
            policy: "p".to_owned(),
            action: action.to_owned(),
            resource: "arn:q".to_owned(),
            condition: condition.to_owned(),
        };
        let unused =
            [unused("a", "sqs:SendMessage", ""), unused("a", "sqs:*", "Bool x: true"), unused("b", "s3:*", "")];
        let denied = Denial {
            caller: "a".to_owned(),
            user: "arn:aws:sts::0:assumed-role/r/a".to_owned(),
            action: "dynamodb:PutItem".to_owned(),
            resource: "arn:t".to_owned(),
            reason: Reason::NotInIdentityPolicy,
        };
        let text = anstream::adapter::strip_str(&listing(&[(denied, 3)], &unused)).to_string();
        let expected = "\nDenied on AWS\n  a: dynamodb:PutItem on arn:t (3 times)\n\nAllowed and never used\n  a\n    \
                        sqs:SendMessage on arn:q\n    sqs:* on arn:q if Bool x: true\n  b\n    s3:* on arn:q";
        assert_eq!(text, expected);
        assert!(anstream::adapter::strip_str(&listing(&[], &[])).to_string().contains("never used: nothing"));
    }
}
