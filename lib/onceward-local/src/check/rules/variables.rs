//! What a function reads of its environment is set, and to what it expects there: else it does not start.

use super::Rule;
use crate::check::description::Description;
use crate::check::finding::Finding;
use crate::check::nearest::nearest;
use crate::check::subject::{DEAD_LETTER_QUEUE_URL, EVENT_BUS_NAME, NONE, Subject};
use crate::destination::service;
use crate::template::Function;

pub(super) const RULE: Rule = Rule { id: "variables", check };

const TABLE: &str = "_TABLE";
const QUEUE_URL: &str = "_QUEUE_URL";
const TOPIC_ARN: &str = "_TOPIC_ARN";

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let all = subject.described().flat_map(|(function, description)| {
        let mut findings = missing(subject, function, description);
        findings.extend(unread(subject, function, description));
        findings.extend(read(description).into_iter().filter_map(|name| malformed(subject, function, name)));
        findings
    });
    all.collect()
}

/// The names of all variables that the function reads, once.
fn read(description: &Description) -> Vec<&str> {
    let tables = description.tables.iter().map(|table| table.variable.as_str());
    let mut names: Vec<_> = description.variables.iter().map(|variable| variable.name.as_str()).chain(tables).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// A variable's value; an empty one is as good as none.
fn value<'f>(function: &'f Function, name: &str) -> Option<&'f str> {
    function.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn missing(subject: &Subject<'_>, function: &Function, description: &Description) -> Vec<Finding> {
    let optional =
        |name: &str| description.variables.iter().any(|variable| variable.name == name && !variable.required);
    let names = read(description).into_iter().filter(|name| value(function, name).is_none() && !optional(name));
    let found = names.map(|name| {
        let help = match nearest(name, function.environment.keys().map(String::as_str)) {
            Some(near) => format!("write `{name}` in place of `{near}`"),
            None => format!("write `Environment: {{Variables: {{{name}: {}}}}}`", example(name)),
        };
        Finding::error(subject.variable(function, name), format!("it does not start without the variable {name}"), help)
    });
    found.collect()
}

/// What a value may look like.
fn example(name: &str) -> &'static str {
    match name {
        DEAD_LETTER_QUEUE_URL => "!Ref DeadLetters",
        EVENT_BUS_NAME => "!Ref Bus",
        name if name.ends_with(QUEUE_URL) => "!Ref Queue",
        name if name.ends_with(TABLE) => "!Ref Table",
        name if name.ends_with(TOPIC_ARN) => "!Ref Topic",
        _ => "…",
    }
}

/// Tables that a function is told and does not ask for: those of another team's variables are theirs.
fn unread(subject: &Subject<'_>, function: &Function, description: &Description) -> Vec<Finding> {
    let known = read(description);
    // A handler may read more than its function can say.
    let names = function.environment.keys().filter(|_| description.incomplete.is_none());
    let names = names.filter(|name| name.ends_with(TABLE) && !known.contains(&name.as_str()));
    let found = names.map(|name| {
        let message = format!("the function does not say that it reads {name}");
        Finding::note(
            subject.variable(function, name),
            message,
            "take it out, or declare the table with `reads` or `writes`",
        )
    });
    found.collect()
}

