//! The way of events: who publishes a type, which rules take it, and which functions they bring it to.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::description::{Description, Kind};
use super::subject::{EVENT_BUS_NAME, Subject, queue_arns};
use crate::destination::service;
use crate::events::Pattern;
use crate::template::{Function, Rule, Trigger};

const TYPE: &str = "detail-type";
const SOURCE: &str = "source";
const OR: &str = "$or";
/// Sources of AWS's own events begin with this.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
const AWS_SOURCE: &str = "aws.";
/// Types that `onceward-aws` makes of what is no event: changes of a table, records without a value.
const MADE_TYPES: [&str; 2] = ["com.amazonaws.", "onceward.no-value."];

/// An entry of `Metadata.Onceward.Events`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declared<'a> {
    pub(super) name: &'a str,
    pub(super) list: &'static str,
    index: usize,
}

/// The list of types that others publish.
pub(super) const FROM_OUTSIDE: &str = "FromOutside";
/// The list of types that others take.
pub(super) const TO_OUTSIDE: &str = "ToOutside";

impl Declared<'_> {
    /// Where it is written.
    pub(super) fn place(&self) -> String {
        format!("Metadata.Onceward.Events.{}[{}]", self.list, self.index)
    }
}

/// The entries of one of the lists.
pub(super) fn declared<'a>(subject: &Subject<'a>, list: &'static str) -> impl Iterator<Item = Declared<'a>> {
    let entries = subject.stack.metadata["Onceward"]["Events"][list].as_array().into_iter().flatten().enumerate();
    // What is no text is found by the rule on these lists.
    entries.map(move |(index, entry)| Declared { name: entry.as_str().unwrap_or_default(), list, index })
}

pub(super) fn is_declared(subject: &Subject<'_>, list: &'static str, name: &str) -> bool {
    declared(subject, list).any(|declared| declared.name == name)
}

/// Whether a type is made by the runtime of what is no event: no rule brings it.
pub(super) fn is_made(name: &str) -> bool {
    MADE_TYPES.iter().any(|made| name.starts_with(made))
}

/// Every function that publishes this type, with its description.
pub(super) fn publishers<'s, 'a>(
    subject: &'s Subject<'a>,
    name: &str,
) -> impl Iterator<Item = (&'a Function, &'s Description)> {
    subject.described().filter(move |(_, description)| description.publishes.iter().any(|it| it.name == name))
}

/// Every type that a function of the template publishes, once.
pub(super) fn published<'s>(subject: &'s Subject<'_>) -> BTreeSet<&'s str> {
    subject.described().flat_map(|(_, it)| it.publishes.iter().map(|it| it.name.as_str())).collect()
}

/// The rules that wait for events.
pub(super) fn rules<'a>(subject: &Subject<'a>) -> impl Iterator<Item = &'a Rule> {
    subject.stack.rules.iter().filter(|rule| rule.enabled && rule.pattern.is_object())
}

/// Whether the rule's pattern takes events of this type, whatever else it asks for.
pub(super) fn takes(rule: &Rule, name: &str) -> bool {
    holds(rule, &[TYPE], &json!({ TYPE: name }))
}

/// The same, with the source that the event has.
pub(super) fn takes_from(rule: &Rule, name: &str, source: &str) -> bool {
    holds(rule, &[TYPE, SOURCE], &json!({ TYPE: name, SOURCE: source }))
}

/// Whether it waits for events of AWS's services only.
pub(super) fn is_for_aws(rule: &Rule) -> bool {
    let sources = rule.pattern[SOURCE].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_aws = |source: &Value| {
        let text = source.as_str().or_else(|| source["prefix"].as_str());
        text.is_some_and(|text| text.starts_with(AWS_SOURCE))
    };
    !sources.is_empty() && sources.iter().all(is_aws)
}

/// The types that a pattern names in full, each with its place in the list if it is at the pattern's top.
pub(super) fn named(rule: &Rule) -> Vec<(Option<usize>, &str)> {
    fn collect<'p>(pattern: &'p Value, top: bool, found: &mut Vec<(Option<usize>, &'p str)>) {
        let types = pattern[TYPE].as_array().into_iter().flatten().enumerate();
        found.extend(types.filter_map(|(index, it)| Some((top.then_some(index), it.as_str()?))));
        pattern[OR].as_array().into_iter().flatten().for_each(|it| collect(it, false, found));
    }
    let mut found = Vec::new();
    collect(&rule.pattern, true, &mut found);
    found
}

/// Where a rule's pattern is written: SAM's rules name it otherwise.
pub(super) fn pattern_place(subject: &Subject<'_>, rule: &Rule) -> String {
    let of_sam = format!("{}.Pattern", rule.logical_id);
    if subject.stack.lines.has(&of_sam) { of_sam } else { format!("{}.EventPattern", rule.logical_id) }
}

/// Where the pattern's type is written.
pub(super) fn type_place(subject: &Subject<'_>, rule: &Rule, index: Option<usize>) -> String {
    let place = format!("{}.{TYPE}", pattern_place(subject, rule));
    index.map_or(place.clone(), |index| format!("{place}[{index}]"))
}

