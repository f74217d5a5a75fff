//! The relay publishes what ledgers hold: without one nothing is published, and its mapping decides what becomes of
//! events that the bus does not take at once.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>

use std::time::Duration;

use serde_json::{Value, json};

use super::Rule;
use crate::check::description::Kind;
use crate::check::finding::Finding;
use crate::check::subject::{DEAD_LETTER_QUEUE_URL, NONE, Subject, ledger};
use crate::events::Pattern;
use crate::lambda::StartingPosition;
use crate::template::{Function, Trigger};

pub(super) const RULE: Rule = Rule { id: "relay", check };

/// How long a stream keeps a record.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
const STREAM_KEEPS: Duration = Duration::from_hours(24);

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = missing(subject);
    for (function, _) in subject.of_kind(Kind::Relay) {
        let streams = function.triggers.iter().filter(|trigger| matches!(trigger, Trigger::Stream { .. }));
        let mut streams = streams.peekable();
        if streams.peek().is_none() {
            let message = "it is a relay, and no stream feeds it: nothing is published";
            findings.push(Finding::error(
                subject.at(&function.logical_id),
                message,
                "write an event of `Type: DynamoDB` with the stream of the ledger's table",
            ));
        }
        streams.for_each(|trigger| findings.extend(mapping(subject, function, trigger)));
        findings.extend(dead_letters(subject, function));
    }
    findings
}

/// Whether there is a place for what can never be published.
fn dead_letters(subject: &Subject<'_>, function: &Function) -> Option<Finding> {
    let finding = match function.environment.get(DEAD_LETTER_QUEUE_URL).map_or("", String::as_str) {
        "" => Finding::error,
        NONE => Finding::note,
        _ => return None,
    };
    let message = "what the bus never takes holds up the events behind it until the record's age gives it up";
    let help = format!("write `{DEAD_LETTER_QUEUE_URL}: !Ref OutboxFailures`, and allow `sqs:SendMessage` on it");
    Some(finding(subject.variable(function, DEAD_LETTER_QUEUE_URL), message, help))
}

/// Ledgers that hold events to publish, without a relay on their stream.
fn missing(subject: &Subject<'_>) -> Vec<Finding> {
    let mut ledgers: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    let publishing = subject.described().filter(|(_, description)| !description.publishes.is_empty());
    for (function, description) in publishing {
        let Some(ledger) = ledger(function).and_then(|name| subject.table(name)) else { continue };
        let relayed = subject.of_kind(Kind::Relay).flat_map(|(relay, _)| &relay.triggers);
        let is_relayed = relayed
            .into_iter()
            .any(|trigger| matches!(trigger, Trigger::Stream { table, .. } if *table == ledger.name));
        if is_relayed || ledgers.contains(&ledger.logical_id.as_str()) {
            continue;
        }
        ledgers.push(&ledger.logical_id);
        findings.push(Finding::error(
            subject.at(&ledger.logical_id),
            format!(
                "{} publishes `{}` by this ledger, and no relay reads its stream: nothing is published",
                function.logical_id, description.publishes[0].name
            ),
            "add a function whose binary runs `Relay`, with an event of `Type: DynamoDB` and this table's stream",
        ));
    }
    findings
}

fn mapping(subject: &Subject<'_>, function: &Function, trigger: &Trigger) -> Vec<Finding> {
    let Trigger::Stream {
        place,
        table,
        starting_position,
        bisect,
        maximum_retry_attempts,
        maximum_record_age,
        filters,
        on_failure_arn,
        ..
    } = trigger
    else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let at = |property: &str| subject.mapping(function, place, property);
    let mut error =
        |property: &str, message: String, help: &str| findings.push(Finding::error(at(property), message, help));
    let ledgers = subject.described().filter_map(|(function, _)| subject.table(ledger(function)?));
    if !ledgers.into_iter().any(|ledger| ledger.name == *table) {
        let message = format!(
            "it reads the stream of the table {table}, which is no function's LEDGER_TABLE: it finds no events"
        );
        error("Stream", message, "write the stream of the ledger's table");
    }
    if !bisect {
        let message =
            "a batch that times out is tried again as a whole: one slow event holds up all of them".to_owned();
        error("BisectBatchOnFunctionError", message, "write `BisectBatchOnFunctionError: true`");
    }
    if let Some(attempts) = maximum_retry_attempts {
        let message = format!("after {attempts} tries events are given up, though the bus may take them later");
        error("MaximumRetryAttempts", message, "write `MaximumRetryAttempts: -1`: the record's age limits it");
    }
    if maximum_record_age.is_none_or(|age| age >= STREAM_KEEPS) {
        let message = "the stream drops a record after 24 h, and nobody is told".to_owned();
        error(
            "MaximumRecordAgeInSeconds",
            message,
            "write `MaximumRecordAgeInSeconds: 82800`: 23 h, and then the destination is told",
        );
    }
    if on_failure_arn.is_none() {
        let message = "what is given up is told to nobody".to_owned();
        error(
            "DestinationConfig",
            message,
            "write `DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt OutboxFailures.Arn}}`",
        );
    }
    if *starting_position != StartingPosition::TrimHorizon {
        let message = "what is committed while the mapping is made is not published".to_owned();
        error("StartingPosition", message, "write `StartingPosition: TRIM_HORIZON`");
    }
    findings.extend(filter(subject, function, place, filters));
    findings
}

