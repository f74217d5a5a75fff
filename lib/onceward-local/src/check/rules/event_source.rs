//! A rule that takes a type, but not from the source that it is published with.

use super::Rule;
use crate::check::events::{self, FROM_OUTSIDE};
use crate::check::finding::Finding;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "event-source", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in events::rules(subject) {
        let published = events::published(subject).into_iter().filter(|name| events::takes(rule, name));
        for name in published.filter(|name| !events::is_declared(subject, FROM_OUTSIDE, name)) {
            let sources: Option<Vec<_>> =
                events::publishers(subject, name).map(|(_, it)| it.source.as_deref()).collect();
            // One that does not say its source may have the right one.
            let Some(sources) = sources else { continue };
            if sources.iter().any(|source| events::takes_from(rule, name, source)) {
                continue;
            }
            let place = format!("{}.source", events::pattern_place(subject, rule));
            let sources = sources.join(", ");
            findings.push(Finding::error(
                (&rule.logical_id, subject.stack.lines.of(&place)),
                format!("its pattern wants another source: `{name}` is published with the source `{sources}`"),
                format!("write `source: [{sources}]`"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn a_source_that_is_not_the_publishers_is_an_error() {
        let case = Case::team().edit("source: [billing]", "source: [bills]");
        assert_eq!(case.found(), ["error event-source source: [bills]"]);
        let vague = Case::team().edit("source: [billing]", "source: [bills]");
        let vague = vague.say("IssueInvoice", |said| said["source"] = serde_json::Value::Null);
        assert_eq!(vague.found(), [""; 0], "it may have that source");
    }
}
