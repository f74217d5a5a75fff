//! The ledger's table as the runtime and the relay need it.

use serde_json::Value;

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::{Subject, ledger};
use crate::template::Table;

pub(super) const RULE: Rule = Rule { id: "ledger-table", check };

const KEY: &str = "pk";
const EXPIRY: &str = "expires_at";

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut ledgers: Vec<&Table> = Vec::new();
    let mut publishing: Vec<&str> = Vec::new();
    for (function, description) in subject.described() {
        let Some(table) = ledger(function).and_then(|name| subject.table(name)) else { continue };
        if !description.publishes.is_empty() {
            publishing.push(&table.name);
        }
        if !ledgers.iter().any(|known| known.name == table.name) {
            ledgers.push(table);
        }
    }
    ledgers.into_iter().flat_map(|table| of(subject, table, publishing.contains(&table.name.as_str()))).collect()
}

fn of(subject: &Subject<'_>, table: &Table, publishes: bool) -> Vec<Finding> {
    let (id, definition) = (table.logical_id.as_str(), &table.definition);
    let mut findings = Vec::new();
    let keys = definition["KeySchema"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_key = |part: &Value| part["AttributeName"] == KEY && part["KeyType"] == "HASH";
    let mut attributes = definition["AttributeDefinitions"].as_array().into_iter().flatten();
    let is_text = attributes.any(|it| it["AttributeName"] == KEY && it["AttributeType"] == "S");
    if keys.len() != 1 || !keys.iter().all(is_key) || !is_text {
        findings.push(Finding::error(
            subject.property(id, "KeySchema"),
            "a ledger's key is the text `pk` alone: with another, every commit is refused",
            "write `AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]` and `KeySchema: [{AttributeName: pk, \
             KeyType: HASH}]`",
        ));
    }
    let view = definition["StreamSpecification"]["StreamViewType"].as_str();
    if publishes && !matches!(view, Some("NEW_IMAGE" | "NEW_AND_OLD_IMAGES")) {
        findings.push(Finding::error(
            subject.property(id, "StreamSpecification"),
            "its stream does not bring what is written: events that are committed are not published",
            "write `StreamSpecification: {StreamViewType: NEW_IMAGE}`",
        ));
    }
    if table.ttl_attribute.as_deref() != Some(EXPIRY) {
        findings.push(Finding::error(
            subject.property(id, "TimeToLiveSpecification"),
            "its records never expire: the table grows for ever",
            "write `TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}`",
        ));
    }
    if !subject.stack.lines.has(&format!("{id}.DeletionPolicy")) {
        let message = "it goes with the stack, and with it what was handled and is not published yet";
        findings.push(Finding::note(subject.at(id), message, "write `DeletionPolicy: RetainExceptOnCreate`"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn key_stream_and_expiry_are_the_ledgers() {
        let found = |from: &str, to: &str| Case::team().edit(from, to).found();
        let keys = found(
            "KeySchema: [{AttributeName: pk, KeyType: HASH}]",
            "KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: id, KeyType: RANGE}]",
        );
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert!(keys[0].starts_with("error ledger-table KeySchema: "), "{keys:?}");
        assert_eq!(
            found(
                "StreamSpecification: {StreamViewType: NEW_IMAGE}",
                "StreamSpecification: {StreamViewType: KEYS_ONLY}"
            ),
            ["error ledger-table StreamSpecification: {StreamViewType: KEYS_ONLY}"]
        );
        let expiry = "TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}";
        assert_eq!(found(expiry, ""), ["error ledger-table Ledger:"]);
        let off = expiry.replace("true", "false");
        assert_eq!(found(expiry, &off), [format!("error ledger-table {off}")]);
    }

    #[test]
    fn a_ledger_that_goes_with_its_stack_is_a_note() {
        assert_eq!(
            Case::team().edit("    DeletionPolicy: Retain\n", "").only("ledger-table"),
            ["note ledger-table Ledger:"]
        );
    }
}