fn malformed(subject: &Subject<'_>, function: &Function, name: &str) -> Option<Finding> {
    let value = value(function, name)?;
    let wrong = |expected: &str, help: String| {
        let message = format!("{name} is `{value}`, and {expected} is expected");
        Some(Finding::error(subject.variable(function, name), message, help))
    };
    let is_url = value.starts_with("http://") || value.starts_with("https://");
    let of = |suffix: &str| name.ends_with(suffix);
    if of(QUEUE_URL) && !is_url && !(name == DEAD_LETTER_QUEUE_URL && value == NONE) {
        let queue = subject.queue(value).map_or("Queue", |queue| &queue.logical_id);
        return wrong("a queue's URL", format!("write `{name}: !Ref {queue}`: a queue's `Ref` is its URL"));
    }
    if of(TOPIC_ARN) && service(value) != Some("sns") {
        return wrong("a topic's ARN", format!("write `{name}: !Ref Topic`: a topic's `Ref` is its ARN"));
    }
    if name == EVENT_BUS_NAME && (is_url || value.starts_with("arn:") && service(value) != Some("events")) {
        return wrong("a bus's name or ARN", format!("write `{name}: !Ref Bus`"));
    }
    if !of(TABLE) || subject.table(value).is_some() {
        return None;
    }
    if is_url || value.contains('/') && service(value) != Some("dynamodb") {
        return wrong("a table's name or ARN", format!("write `{name}: !Ref Table`"));
    }
    // Whoever deploys the stack says which.
    if subject
        .stack
        .parameters
        .values()
        .any(|parameter| !parameter.value.is_empty() && value.contains(&parameter.value))
    {
        return None;
    }
    let known = subject.stack.tables.iter().map(|table| table.name.as_str());
    let near = nearest(value, known).and_then(|near| subject.table(near));
    let help = match near {
        Some(near) => format!("write `{name}: !Ref {}`", near.logical_id),
        None => "write `!Ref` of a table of this template, or of a parameter with its name".to_owned(),
    };
    let message = format!("{name} is `{value}`, and this template has no such table");
    Some(Finding::error(subject.variable(function, name), message, help))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::check::tests::Case;

    fn edited(from: &str, to: &str) -> Vec<String> {
        Case::team().edit(from, to).only("variables")
    }

    #[test]
    fn a_variable_that_the_function_needs_is_set() {
        let found = edited("          MAIL_URL: !Ref Gateway\n", "");
        assert_eq!(found, ["error variables Variables:"]);
        assert_eq!(
            edited("Default: \"https://mail.example.com\"", "Default: \"\""),
            ["error variables MAIL_URL: !Ref Gateway"]
        );
        assert_eq!(
            Case::team().say("Relay", |said| said["variables"] = json!([{"name": "STAGE"}])).found(),
            [""; 0],
            "of Globals"
        );
    }

    #[test]
    fn a_table_that_nobody_reads_is_a_note() {
        let silent = Case::team().say("BookPayment", |said| {
            said["tables"] = json!([]);
            said["variables"] = json!([{"name": "LEDGER_TABLE"}, {"name": "DEAD_LETTER_QUEUE_URL"}]);
        });
        assert_eq!(silent.only("variables"), ["note variables ACCOUNTS_TABLE: !Ref Accounts # of BookPayment"]);
        assert_eq!(silent.found(), [""; 0]);
    }

    #[test]
    fn a_queue_is_told_by_its_url_and_a_bus_and_a_table_by_name() {
        let arn = edited("DEAD_LETTER_QUEUE_URL: !Ref InvoicesDead", "DEAD_LETTER_QUEUE_URL: !GetAtt InvoicesDead.Arn");
        assert_eq!(arn, ["error variables DEAD_LETTER_QUEUE_URL: !GetAtt InvoicesDead.Arn"]);
        let bus = edited("EVENT_BUS_NAME: !Ref Events # of the relay", "EVENT_BUS_NAME: !GetAtt RelayDead.Arn");
        assert_eq!(bus, ["error variables EVENT_BUS_NAME: !GetAtt RelayDead.Arn"]);
        let table = edited("ACCOUNTS_TABLE: !Ref Accounts # of BookPayment", "ACCOUNTS_TABLE: !Ref PaymentsDead");
        assert_eq!(table, ["error variables ACCOUNTS_TABLE: !Ref PaymentsDead"]);
    }

    #[test]
    fn a_table_is_one_of_the_template_or_a_parameter() {
        let slip = edited("ACCOUNTS_TABLE: !Ref Accounts # of BookPayment", "ACCOUNTS_TABLE: account");
        assert_eq!(slip, ["error variables ACCOUNTS_TABLE: account"]);
        assert_eq!(
            edited("ACCOUNTS_TABLE: !Ref Accounts # of BookPayment", "ACCOUNTS_TABLE: !Sub ${Team}-other"),
            [""; 0]
        );
        assert_eq!(
            edited("ACCOUNTS_TABLE: !Ref Accounts # of BookPayment", "ACCOUNTS_TABLE: !GetAtt Accounts.Arn"),
            [""; 0]
        );
    }
}
