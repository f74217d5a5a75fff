//! A rule on another bus than the one that the relay publishes to.

use super::Rule;
use crate::check::events;
use crate::check::finding::Finding;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "event-bus", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let relayed = events::relayed_buses(subject);
    if relayed.is_empty() {
        return Vec::new();
    }
    // A bus that a rule sends to gets events too.
    let forwarded: Vec<_> =
        subject.stack.rules.iter().flat_map(|rule| &rule.targets).map(|it| it.arn.as_str()).collect();
    let is_fed = |bus: &str| relayed.contains(bus) || forwarded.iter().any(|arn| events::bus_name(arn) == bus);
    let published = events::published(subject);
    let waits = |rule: &&crate::template::Rule| {
        let named = events::named(rule);
        named.iter().any(|(_, name)| published.contains(name)) && !is_fed(&rule.bus)
    };
    let found = events::rules(subject).filter(waits).map(|rule| {
        let buses: Vec<_> = relayed.iter().copied().collect();
        Finding::error(
            subject.property(&rule.logical_id, "EventBusName"),
            format!(
                "it is on the bus `{}`, and the relay publishes to `{}`: it never gets an event",
                rule.bus,
                buses.join("`, `")
            ),
            "give it the bus that the relay has as EVENT_BUS_NAME",
        )
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn a_rule_on_a_bus_that_nobody_publishes_to_is_an_error() {
        let case = Case::team().edit(
            "Name: invoices-rule\n      EventBusName: !Ref Events",
            "Name: invoices-rule\n      EventBusName: default",
        );
        assert_eq!(case.found(), ["error event-bus EventBusName: default"]);
    }
}
