//! The stack on another cloud: `sam deploy` creates and updates it, `sam delete` leaves nothing but what is to be kept.

use std::{
    collections::BTreeSet,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::Trial;
use onceward_local::template::STACK_NAME;
use serde_json::Value;

use crate::cloud::{Choice, Deployed, SharedCloud};

/// How long the other tests may take until the stack can be deleted, and how often that is looked at.
const OTHERS_MAX: Duration = Duration::from_mins(20);
const GLANCE: Duration = Duration::from_millis(100);

/// None on the embedded cloud: it runs the template without deploying it.
pub(crate) fn trials(cloud: &Arc<SharedCloud>) -> Vec<Trial> {
    if *cloud.choice() == Choice::Embedded {
        return Vec::new();
    }
    vec![
        cloud.deployment_trial("deployment::sam_deploy_creates_what_the_template_declares", |_, stack| created(stack)),
        cloud.deployment_trial("deployment::sam_deploy_updates_what_has_changed", |_, stack| updated(stack)),
        cloud.deployment_trial("deployment::the_http_api_has_the_routes_of_the_template", |_, stack| routes(stack)),
        cloud.deployment_trial("deployment::the_ledgers_records_expire_as_the_template_says", |_, stack| expiry(stack)),
        cloud.deployment_trial("deployment::sam_delete_leaves_only_what_is_to_be_retained", deleted),
    ]
}

fn created(stack: &Deployed) {
    let outputs: Vec<_> = stack.first.keys().map(String::as_str).collect();
    assert_eq!(outputs, ["ApiUrl", "BusName", "ConfirmationsTopic", "LedgerTable"]);
    assert_eq!(
        (&stack.first["BusName"], &stack.first["LedgerTable"]),
        (&stack.bus(), &format!("{}-ledger", stack.name))
    );
    assert_eq!(existing(stack), declared(stack));
}

fn updated(stack: &Deployed) {
    let added: Vec<_> = stack.updated.keys().filter(|key| !stack.first.contains_key(*key)).collect();
    assert_eq!(added, ["ConfirmationInboxUrl"]);
    let url = &stack.updated["ConfirmationInboxUrl"];
    assert!(url.ends_with(&format!("/{}-confirmation-inbox", stack.name)), "{url}");
    let group = format!("/aws/lambda/{}", stack.name);
    let groups = aws(stack, &["logs", "describe-log-groups", "--log-group-name-prefix", &group]);
    assert_eq!(groups["logGroups"][0]["retentionInDays"], 7, "{groups}");
}

fn routes(stack: &Deployed) {
    let id =
        stack.updated["ApiUrl"].split_once("://").and_then(|(_, host)| host.split('.').next()).expect("an API's URL");
    let routes = aws(stack, &["apigatewayv2", "get-routes", "--api-id", id]);
    let keys = routes["Items"].as_array().into_iter().flatten().filter_map(|route| route["RouteKey"].as_str());
    let keys: BTreeSet<_> = keys.collect();
    assert_eq!(keys, BTreeSet::from(["GET /orders/{id}", "GET /stock/{product_id}", "POST /orders"]));
}

fn expiry(stack: &Deployed) {
    let expiry = aws(stack, &["dynamodb", "describe-time-to-live", "--table-name", &stack.first["LedgerTable"]]);
    assert_eq!(expiry["TimeToLiveDescription"]["AttributeName"], "expires_at", "{expiry}");
}

fn deleted(cloud: &Arc<SharedCloud>, stack: &Deployed) {
    let began = Instant::now();
    // Each of the other tests has a handle until it has run.
    while Arc::strong_count(cloud) > 1 {
        assert!(began.elapsed() < OTHERS_MAX, "other tests still use the stack");
        thread::sleep(GLANCE);
    }
    stack.delete().unwrap_or_else(|error| panic!("{error}"));
    let retained = declared(stack).tables;
    assert_eq!(existing(stack), Resources { tables: retained, ..Resources::default() });
}

/// Names, without the stack's.
#[derive(Debug, Default, PartialEq, Eq)]
struct Resources {
    queues: BTreeSet<String>,
    tables: BTreeSet<String>,
    functions: BTreeSet<String>,
    rules: BTreeSet<String>,
}

fn declared(stack: &Deployed) -> Resources {
    let stack = &stack.declared;
    let names = |names: &mut dyn Iterator<Item = &String>| names.filter_map(|name| suffix(STACK_NAME, name)).collect();
    Resources {
        queues: names(&mut stack.queues.iter().map(|queue| &queue.name)),
        tables: names(&mut stack.tables.iter().map(|table| &table.name)),
        functions: names(&mut stack.functions.iter().map(|function| &function.name)),
        rules: names(&mut stack.rules.iter().map(|rule| &rule.name)),
    }
}

fn existing(stack: &Deployed) -> Resources {
    let names = |answer: &Value, list: &str, name: &str| -> BTreeSet<String> {
        let items = answer[list].as_array().map(Vec::as_slice).unwrap_or_default();
        let names = items.iter().filter_map(|item| if name.is_empty() { item.as_str() } else { item[name].as_str() });
        let last = |name: &str| name.rsplit('/').next().map(str::to_owned);
        names.filter_map(last).filter_map(|name| suffix(&stack.name, &name)).collect()
    };
    let bus = stack.bus();
    let rules = stack.aws(&["events", "list-rules", "--event-bus-name", &bus]).unwrap_or_default();
    Resources {
        queues: names(&aws(stack, &["sqs", "list-queues", "--queue-name-prefix", &stack.name]), "QueueUrls", ""),
        tables: names(&aws(stack, &["dynamodb", "list-tables"]), "TableNames", ""),
        functions: names(&aws(stack, &["lambda", "list-functions"]), "Functions", "FunctionName"),
        rules: names(&rules, "Rules", "Name"),
    }
}

fn suffix(stack: &str, name: &str) -> Option<String> {
    name.strip_prefix(stack).and_then(|name| name.strip_prefix('-')).map(str::to_owned)
}

fn aws(stack: &Deployed, arguments: &[&str]) -> Value {
    stack.aws(arguments).unwrap_or_else(|error| panic!("{error}"))
}
