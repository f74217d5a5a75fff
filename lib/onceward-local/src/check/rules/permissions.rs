//! What the runtime calls, the function's role allows. Roles of the template are evaluated as IAM evaluates them, with
//! the keys of conditions that the calls have.

use serde_json::Value;

use super::Rule;
use crate::check::calls::{CALLS, Calls, On};
use crate::check::description::{Access, Description, Kind, Mode};
use crate::check::events;
use crate::check::finding::Finding;
use crate::check::subject::{DEAD_LETTER_QUEUE_URL, EVENT_BUS_NAME, LEDGER_TABLE, Subject, queue_arns};
use crate::destination::service;
use crate::iam::{self, Caller, Policy};
use crate::template::{Function, Trigger};

pub(super) const RULE: Rule = Rule { id: "permissions", check };

/// Stands for an idempotency key: which ones there will be, no policy knows.
const SOME_KEY: &str = "0";

/// One thing that is called.
struct Place {
    /// The logical id, or the ARN of what is not in the template.
    name: String,
    arn: String,
    leading_key: Option<String>,
}

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (function, description) in subject.described() {
        let permissions = &subject.stack.permissions;
        let Some(role) = permissions.functions.get(&function.name) else { continue };
        // Another stack's role is noted as not checked.
        let Some(caller) = permissions.role(&role.role_arn, &function.name, subject.account) else { continue };
        for calls in CALLS {
            for place in places(subject, function, description, calls.on) {
                let lacking = lacking(subject, &caller, calls, &place);
                if !lacking.is_empty() {
                    findings.push(finding(subject, function, &role.role_arn, calls, &place, &lacking));
                }
            }
        }
    }
    findings
}

/// The actions that are missing.
fn lacking(subject: &Subject<'_>, caller: &Caller, calls: &Calls, place: &Place) -> Vec<&'static str> {
    let policy = policy(subject, &place.arn);
    let is_allowed = |action: &&&str| {
        let on = (place.arn.as_str(), policy.as_ref());
        iam::may(caller, action, on, place.leading_key.as_deref(), subject.account).is_ok()
    };
    let (allowed, refused): (Vec<&&str>, Vec<&&str>) = calls.actions.iter().partition(is_allowed);
    if !calls.all && !allowed.is_empty() {
        return Vec::new();
    }
    refused.into_iter().copied().collect()
}

/// The policy of a queue of the template.
fn policy(subject: &Subject<'_>, arn: &str) -> Option<Policy> {
    let text = subject.queue(arn)?.attributes.get("Policy")?;
    let document: Value = serde_json::from_str(text).ok()?;
    Policy::parse(&document).ok()
}

fn finding(
    subject: &Subject<'_>,
    function: &Function,
    role_arn: &str,
    calls: &Calls,
    place: &Place,
    lacking: &[&str],
) -> Finding {
    let Place { name, leading_key, .. } = place;
    let role = subject.stack.lines.role(role_arn).unwrap_or(&function.logical_id);
    let line = subject.stack.lines.of(role);
    let items = leading_key
        .as_deref()
        .map(|key| key.strip_suffix(SOME_KEY).map_or(key.to_owned(), |start| format!("{start}*")));
    let on = items.as_ref().map_or_else(|| name.clone(), |items| format!("{name} (items `{items}`)"));
    let one_of = if calls.all || lacking.len() == 1 { "" } else { "one of " };
    let message = format!("{} may not do {one_of}{} on {on}: {}", function.logical_id, lacking.join(", "), calls.lost);
    let resource = match calls.on {
        On::Stream => format!("!Sub ${{{name}.Arn}}/stream/*"),
        _ if name.starts_with("arn:") => name.clone(),
        _ => format!("!GetAtt {name}.Arn"),
    };
    let condition = items.map_or_else(String::new, |items| {
        let operator = if items.ends_with('*') { "StringLike" } else { "StringEquals" };
        format!(", Condition: {{ForAllValues:{operator}: {{dynamodb:LeadingKeys: [\"{items}\"]}}}}")
    });
    let help = format!(
        "add the statement `{{Effect: Allow, Action: [{}], Resource: {resource}{condition}}}`",
        lacking.join(", ")
    );
    Finding::error((role.split('.').next().unwrap_or(role), line), message, help)
}

/// What of this kind the function calls.
fn places(subject: &Subject<'_>, function: &Function, description: &Description, on: On) -> Vec<Place> {
    let commits = matches!(description.kind, Kind::Function | Kind::Command);
    let ledger = function.environment.get(LEDGER_TABLE).filter(|name| !name.is_empty());
    let item = |key: String| ledger.map(|ledger| Place { leading_key: Some(key), ..table(subject, ledger) });
    let record = || item(format!("{}#{SOME_KEY}", description.name));
    let accessed = |wanted: Access| {
        let tables = description.tables.iter().filter(move |table| table.access == wanted);
        let names = tables.filter_map(|it| function.environment.get(&it.variable)).filter(|name| !name.is_empty());
        names.map(|name| table(subject, name)).collect()
    };
    match on {
        On::Queue => queue_arns(function).map(|arn| queue(subject, arn)).collect(),
        On::Stream => {
            streams(function).map(|(name, arn, _)| Place { arn: arn.to_owned(), ..table(subject, name) }).collect()
        }
        On::Destination => {
            let told = streams(function).filter_map(|(.., destination)| destination);
            told.filter(|arn| service(arn) == Some("sqs")).map(|arn| queue(subject, arn)).collect()
        }
        On::DeadLetters => {
            let url = function.environment.get(DEAD_LETTER_QUEUE_URL).and_then(|url| subject.queue_by_url(url));
            url.map(|letters| queue(subject, &subject.queue_arn(letters))).into_iter().collect()
        }
        On::Records => record().filter(|_| commits).into_iter().collect(),
        On::GuardedRecords => record().filter(|_| description.mode == Some(Mode::Guarded)).into_iter().collect(),
        On::Breaker => description.circuit_breakers.iter().filter_map(|name| item(format!("breaker#{name}"))).collect(),
        On::Read => accessed(Access::Read),
        On::Written => accessed(Access::Write),
        On::Bus => {
            let bus = function.environment.get(EVENT_BUS_NAME).filter(|_| description.kind == Kind::Relay);
            bus.map(|bus| self::bus(subject, bus)).into_iter().collect()
        }
    }
}

/// Table, stream and destination of a function's mappings.
fn streams(function: &Function) -> impl Iterator<Item = (&str, &str, Option<&str>)> {
    function.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Stream { table, stream_arn, on_failure_arn, .. } => {
            Some((table.as_str(), stream_arn.as_str(), on_failure_arn.as_deref()))
        }
        _ => None,
    })
}