/// What the mapping's filters let through.
fn filter(subject: &Subject<'_>, function: &Function, place: &str, filters: &[Value]) -> Option<Finding> {
    let at = subject.mapping(function, place, "FilterCriteria");
    let pattern = r#"`{"dynamodb":{"NewImage":{"outbox":{"S":[{"exists":true}]}}}}`"#;
    if filters.is_empty() {
        let message = "it is invoked for every record of the ledger, those without events too";
        return Some(Finding::note(at, message, format!("write the filter {pattern}")));
    }
    let passes = |event_name: &str| {
        let record = record(event_name);
        filters.iter().any(|filter| Pattern::parse(filter).is_ok_and(|pattern| pattern.matches(&record)))
    };
    // A guarded commit changes the record of its claim.
    let event_name = ["INSERT", "MODIFY"].into_iter().find(|event_name| !passes(event_name))?;
    let message = format!("its filter drops records with an `outbox` ({event_name}): their events are not published");
    Some(Finding::error(at, message, format!("write the pattern {pattern}")))
}

/// A ledger record with events, as its stream has it.
fn record(event_name: &str) -> Value {
    let text = |text: &str| json!({ "S": text });
    json!({
        "eventID": "1", "eventName": event_name, "eventVersion": "1.1", "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": text("f#1")},
            "NewImage": {
                "pk": text("f#1"), "status": text("completed"), "fingerprint": text("0"), "commit_id": text("1"),
                "committed_at": text("2026-01-01T00:00:00.000Z"), "expires_at": {"N": "1"}, "outbox": text("pending"),
                "events": {"L": [text("{}")]},
            },
            "StreamViewType": "NEW_IMAGE",
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    const FILTER: &str =
        r#"FilterCriteria: {Filters: [{Pattern: '{"dynamodb":{"NewImage":{"outbox":{"S":[{"exists":true}]}}}}'}]}"#;
    const PROPERTIES: &str = "Properties: # of the stream's mapping";

    fn found(from: &str, to: &str) -> Vec<String> {
        Case::team().edit(from, to).found()
    }

    #[test]
    fn each_setting_that_loses_events_is_an_error() {
        let without = |from: &str| found(from, "");
        assert_eq!(without("            BisectBatchOnFunctionError: true\n"), [format!("error relay {PROPERTIES}")]);
        assert_eq!(without("            MaximumRecordAgeInSeconds: 82800\n"), [format!("error relay {PROPERTIES}")]);
        let destination = "DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt RelayDead.Arn}}";
        assert_eq!(without(destination), [format!("error relay {PROPERTIES}")]);
        assert_eq!(without("            MaximumRetryAttempts: -1\n"), [""; 0], "as often as it takes");
        assert_eq!(found("Attempts: -1", "Attempts: 3"), ["error relay MaximumRetryAttempts: 3"]);
        assert_eq!(found("InSeconds: 82800", "InSeconds: 86400"), ["error relay MaximumRecordAgeInSeconds: 86400"]);
        assert_eq!(found("TRIM_HORIZON", "LATEST"), ["error relay StartingPosition: LATEST"]);
    }

    #[test]
    fn a_relay_without_a_place_for_poison_is_told_what_that_means() {
        let case = Case::team().edit("          DEAD_LETTER_QUEUE_URL: !Ref RelayDead\n", "");
        assert_eq!(case.found(), ["error relay Variables:"]);
        let case = Case::team().edit("DEAD_LETTER_QUEUE_URL: !Ref RelayDead", "DEAD_LETTER_QUEUE_URL: none");
        assert_eq!(
            (case.found(), case.only("relay")),
            (Vec::new(), vec!["note relay DEAD_LETTER_QUEUE_URL: none".to_owned()])
        );
    }

    #[test]
    fn a_filter_passes_what_has_an_outbox() {
        let insert = FILTER.replace(r#"{"dynamodb""#, r#"{"eventName":["INSERT"],"dynamodb""#);
        assert_eq!(found(FILTER, &insert), [format!("error relay {insert}")]);
        let other = FILTER.replace("outbox", "inbox");
        assert_eq!(found(FILTER, &other), [format!("error relay {other}")]);
        let none = Case::team().edit(FILTER, "");
        assert_eq!((none.found(), none.only("relay")), (Vec::new(), vec![format!("note relay {PROPERTIES}")]));
    }

    #[test]
    fn a_ledger_with_events_and_no_relay_is_an_error() {
        let case = Case::team().say("Relay", |said| said["kind"] = "query".into());
        assert_eq!(case.only("relay"), ["error relay Ledger:"]);
    }

    #[test]
    fn a_relay_that_reads_another_table_is_an_error_on_both() {
        let stream = "      KeySchema: [{AttributeName: id, KeyType: HASH}]\n      StreamSpecification: {StreamViewType: NEW_IMAGE}";
        let case = Case::team().edit("      KeySchema: [{AttributeName: id, KeyType: HASH}]", stream);
        let case = case.edit("Stream: !GetAtt Ledger.StreamArn", "Stream: !GetAtt Accounts.StreamArn");
        assert_eq!(case.only("relay"), ["error relay Ledger:", "error relay Stream: !GetAtt Accounts.StreamArn"]);
    }
}