/// Functions that the rule brings events to: directly, by their queues, or by a topic.
pub(super) fn reached<'a>(subject: &Subject<'a>, rule: &Rule) -> Vec<&'a Function> {
    subject.stack.functions.iter().filter(|function| reaches(subject, rule, function)).collect()
}

/// Whether the rule brings events to the function.
pub(super) fn reaches(subject: &Subject<'_>, rule: &Rule, function: &Function) -> bool {
    rule.targets.iter().any(|target| leads(subject, &target.arn, function))
}

/// Whether what is sent to `arn` comes to the function.
fn leads(subject: &Subject<'_>, arn: &str, function: &Function) -> bool {
    if service(arn) == Some("lambda") {
        return arn == subject.function_arn(function);
    }
    let fed = |fed: &str| queue_arns(function).any(|queue_arn| queue_arn == fed);
    let by_topic = |topic: &str| {
        let own = function.triggers.iter().any(|it| matches!(it, Trigger::Topic(it) if it.topic_arn == topic));
        own || subject.stack.subscriptions.iter().any(|it| it.topic_arn == topic && fed(&it.endpoint))
    };
    fed(arn) || by_topic(arn)
}

/// Whether something that says nothing of types brings events to the function: a topic or a schedule.
pub(super) fn has_other_sources(subject: &Subject<'_>, function: &Function) -> bool {
    let by_rule = |topic: &str| subject.stack.rules.iter().any(|rule| rule.targets.iter().any(|it| it.arn == topic));
    let topics = subject.stack.topics.iter().map(|topic| subject.account.arn("sns", &topic.name));
    let by_topic = topics.filter(|topic| !by_rule(topic)).any(|topic| leads(subject, &topic, function));
    by_topic || subject.stack.schedules.iter().any(|schedule| leads(subject, &schedule.target.arn, function))
}

/// Whether a mapping of the function lets only some messages through.
pub(super) fn filters(function: &Function) -> bool {
    function.triggers.iter().any(|it| matches!(it, Trigger::Sqs { filters, .. } if !filters.is_empty()))
}

/// The buses that relays publish to; none if no relay says.
pub(super) fn relayed_buses<'a>(subject: &Subject<'a>) -> BTreeSet<&'a str> {
    let names = subject.of_kind(Kind::Relay).filter_map(|(function, _)| function.environment.get(EVENT_BUS_NAME));
    names.map(|name| bus_name(name)).collect()
}

/// A bus by its name or its ARN.
pub(super) fn bus_name(bus: &str) -> &str {
    bus.rsplit_once("event-bus/").map_or(bus, |(_, name)| name)
}

/// Whether the parts of the rule's pattern that `keys` name hold for `event`.
fn holds(rule: &Rule, keys: &[&str], event: &Value) -> bool {
    let part = part(&rule.pattern, keys);
    // A pattern that says nothing of them holds always; one that the bus refuses is refused when it is deployed.
    part.is_empty() || Pattern::parse(&Value::Object(part)).is_ok_and(|pattern| pattern.matches(event))
}

fn part(pattern: &Value, keys: &[&str]) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in pattern.as_object().into_iter().flatten() {
        if keys.contains(&name.as_str()) {
            kept.insert(name.clone(), value.clone());
        } else if let (OR, Some(alternatives)) = (name.as_str(), value.as_array()) {
            let parts: Vec<_> = alternatives.iter().map(|it| part(it, keys)).collect();
            // An alternative that asks for something else may hold for any type.
            if parts.iter().all(|part| !part.is_empty()) {
                kept.insert(name.clone(), parts.into_iter().map(Value::Object).collect());
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(pattern: Value) -> Rule {
        Rule {
            logical_id: "R".to_owned(),
            name: "r".to_owned(),
            bus: "b".to_owned(),
            pattern,
            schedule: None,
            enabled: true,
            targets: Vec::new(),
        }
    }

    #[test]
    fn types_are_matched_as_the_bus_matches_them_whatever_else_a_pattern_asks_for() {
        let cases = [
            (json!({"detail-type": ["a.v1"], "detail": {"subject": ["x"]}}), true),
            (json!({"detail-type": ["b.v1"]}), false),
            (json!({"detail-type": [{"prefix": "a."}]}), true),
            (json!({"detail-type": [{"anything-but": "a.v1"}]}), false),
            (json!({"detail-type": [{"wildcard": "*.v1"}]}), true),
            (json!({"account": ["1"]}), true),
            (json!({"$or": [{"detail-type": ["a.v1"]}, {"detail-type": ["b.v1"]}]}), true),
            (json!({"$or": [{"detail-type": ["b.v1"]}, {"source": ["s"]}]}), true),
            (json!({"$or": [{"detail-type": ["b.v1"]}, {"detail-type": ["c.v1"]}]}), false),
        ];
        for (pattern, expected) in cases {
            assert_eq!(takes(&rule(pattern.clone()), "a.v1"), expected, "{pattern}");
        }
        let from = rule(json!({"detail-type": ["a.v1"], "source": ["shop"]}));
        assert!(takes_from(&from, "a.v1", "shop") && !takes_from(&from, "a.v1", "billing"));
    }
}
