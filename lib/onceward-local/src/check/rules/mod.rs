//! The rules, each a small file with its tests. `docs/check.md` says why each is there.

mod dead_letter_queue;
mod dead_letter_url;
mod event_bus;
mod event_source;
mod ledger_table;
mod not_checked;
mod one_name;
mod outside_lists;
mod panic_strategy;
mod partial_failures;
mod permissions;
mod queue_retention;
mod relay;
mod rule_target;
mod timeout;
mod unconsumed_type;
mod unhandled_type;
mod unique_names;
mod unpublished_type;
mod unrouted_type;
mod variables;
mod visibility_timeout;

use super::finding::Finding;
use super::subject::Subject;

/// A rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Its id, as findings and `docs/check.md` have it.
    pub(crate) id: &'static str,
    /// Finds what breaks it.
    check: fn(&Subject<'_>) -> Vec<Finding>,
}

/// Two functions that swallow each other's events: what starts nevertheless loses some.
pub(super) const ONE_NAME: &str = one_name::RULE.id;

/// All of them.
pub(crate) const RULES: &[Rule] = &[
    partial_failures::RULE,
    one_name::RULE,
    unique_names::RULE,
    unrouted_type::RULE,
    unhandled_type::RULE,
    unconsumed_type::RULE,
    unpublished_type::RULE,
    event_source::RULE,
    event_bus::RULE,
    outside_lists::RULE,
    dead_letter_queue::RULE,
    queue_retention::RULE,
    dead_letter_url::RULE,
    rule_target::RULE,
    visibility_timeout::RULE,
    relay::RULE,
    ledger_table::RULE,
    variables::RULE,
    timeout::RULE,
    permissions::RULE,
    panic_strategy::RULE,
    not_checked::RULE,
];

/// Everything that is found, in the order of the lines.
pub(crate) fn findings(subject: &Subject<'_>) -> Vec<Finding> {
    let found = |rule: &Rule| {
        let id = rule.id;
        (rule.check)(subject).into_iter().map(move |finding| Finding { rule: id, ..finding })
    };
    let mut findings: Vec<_> = RULES.iter().flat_map(found).collect();
    findings.sort_by(|left, right| {
        let key = |finding: &Finding| (finding.file.clone(), finding.line, finding.severity, finding.rule);
        key(left).cmp(&key(right))
    });
    findings.dedup();
    findings
}
