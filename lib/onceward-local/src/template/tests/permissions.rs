//! Who may do what in the repository's template: that it is as narrow as it can be written. That it suffices, and that
//! what it allows is used, the system tests show.

use std::path::Path;

use serde_json::{Value, json};

use crate::template::{document::Document, error::Faults, yaml};

fn repository() -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let faults = Faults::default();
    let root = yaml::parse(&std::fs::read_to_string(path).unwrap(), &faults).unwrap();
    Document::read(root, &faults).unwrap()
}

fn properties(document: &Document, id: &str) -> Value {
    document.resource(id).unwrap_or_else(|| panic!("no {id}")).properties.to_json()
}

/// Logical ids and properties of the functions.
fn functions(document: &Document) -> Vec<(&str, Value)> {
    let functions = document.resources.iter().filter(|resource| resource.kind == "AWS::Serverless::Function");
    functions.map(|function| (function.id.as_str(), function.properties.to_json())).collect()
}

/// The statements of the role that belongs to one function only.
fn statements(document: &Document, function: &str) -> Vec<Value> {
    let role = properties(document, &format!("{function}Role"));
    let policies = role["Policies"].as_array().unwrap();
    policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap().clone()).collect()
}

#[test]
fn every_function_has_a_role_of_its_own_without_wildcards() {
    let document = repository();
    for (id, properties) in functions(&document) {
        assert_eq!(properties["Role"], json!({"Fn::GetAtt": format!("{id}Role.Arn")}));
        for statement in statements(&document, id) {
            assert_eq!(statement["Effect"], "Allow");
            let actions = statement["Action"].as_array().unwrap();
            assert!(actions.iter().all(|action| !action.as_str().unwrap().contains('*')), "{id}: {statement}");
            // A reference to one resource, or to the parts of one: `${Table.Arn}/stream/*`.
            let resource = &statement["Resource"];
            let one = resource["Fn::GetAtt"].is_string()
                || resource["Ref"].is_string()
                || resource["Fn::Sub"].as_str().is_some_and(|text| text.starts_with("${"));
            assert!(one, "{id}: {statement}");
        }
    }
}

/// Whether it lets a function at the item of one circuit breaker. That the function uses it, a system test shows.
fn is_of_one_breaker(condition: &Value) -> bool {
    let keys = &condition["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"];
    let name = keys[0].as_str().and_then(|key| key.strip_prefix("breaker#"));
    let only = json!({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [keys[0]]}});
    name.is_some_and(|name| !name.is_empty()) && *condition == only
}

#[test]
fn a_function_reaches_only_its_own_ledger_records_and_its_circuit_breakers() {
    let document = repository();
    for (id, properties) in functions(&document) {
        let binary = properties["FunctionName"]["Fn::Sub"].as_str().unwrap().trim_start_matches("${AWS::StackName}-");
        let own = json!({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [format!("{binary}#*")]}});
        let ledger = json!({"Fn::GetAtt": "LedgerTable.Arn"});
        let conditions: Vec<_> = statements(&document, id)
            .into_iter()
            .filter(|statement| statement["Resource"] == ledger)
            .map(|statement| statement["Condition"].clone())
            .collect();
        let uses_ledger = properties["Environment"]["Variables"].get("LEDGER_TABLE").is_some();
        let (breakers, records): (Vec<_>, Vec<_>) = conditions.into_iter().partition(is_of_one_breaker);
        assert_eq!(records, uses_ledger.then_some(own).into_iter().collect::<Vec<_>>(), "{id}");
        assert!(uses_ledger || breakers.is_empty(), "{id}");
    }
}

#[test]
fn only_a_consumers_own_rule_may_send_to_its_queues() {
    let document = repository();
    let rules = document.resources.iter().filter(|resource| resource.kind == "AWS::Events::Rule");
    for id in rules.map(|rule| rule.id.trim_end_matches("Rule")) {
        let policy = properties(&document, &format!("{id}QueuePolicy"));
        let (queue, dead_letters) = (format!("{id}Queue"), format!("{id}DeadLetters"));
        assert_eq!(policy["Queues"], json!([{"Ref": queue}, {"Ref": dead_letters}]));
        let arn = |id: &str| json!({"Fn::GetAtt": format!("{id}.Arn")});
        assert_eq!(
            policy["PolicyDocument"]["Statement"],
            json!([{
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": [arn(&queue), arn(&dead_letters)],
                "Condition": {"ArnEquals": {"aws:SourceArn": arn(&format!("{id}Rule"))}},
            }])
        );
        let target = &properties(&document, &format!("{id}Rule"))["Targets"][0];
        assert_eq!((&target["Arn"], &target["DeadLetterConfig"]["Arn"]), (&arn(&queue), &arn(&dead_letters)));
    }
}

#[test]
fn a_consumer_may_read_its_queue_and_write_its_dead_letters() {
    let document = repository();
    let has_queue = |(_, properties): &(&str, Value)| {
        let events = properties["Events"].as_object();
        events.is_some_and(|events| events.values().any(|event| event["Type"] == "SQS"))
    };
    let consumers: Vec<_> = functions(&document).into_iter().filter(has_queue).collect();
    assert!(!consumers.is_empty());
    for (id, properties) in consumers {
        let allowed: Vec<_> = statements(&document, id)
            .into_iter()
            .filter(|statement| statement["Action"][0].as_str().unwrap().starts_with("sqs:"))
            .map(|statement| (statement["Resource"]["Fn::GetAtt"].clone(), statement["Action"].clone()))
            .collect();
        let read = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"];
        let expected = [
            (json!(format!("{id}Queue.Arn")), json!(read)),
            (json!(format!("{id}DeadLetters.Arn")), json!(["sqs:SendMessage"])),
        ];
        assert_eq!(allowed, expected, "{id}");
        let variables = &properties["Environment"]["Variables"];
        assert_eq!(variables["DEAD_LETTER_QUEUE_URL"], json!({"Ref": format!("{id}DeadLetters")}));
    }
}
