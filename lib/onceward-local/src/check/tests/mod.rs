//! The rules are tried on a template as another team has it, with edits that break one rule each.

mod ask;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::description::Description;
use super::finding::Severity;
use super::profile::Workspace;
use super::{Finding, REGION, Subject, findings, report};
use crate::account::Account;
use crate::template::{self, STACK_NAME};

const TEAM: &str = include_str!("team.yaml");

/// What the team's functions say about themselves.
fn team() -> BTreeMap<&'static str, Value> {
    let types = |names: &[&str]| -> Value { names.iter().map(|name| json!({ "type": name })).collect() };
    let variables = |names: &[&str]| -> Value { names.iter().map(|name| json!({ "name": name })).collect() };
    let accounts = |access| json!([{"name": "accounts", "variable": "ACCOUNTS_TABLE", "access": access}]);
    let form = json!({"description": 1, "version": "0.1.0"});
    BTreeMap::from([
        (
            "IssueInvoice",
            json!({
                "onceward": form, "name": "issue-invoice", "kind": "command", "mode": "transactional", "source": "billing",
                "publishes": types(&["invoice.issued.v1"]), "tables": accounts("read"),
                "variables": variables(&["LEDGER_TABLE", "ACCOUNTS_TABLE"]), "retention_seconds": 1_296_000,
            }),
        ),
        (
            "SendInvoice",
            json!({
                "onceward": form, "name": "send-invoice", "kind": "function", "mode": "guarded", "source": "billing",
                "handles": types(&["invoice.issued.v1"]), "publishes": types(&["invoice.sent.v1"]),
                "variables": variables(&["LEDGER_TABLE", "DEAD_LETTER_QUEUE_URL", "MAIL_URL"]), "partial_failures": true,
                "retention_seconds": 1_296_000, "circuit_breakers": ["mail"], "timeouts": {"seconds_min": 2},
            }),
        ),
        (
            "BookPayment",
            json!({
                "onceward": form, "name": "book-payment", "kind": "function", "mode": "transactional", "source": "billing",
                "handles": types(&["payment.received.v1"]), "tables": accounts("write"), "partial_failures": true,
                "variables": variables(&["LEDGER_TABLE", "ACCOUNTS_TABLE", "DEAD_LETTER_QUEUE_URL"]),
                "retention_seconds": 1_296_000,
            }),
        ),
        (
            "Relay",
            json!({
                "onceward": form, "name": "relay", "kind": "relay", "partial_failures": true,
                "variables": [{"name": "EVENT_BUS_NAME"}, {"name": "DEAD_LETTER_QUEUE_URL", "required": false}],
            }),
        ),
    ])
}

/// The team's template and functions, with something changed.
pub(super) struct Case {
    template: String,
    said: BTreeMap<&'static str, Value>,
    workspaces: Vec<Workspace>,
}

impl Case {
    /// As they are: nothing is wrong with them.
    pub(super) fn team() -> Self {
        Self { template: TEAM.to_owned(), said: team(), workspaces: Vec::new() }
    }

    /// With another text in place of the one `from`.
    pub(super) fn edit(mut self, from: &str, to: &str) -> Self {
        assert_eq!(self.template.matches(from).count(), 1, "{from:?} must be there once");
        self.template = self.template.replace(from, to);
        self
    }

    /// With another description of the function.
    pub(super) fn say(mut self, function: &str, change: impl FnOnce(&mut Value)) -> Self {
        change(self.said.get_mut(function).expect("a function of the team"));
        self
    }

    /// Built from this workspace.
    pub(super) fn built_from(mut self, workspace: Workspace) -> Self {
        self.workspaces.push(workspace);
        self
    }

    fn check(&self) -> Vec<Finding> {
        let account = Account::new(REGION, super::ENDPOINT);
        let stack = template::parse(&self.template, Path::new("/team"), &BTreeMap::new(), (&account, STACK_NAME));
        let stack = stack.unwrap_or_else(|faults| panic!("the template is faulty: {faults:?}"));
        let of = |id: &str| match self.said.get(id) {
            Some(said) => Description::parse(&said.to_string()),
            None => Err("it printed nothing".to_owned()),
        };
        let said = stack.functions.iter().map(|function| (function.logical_id.clone(), of(&function.logical_id)));
        let subject =
            Subject { stack: &stack, account: &account, said: said.collect(), workspaces: self.workspaces.clone() };
        findings(&subject)
    }

    /// Severity, rule and the text of the line, of each error and warning.
    pub(super) fn found(&self) -> Vec<String> {
        self.all().into_iter().filter(|found| !found.starts_with("note ")).collect()
    }

    /// The same of every finding of one rule.
    pub(super) fn only(&self, rule: &str) -> Vec<String> {
        self.all().into_iter().filter(|found| found.split(' ').nth(1) == Some(rule)).collect()
    }

    /// What people read of the findings, without colours.
    pub(super) fn text(&self) -> String {
        let text = report::text(Path::new("team.yaml"), self.said.len(), &self.check());
        anstream::adapter::strip_str(&text).to_string()
    }

    fn all(&self) -> Vec<String> {
        let one = |Finding { rule, severity, line, file, .. }: Finding| {
            let severity = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let text = match file {
                Some(file) => format!("{}:{line}", file.display()),
                None => self.template.lines().nth(line - 1).unwrap_or("").trim().to_owned(),
            };
            format!("{severity} {rule} {text}")
        };
        self.check().into_iter().map(one).collect()
    }
}

#[test]
fn nothing_is_wrong_with_the_team() {
    assert_eq!(Case::team().found(), [""; 0]);
}

/// `docs/check.md` as it is.
fn documentation() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/check.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_rule_is_documented_and_nothing_else_is() {
    let documentation = documentation();
    let rows = documentation
        .lines()
        .skip_while(|line| *line != "## The rules")
        .take_while(|line| *line != "## What the runtime calls");
    let documented: Vec<_> =
        rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`')).map(|(id, _)| id).collect();
    let known: Vec<_> = super::rules::RULES.iter().map(|rule| rule.id).collect();
    assert_eq!(documented, known);
}

#[test]
fn every_call_is_documented_and_nothing_else_is() {
    let documentation = documentation();
    let rows = documentation
        .lines()
        .skip_while(|line| *line != "## What the runtime calls")
        .filter(|line| line.starts_with("| the ") || line.starts_with("| a "));
    let documented: Vec<_> = rows
        .map(|row| row.split(" | ").skip(1).map(|cell| cell.trim_end_matches(" |").to_owned()).collect::<Vec<_>>())
        .collect();
    let row = |calls: &super::calls::Calls| {
        let actions: Vec<_> = calls.actions.iter().map(|action| format!("`{action}`")).collect();
        vec![actions.join(", "), calls.lost.to_owned()]
    };
    let known: Vec<_> = super::calls::CALLS.iter().map(row).collect();
    assert_eq!(documented, known);
}
