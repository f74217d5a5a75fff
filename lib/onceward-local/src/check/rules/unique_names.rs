//! A name that is used twice: `CloudFormation` makes the first resource and fails at the second, or the second replaces
//! the first.

use std::collections::BTreeMap;

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "unique-names", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let stack = subject.stack;
    let mut findings = Vec::new();
    let mut twice = |property: &str, mut named: Vec<(String, &str)>| {
        named.sort_by_key(|(_, id)| stack.lines.of(id));
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, id) in named {
            let Some(first) = seen.get(&name) else {
                seen.insert(name, id);
                continue;
            };
            findings.push(Finding::error(
                subject.property(id, property),
                format!("{first} (line {}) has the name `{name}` already", stack.lines.of(first)),
                format!("give it a {property} of its own"),
            ));
        }
    };
    twice("FunctionName", stack.functions.iter().map(|it| (it.name.clone(), it.logical_id.as_str())).collect());
    twice("QueueName", stack.queues.iter().map(|it| (it.name.clone(), it.logical_id.as_str())).collect());
    twice("TopicName", stack.topics.iter().map(|it| (it.name.clone(), it.logical_id.as_str())).collect());
    twice("TableName", stack.tables.iter().map(|it| (it.name.clone(), it.logical_id.as_str())).collect());
    twice("BucketName", stack.buckets.iter().map(|it| (it.name.clone(), it.logical_id.as_str())).collect());
    twice("Name", stack.buses.iter().map(|it| (it.name.clone(), it.logical_id.as_str())).collect());
    // A rule's name is its bus's.
    let rule = |bus: &str, name: &str| format!("{name}` on the bus `{bus}");
    twice("Name", stack.rules.iter().map(|it| (rule(&it.bus, &it.name), it.logical_id.as_str())).collect());
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn a_name_that_is_used_twice_is_an_error() {
        let found = |from: &str, name: &str| Case::team().edit(from, &format!("{name} # again")).only("unique-names");
        let function = "FunctionName: !Sub ${Team}-send-invoice";
        assert_eq!(
            found("FunctionName: !Sub ${Team}-book-payment", function),
            [format!("error unique-names {function} # again")]
        );
        let queue = "QueueName: !Sub ${Team}-invoices-dead";
        assert_eq!(
            found("QueueName: !Sub ${Team}-payments-dead", queue),
            [format!("error unique-names {queue} # again")]
        );
        assert_eq!(found("TableName: accounts", "TableName: ledger"), ["error unique-names TableName: ledger # again"]);
        assert_eq!(
            found("Name: payments-rule", "Name: invoices-rule"),
            ["error unique-names Name: invoices-rule # again"]
        );
    }
}