fn queue(subject: &Subject<'_>, arn: &str) -> Place {
    let name = subject.queue(arn).map_or_else(|| arn.to_owned(), |queue| queue.logical_id.clone());
    Place { name, arn: arn.to_owned(), leading_key: None }
}

fn table(subject: &Subject<'_>, name: &str) -> Place {
    let arn = if name.starts_with("arn:") { name.to_owned() } else { subject.table_arn(name) };
    let name = subject.table(name).map_or_else(|| arn.clone(), |table| table.logical_id.clone());
    Place { name, arn, leading_key: None }
}

fn bus(subject: &Subject<'_>, bus: &str) -> Place {
    let name = events::bus_name(bus);
    let arn = if bus.starts_with("arn:") {
        bus.to_owned()
    } else {
        subject.account.arn("events", &format!("event-bus/{name}"))
    };
    let known = subject.stack.buses.iter().find(|known| known.name == name);
    Place { name: known.map_or_else(|| arn.clone(), |bus| bus.logical_id.clone()), arn, leading_key: None }
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    const RECORDS: &str =
        "[dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:DeleteItem, dynamodb:UpdateItem] # its records";

    #[test]
    fn each_call_of_the_runtime_is_allowed_or_an_error_with_its_statement() {
        let cases = [
            (RECORDS, "[dynamodb:PutItem, dynamodb:DeleteItem]", "BatchGetItem on Ledger (items `send-invoice#*`)"),
            (RECORDS, "[dynamodb:BatchGetItem, dynamodb:PutItem]", "DeleteItem on Ledger (items `send-invoice#*`)"),
            ("[\"breaker#mail\"]", "[\"breaker#post\"]", "dynamodb:DeleteItem on Ledger (items `breaker#mail`)"),
            (", sqs:ChangeMessageVisibility]", "]", "may not do sqs:ChangeMessageVisibility on Invoices"),
            (
                "Resource: !GetAtt InvoicesDead.Arn\n",
                "Resource: !GetAtt PaymentsDead.Arn\n",
                "sqs:SendMessage on InvoicesDead",
            ),
        ];
        for (from, to, expected) in cases {
            let case = Case::team().edit(from, to);
            assert_eq!(case.found(), ["error permissions SendInvoiceRole:"], "{expected}");
            assert!(case.text().contains(expected), "{expected}: {}", case.text());
        }
        let statement = "add the statement `{Effect: Allow, Action: [dynamodb:BatchGetItem], Resource: !GetAtt Ledger.Arn, \
                         Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: [\"send-invoice#*\"]}}}`";
        let text = Case::team().edit(RECORDS, cases[0].1).text();
        assert!(text.contains(statement), "{text}");
    }

    #[test]
    fn a_role_is_for_its_own_functions_name() {
        let case = Case::team().edit("[\"send-invoice#*\"]", "[\"send-bill#*\"]");
        assert_eq!(case.found(), ["error permissions SendInvoiceRole:"; 2]);
    }

    #[test]
    fn policies_that_sam_makes_are_evaluated_too() {
        let without = Case::team().edit("        - DynamoDBCrudPolicy: {TableName: !Ref Accounts} # its rows\n", "");
        assert_eq!(without.found(), ["error permissions Policies:"]);
        let reads = Case::team()
            .edit("DynamoDBCrudPolicy: {TableName: !Ref Accounts}", "DynamoDBReadPolicy: {TableName: !Ref Accounts}");
        assert_eq!(reads.found(), ["error permissions Policies:"], "it writes");
        let bus = Case::team().edit("        - EventBridgePutEventsPolicy: {EventBusName: !Ref Events}\n", "");
        assert_eq!(bus.found(), ["error permissions Policies:"]);
    }
}
