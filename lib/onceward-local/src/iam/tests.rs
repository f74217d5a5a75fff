//! Who may do what, and what is said when somebody may not.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::endpoint::Services;
use crate::events::{Entry, Rule, Target};
use crate::lambda::LogLine;
use crate::sqs::{AttributeValue, Outgoing, Receive};
use crate::wire::{AwsRequest, Protocol};

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders";
const QUEUE: &str = "arn:aws:sqs:eu-west-1:000000000000:q";
const ROLE: &str = "arn:aws:iam::000000000000:role/r";

fn named(name: &str, statements: &Value) -> NamedPolicy {
    let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap();
    NamedPolicy { name: name.to_owned(), policy: Arc::new(policy), implicit: false }
}

fn allow_on(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

/// Services with one function `f`, whose role has these statements; lines it is told are kept.
fn services(mode: Mode, policies: RolePolicies) -> (Services, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let sink = LogSink::new(move |line: LogLine| kept.lock().unwrap().push(line.text));
    let services = Services::new(Account::new("eu-west-1", "http://127.0.0.1:4566"), sink).unwrap();
    let role =
        FunctionRole { role_arn: ROLE.to_owned(), log_group: "/aws/lambda/f".to_owned(), log_group_declared: false };
    let permissions = Permissions {
        functions: BTreeMap::from([("f".to_owned(), role)]),
        roles: BTreeMap::from([(ROLE.to_owned(), policies)]),
        declared: [QUEUE.to_owned()].into(),
        ..Permissions::default()
    };
    services.iam.declare(mode, permissions);
    services.sqs.create_queue("q", &BTreeMap::new()).unwrap();
    (services, lines)
}

fn with(statements: &Value) -> RolePolicies {
    RolePolicies { policies: vec![named("inline", statements)], boundary: None }
}

fn check(services: &Services, action: &str, resource: &str) -> Result<(), Reason> {
    let (service, action) = action.split_once(':').unwrap();
    let need = evaluate::Need::new(service, action, resource);
    services.iam.check(services, &services.iam.function("f"), &need).map_err(|denial| denial.reason)
}

#[test]
fn what_nothing_allows_is_denied_and_a_denial_counts_more_than_a_permission() {
    let statements = json!([
        allow_on("dynamodb:*", TABLE),
        {"Effect": "Deny", "Action": "dynamodb:Delete*", "Resource": "*"},
    ]);
    let (services, _) = services(Mode::Enforce, with(&statements));
    assert_eq!(check(&services, "dynamodb:PutItem", TABLE), Ok(()));
    assert_eq!(
        check(&services, "dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:000000000000:table/x"),
        Err(Reason::NotInIdentityPolicy)
    );
    assert_eq!(check(&services, "sqs:SendMessage", QUEUE), Err(Reason::NotInIdentityPolicy));
    assert_eq!(check(&services, "dynamodb:DeleteItem", TABLE), Err(Reason::ExplicitDeny));
}

#[test]
fn a_boundary_limits_what_the_role_allows() {
    let boundary = named("boundary", &json!([allow_on("dynamodb:GetItem", "*")])).policy;
    let policies = RolePolicies { boundary: Some(boundary), ..with(&json!([allow_on("dynamodb:*", "*")])) };
    let (services, _) = services(Mode::Enforce, policies);
    assert_eq!(check(&services, "dynamodb:GetItem", TABLE), Ok(()));
    assert_eq!(check(&services, "dynamodb:PutItem", TABLE), Err(Reason::NotInBoundary));
}

#[test]
fn a_queues_policy_may_let_a_role_in_or_keep_it_out() {
    let (services, _) = services(Mode::Enforce, with(&json!([allow_on("sqs:DeleteMessage", "*")])));
    let statement = |effect: &str, principal: Value, action: &str| json!({"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": QUEUE});
    let set = |statements: Value| {
        let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        let attributes = BTreeMap::from([("Policy".to_owned(), policy)]);
        services.sqs.set_queue_attributes("q", &attributes).unwrap();
    };
    set(json!([
        statement("Allow", json!(ROLE), "sqs:SendMessage"),
        statement("Deny", json!("*"), "sqs:DeleteMessage")
    ]));
    assert_eq!(check(&services, "sqs:SendMessage", QUEUE), Ok(()));
    assert_eq!(check(&services, "sqs:DeleteMessage", QUEUE), Err(Reason::ExplicitDenyInResourcePolicy));
    // The account as a principal stands for the account's own policies, which do not allow it.
    set(json!([statement("Allow", json!("000000000000"), "sqs:SendMessage")]));
    assert_eq!(check(&services, "sqs:SendMessage", QUEUE), Err(Reason::NotInIdentityPolicy));
}

#[test]
fn denials_are_worded_as_each_service_words_them() {
    let (services, _) = services(Mode::Enforce, with(&json!([])));
    let user = "User: arn:aws:sts::000000000000:assumed-role/r/f is not authorized to perform:";
    let json_1_0 = Protocol::Json { content_type: "application/x-amz-json-1.0" };
    let send = |service: &str, protocol: Protocol, action: &str, body: &str| {
        let request = AwsRequest {
            protocol,
            action: action.to_owned(),
            path: "/".to_owned(),
            body: Bytes::copy_from_slice(body.as_bytes()),
        };
        let denied = services.iam.authorize(&services, &services.iam.function("f"), service, &request).unwrap_err();
        (denied.status, String::from_utf8_lossy(&denied.body).into_owned(), denied.headers)
    };
    let (status, body, _) = send("dynamodb", json_1_0, "PutItem", r#"{"TableName":"orders","Item":{}}"#);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["__type"]), (400, &json!("com.amazon.coral.service#AccessDeniedException")));
    let expected = format!(
        "{user} dynamodb:PutItem on resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"
    );
    assert_eq!(body["Message"], expected);
    let (status, body, headers) = send("sqs", json_1_0, "SendMessage", r#"{"QueueUrl":"http://h/0/q"}"#);
    assert!(body.contains(&format!("{user} sqs:sendmessage on resource: {QUEUE} because")), "{body}");
    assert_eq!((status, headers), (400, vec![("x-amzn-query-error", "AccessDenied;Sender".to_owned())]));
    let (status, body, _) = send("sqs", Protocol::Query, "SendMessage", "QueueUrl=http://h/0/q");
    assert!(status == 403 && body.contains("<Code>AccessDenied</Code>"), "{body}");
    let topic = "arn:aws:sns:eu-west-1:000000000000:t";
    let (status, body, _) = send("sns", Protocol::Query, "Publish", &format!("TopicArn={topic}"));
    assert!(status == 403 && body.contains("<Code>AuthorizationError</Code>"), "{body}");
    assert!(body.contains(&format!("{user} SNS:Publish on resource: {topic} because")), "{body}");
    let (status, body, _) = send("events", json_1_0, "PutEvents", r#"{"Entries":[{}]}"#);
    assert!(status == 400 && body.contains("AccessDeniedException") && body.contains("event-bus/default"), "{body}");
}

#[test]
fn any_other_key_is_the_developers_who_may_do_everything() {
    let (services, _) = services(Mode::Enforce, with(&json!([])));
    let request = AwsRequest {
        protocol: Protocol::Query,
        action: "DeleteQueue".to_owned(),
        path: "/".to_owned(),
        body: Bytes::from_static(b"QueueUrl=http://h/0/q"),
    };
    let by = |key: Option<&str>| services.iam.authorize(&services, &services.iam.caller(key), "sqs", &request).is_ok();
    assert!(by(None) && by(Some("test")));
    assert!(!by(Some(&access_key("f"))));
    assert_eq!((access_key("f").len(), &access_key("f")[..4]), (20, "ASIA"));
    assert_ne!(access_key("f"), access_key("g"));
}

#[test]
fn in_report_mode_a_call_goes_through_and_is_shown_once() {
    let (services, lines) = services(Mode::Report, with(&json!([])));
    for _ in 0..3 {
        assert_eq!(check(&services, "dynamodb:PutItem", TABLE), Ok(()));
    }
    let [(denial, count)] = services.iam.denials().try_into().unwrap();
    assert_eq!((denial.caller.as_str(), denial.action.as_str(), count), ("f", "dynamodb:PutItem", 3));
    let lines = lines.lock().unwrap();
    assert!(lines.len() == 1 && lines[0].contains("allowed here, denied on AWS: User:"), "{lines:?}");
}

#[test]
fn what_is_never_used_is_listed_by_action_resource_and_condition() {
    let statements = json!([
        {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": [TABLE, format!("{TABLE}2")]},
        {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE,
         "Condition": {"StringEquals": {"dynamodb:Select": "COUNT"}}},
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
    ]);
    let (services, _) = services(Mode::Enforce, with(&statements));
    check(&services, "dynamodb:GetItem", TABLE).unwrap();
    check(&services, "sqs:SendMessage", QUEUE).unwrap();
    let unused = services.iam.unused();
    let told: Vec<_> = unused
        .iter()
        .map(|it| format!("{} {}{}", it.action, it.resource.trim_start_matches(TABLE), it.condition))
        .collect();
    let expected = [
        "dynamodb:GetItem StringEquals dynamodb:Select: COUNT",
        "dynamodb:GetItem 2",
        "dynamodb:PutItem ",
        "dynamodb:PutItem 2",
    ];
    assert_eq!(told, expected);
    assert!(unused.iter().all(|it| it.function == "f" && it.policy == "inline"));
}

#[test]
fn what_a_function_logs_uses_its_log_permissions() {
    let group = "arn:aws:logs:eu-west-1:000000000000:log-group:/aws/lambda/f";
    let statements = json!([
        allow_on("logs:CreateLogGroup", "arn:aws:logs:eu-west-1:000000000000:*"),
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": format!("{group}:*")},
    ]);
    let (services, _) = services(Mode::Enforce, with(&statements));
    assert_eq!(services.iam.unused().len(), 3);
    let sink = watch_logs(LogSink::discard(), services.destinations.clone());
    sink.write(LogLine { function: "f".to_owned(), environment: 1, text: "hello".to_owned(), notice: None });
    assert_eq!(services.iam.unused(), []);
    assert_eq!(services.iam.denials(), []);
    services.destinations.disconnect();
}

#[test]
fn a_mapping_needs_what_lambda_reads_its_source_by() {
    let statements = json!([allow_on("sqs:ReceiveMessage", QUEUE), allow_on("sqs:GetQueueAttributes", QUEUE)]);
    let (services, _) = services(Mode::Enforce, with(&statements));
    let refused = services.iam.authorize_queue(&services, "f", QUEUE).unwrap_err().to_string();
    assert_eq!(refused, "The function execution role does not have permissions to call DeleteMessage on SQS");
    let stream = format!("{TABLE}/stream/latest");
    let refused = services.iam.authorize_stream(&services, "f", &stream).unwrap_err().to_string();
    assert!(refused.starts_with(&format!("Cannot access stream {stream}. ")), "{refused}");
    let refused = services.iam.authorize_destination(&services, "f", QUEUE).unwrap_err().to_string();
    assert!(refused.ends_with("call SendMessage on SQS"), "{refused}");
}

fn rule(services: &Services, dead_letter_arn: Option<&str>) {
    let pattern = json!({"source": ["shop"]});
    services
        .events
        .put_rule(Rule { name: "r".to_owned(), pattern: Some(pattern.to_string()), ..Rule::default() })
        .unwrap();
    let target = Target {
        id: "t".to_owned(),
        arn: QUEUE.to_owned(),
        dead_letter_arn: dead_letter_arn.map(str::to_owned),
        ..Target::default()
    };
    services.events.put_target("", "r", target).unwrap();
}

fn entry() -> Entry {
    Entry { source: "shop".to_owned(), detail_type: "a".to_owned(), detail: "{}".to_owned(), ..Entry::default() }
}

fn publish(services: &Services) {
    services.events.put_event(entry()).unwrap();
}

#[tokio::test]
async fn a_rule_reaches_a_queue_of_the_template_by_the_queues_policy_only() {
    let (services, _) = services(Mode::Enforce, with(&json!([])));
    // Made by a script and without a policy: it is let in, and AWS's refusal is reported.
    services.sqs.create_queue("script", &BTreeMap::new()).unwrap();
    rule(&services, Some("arn:aws:sqs:eu-west-1:000000000000:script"));
    publish(&services);
    assert_eq!(services.sqs.depth("q").unwrap().visible, 0);
    let [letter] =
        services.sqs.receive("script", Receive { max: 1, ..Receive::default() }).await.unwrap().try_into().unwrap();
    let code = letter.message_attributes["ERROR_CODE"].value.clone();
    assert_eq!(code, AttributeValue::Text("NO_PERMISSIONS".to_owned()));
    let AttributeValue::Text(message) = letter.message_attributes["ERROR_MESSAGE"].value.clone() else { panic!() };
    assert!(
        message.starts_with("User: events.amazonaws.com is not authorized to perform: sqs:sendmessage"),
        "{message}"
    );
    assert!(message.ends_with("because no resource-based policy allows the sqs:sendmessage action"), "{message}");
    assert_eq!(services.iam.denials().len(), 2);

    let by_another_rule = allowing("events.amazonaws.com", "arn:aws:events:eu-west-1:000000000000:rule/other");
    services.sqs.set_queue_attributes("q", &by_another_rule).unwrap();
    publish(&services);
    assert_eq!(services.sqs.depth("q").unwrap().visible, 0);
    let by_this_rule = allowing("events.amazonaws.com", "arn:aws:events:eu-west-1:000000000000:rule/r");
    services.sqs.set_queue_attributes("q", &by_this_rule).unwrap();
    publish(&services);
    assert_eq!(services.sqs.depth("q").unwrap().visible, 1);
}

fn allowing(service: &str, source_arn: &str) -> BTreeMap<String, String> {
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }]});
    BTreeMap::from([("Policy".to_owned(), policy.to_string())])
}

#[test]
fn a_topic_reaches_a_queue_of_the_template_by_the_queues_policy_only() {
    let (services, _) = services(Mode::Enforce, with(&json!([])));
    let topic_arn = services.sns.create_topic("t").unwrap();
    services.sns.subscribe(&topic_arn, QUEUE, true).unwrap();
    let message = || Outgoing { body: "m".to_owned(), ..Outgoing::default() };
    services.destinations.deliver(&topic_arn, message()).unwrap();
    assert_eq!(services.sns.undelivered().len(), 1);
    services.sqs.set_queue_attributes("q", &allowing("sns.amazonaws.com", &topic_arn)).unwrap();
    services.destinations.deliver(&topic_arn, message()).unwrap();
    assert_eq!((services.sns.undelivered().len(), services.sqs.depth("q").unwrap().visible), (1, 1));
}

#[test]
fn a_role_that_a_service_assumes_is_held_to_its_policies() {
    let (services, _) = services(Mode::Enforce, with(&json!([])));
    let sender = services.iam.assumed(ROLE, "schedule");
    let denied = services.iam.authorize_delivery(&services, &sender, QUEUE).unwrap_err();
    assert_eq!(denied.user, "arn:aws:sts::000000000000:assumed-role/r/schedule");
    let other = services.iam.assumed("arn:aws:iam::000000000000:role/elsewhere", "schedule");
    assert!(services.iam.authorize_delivery(&services, &other, QUEUE).is_ok());
}

#[test]
fn a_function_reaches_its_destination_bus_by_its_own_policies_only() {
    let bus = "arn:aws:events:eu-west-1:000000000000:event-bus/default";
    let put = |statements: Value| {
        let (services, _) = services(Mode::Enforce, with(&statements));
        let entry = Entry { bus: bus.to_owned(), ..entry() };
        services.destinations.put_event_for("f", entry).map_err(|refused| refused.code().to_owned())
    };
    assert_eq!(put(json!([])), Err("AccessDeniedException".to_owned()));
    assert_eq!(put(json!([allow_on("events:PutEvents", bus)])), Ok(()));
}
