//! Events, rules, targets and the protocol.

use serde_json::{Value, json};

use super::{QUEUE_ARN, call, cloud, entry, receive, refused, rule, text};
use crate::events::{ENTRIES_SIZE_MAX_BYTES, Entry, EntryError, Rule, Target};

#[tokio::test]
async fn an_event_reaches_the_targets_of_matching_rules_in_its_envelope() {
    let (events, sqs) = cloud(&["work", "other"]);
    events.put_rule(rule("placed", &json!({"detail-type": ["order.placed.v1"]}))).unwrap();
    events.put_rule(rule("shipped", &json!({"detail-type": ["order.shipped.v1"]}))).unwrap();
    let target = |id: &str, queue: &str| Target { id: id.to_owned(), arn: sqs.arn(queue), ..Target::default() };
    events.put_target("default", "placed", target("1", "work")).unwrap();
    events.put_target("default", "shipped", target("1", "other")).unwrap();

    let id = events
        .put_event(Entry {
            resources: vec!["arn:r".to_owned()],
            time: chrono::DateTime::from_timestamp_millis(1_700_000_000_987),
            trace_header: Some("Root=1-5759e988-bd862e3fe1be46a994272793".to_owned()),
            ..entry("order.placed.v1", r#"{"z":1.0,"a":"é"}"#)
        })
        .unwrap();

    let received = receive(&sqs, "work").await;
    assert_eq!(received.len(), 1);
    assert_eq!(
        received[0].body,
        format!(
            r#"{{"version":"0","id":"{id}","detail-type":"order.placed.v1","source":"shop.orders","account":"000000000000","time":"2023-11-14T22:13:20Z","region":"eu-west-1","resources":["arn:r"],"detail":{{"z":1.0,"a":"é"}}}}"#
        )
    );
    assert_eq!(received[0].attributes["AWSTraceHeader"], "Root=1-5759e988-bd862e3fe1be46a994272793");
    assert!(receive(&sqs, "other").await.is_empty());
}

#[tokio::test]
async fn a_disabled_rule_and_another_bus_deliver_nothing() {
    let (events, sqs) = cloud(&["work"]);
    let bus_arn = events.create_bus("shop").unwrap();
    events.put_rule(Rule { bus: bus_arn.clone(), ..rule("all", &json!({"source": [{"prefix": ""}]})) }).unwrap();
    events.put_target("shop", "all", Target { id: "1".to_owned(), arn: sqs.arn("work"), ..Target::default() }).unwrap();

    events.put_event(entry("x", "{}")).unwrap();
    assert!(receive(&sqs, "work").await.is_empty());

    call(&events, "DisableRule", json!({"Name": "all", "EventBusName": "shop"})).await.unwrap();
    events.put_event(Entry { bus: "shop".to_owned(), ..entry("x", "{}") }).unwrap();
    assert!(receive(&sqs, "work").await.is_empty());

    call(&events, "EnableRule", json!({"Name": "all", "EventBusName": "shop"})).await.unwrap();
    events.put_event(Entry { bus: bus_arn, ..entry("x", "{}") }).unwrap();
    assert_eq!(receive(&sqs, "work").await.len(), 1);
}

#[tokio::test]
async fn a_fifo_target_gets_its_group() {
    let (events, sqs) = cloud(&["work.fifo"]);
    events.put_rule(rule("all", &json!({"source": ["shop.orders"]}))).unwrap();
    let target = json!({"Id": "1", "Arn": sqs.arn("work.fifo"), "SqsParameters": {"MessageGroupId": "orders"}});
    call(&events, "PutTargets", json!({"Rule": "all", "Targets": [target]})).await.unwrap();
    events.put_event(entry("x", "{}")).unwrap();
    assert_eq!(receive(&sqs, "work.fifo").await[0].attributes["MessageGroupId"], "orders");

    let without = json!({"Rule": "all", "Targets": [{"Id": "1", "Arn": sqs.arn("work.fifo")}]});
    assert!(refused(&events, "PutTargets", without).await.1.contains("MessageGroupId"));
}

#[tokio::test]
async fn what_cannot_be_delivered_goes_to_the_dead_letter_queue_with_its_reason() {
    let (events, sqs) = cloud(&["dead"]);
    let rule_arn = events.put_rule(rule("all", &json!({"source": ["shop.orders"]}))).unwrap();
    let target = json!({
        "Id": "1",
        "Arn": QUEUE_ARN,
        "Input": "{}",
        "DeadLetterConfig": {"Arn": sqs.arn("dead")},
    });
    call(&events, "PutTargets", json!({"Rule": "all", "Targets": [target]})).await.unwrap();
    let id = events.put_event(entry("x", r#"{"n":1}"#)).unwrap();

    let dead = receive(&sqs, "dead").await;
    assert_eq!(dead.len(), 1);
    let body: Value = serde_json::from_str(&dead[0].body).unwrap();
    assert_eq!(
        (&body["id"], &body["detail"]),
        (&json!(id), &json!({"n": 1})),
        "the event itself, not the target's input"
    );
    let attribute = |name: &str| text(&dead[0], name);
    assert_eq!(attribute("RULE_ARN"), rule_arn);
    assert_eq!(attribute("TARGET_ARN"), QUEUE_ARN);
    assert_eq!(attribute("ERROR_CODE"), "NO_RESOURCE");
    assert_eq!(attribute("RETRY_ATTEMPTS"), "0");
    assert!(!attribute("ERROR_MESSAGE").is_empty());
    assert!(!dead[0].message_attributes.contains_key("EXHAUSTED_RETRY_CONDITION"), "it was not retried");
    assert!(events.undelivered().is_empty());
}

#[tokio::test]
async fn what_is_lost_is_remembered() {
    let (events, _sqs) = cloud(&[]);
    events.put_rule(rule("all", &json!({"source": ["shop.orders"]}))).unwrap();
    events
        .put_target("", "all", Target { id: "1".to_owned(), arn: QUEUE_ARN.to_owned(), ..Target::default() })
        .unwrap();
    let id = events.put_event(entry("x", "{}")).unwrap();
    let lost = events.undelivered();
    assert_eq!((lost.len(), &lost[0].event_id, lost[0].target_arn.as_str()), (1, &id, QUEUE_ARN));
}

#[tokio::test]
async fn each_entry_has_its_own_result() {
    let (events, _sqs) = cloud(&[]);
    let good = json!({"Source": "s", "DetailType": "t", "Detail": "{}", "Time": 1_700_000_000.5});
    let with = |name: &str, value: &str| {
        let mut entry = good.clone();
        entry[name] = json!(value);
        entry
    };
    let entries = [
        good.clone(),
        with("Detail", "{"),
        with("Detail", "[]"),
        with("Detail", ""),
        with("Source", "aws.s3"),
        with("EventBusName", "nowhere"),
        with("EventBusName", "arn:aws:events:eu-west-1:000000000000:event-bus/default"),
    ];
    let answer = call(&events, "PutEvents", json!({"Entries": entries})).await.unwrap();
    assert_eq!(answer["FailedEntryCount"], 4);
    let codes: Vec<_> = answer["Entries"].as_array().unwrap().iter().map(|e| e["ErrorCode"].as_str()).collect();
    let expected = [
        None,
        Some("MalformedDetail"),
        Some("MalformedDetail"),
        Some("InvalidArgument"),
        Some("NotAuthorizedForSourceException"),
        None,
        None,
    ];
    assert_eq!(codes, expected);
    assert!(answer["Entries"][0]["EventId"].is_string());
    assert_eq!(
        answer["Entries"][3]["ErrorMessage"],
        "Parameter Detail is not valid. Reason: Detail is a required argument."
    );
}

/// <https://github.com/aws/aws-sdk/issues/186>
#[tokio::test]
async fn an_event_for_a_bus_that_does_not_exist_is_accepted_and_lost() {
    let (events, _sqs) = cloud(&[]);
    let entry = json!({"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "nowhere"});
    let answer = call(&events, "PutEvents", json!({"Entries": [entry]})).await.unwrap();
    assert_eq!(answer["FailedEntryCount"], 0);
    let lost = events.undelivered();
    assert_eq!(answer["Entries"][0]["EventId"], lost[0].event_id);
    assert_eq!(
        (lost[0].target_arn.as_str(), lost[0].reason.as_str()),
        ("nowhere", "Event bus nowhere does not exist.")
    );
}

#[tokio::test]
async fn requests_have_limits() {
    let (events, _sqs) = cloud(&[]);
    let entry = |detail: String| json!({"Source": "s", "DetailType": "t", "Detail": detail});
    let global = json!({"Entries": [entry("{}".to_owned())], "EndpointId": "abcde.veo"});
    assert!(refused(&events, "PutEvents", global).await.1.contains("EndpointId abcde.veo"));
    for count in [0, 11] {
        let entries: Vec<_> = (0..count).map(|_| entry("{}".to_owned())).collect();
        assert_eq!(refused(&events, "PutEvents", json!({"Entries": entries})).await.0, "ValidationException");
    }
    let half = format!(r#"{{"x":"{}"}}"#, "x".repeat(ENTRIES_SIZE_MAX_BYTES / 2));
    call(&events, "PutEvents", json!({"Entries": [entry(half.clone())]})).await.unwrap();
    let (_, message) = refused(&events, "PutEvents", json!({"Entries": [entry(half.clone()), entry(half)]})).await;
    assert_eq!(message, "Total size of the entries in the request is over the limit.");
    let large = Entry { detail: "x".repeat(ENTRIES_SIZE_MAX_BYTES + 1), ..super::entry("t", "") };
    assert!(matches!(events.put_event(large), Err(EntryError::InvalidArgument { parameter: "Entry", .. })));
}

#[tokio::test]
async fn rules_and_targets_are_described_as_they_were_put() {
    let (events, sqs) = cloud(&["work"]);
    call(&events, "CreateEventBus", json!({"Name": "shop", "Tags": [{"Key": "k", "Value": "v"}]})).await.unwrap();
    let pattern = r#"{ "source": ["shop.orders"] }"#;
    let put =
        json!({"Name": "r", "EventBusName": "shop", "EventPattern": pattern, "Description": "d", "State": "DISABLED"});
    let arn = call(&events, "PutRule", put).await.unwrap()["RuleArn"].clone();
    assert_eq!(arn, "arn:aws:events:eu-west-1:000000000000:rule/shop/r");
    let target = json!({
        "Id": "t",
        "Arn": sqs.arn("work"),
        "InputTransformer": {"InputPathsMap": {"id": "$.id"}, "InputTemplate": "{\"id\":<id>}"},
        "RetryPolicy": {"MaximumRetryAttempts": 2},
    });
    let put = json!({"Rule": "r", "EventBusName": "shop", "Targets": [target]});
    assert_eq!(call(&events, "PutTargets", put).await.unwrap()["FailedEntryCount"], 0);

    let on_bus = |name: &str| json!({name: "r", "EventBusName": "shop"});
    let described = call(&events, "DescribeRule", on_bus("Name")).await.unwrap();
    assert_eq!((&described["EventPattern"], &described["State"]), (&json!(pattern), &json!("DISABLED")));
    assert_eq!((&described["Arn"], &described["Description"]), (&arn, &json!("d")));
    let targets = call(&events, "ListTargetsByRule", on_bus("Rule")).await.unwrap();
    assert_eq!(targets["Targets"], json!([target]));
    let by_target = json!({"TargetArn": sqs.arn("work"), "EventBusName": "shop"});
    assert_eq!(call(&events, "ListRuleNamesByTarget", by_target).await.unwrap()["RuleNames"], json!(["r"]));
    let listed = call(&events, "ListRules", json!({"EventBusName": "shop", "Limit": 1})).await.unwrap();
    assert_eq!((listed["Rules"].as_array().unwrap().len(), listed.get("NextToken")), (1, None));

    let (code, message) = refused(&events, "DeleteRule", on_bus("Name")).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationException", "Rule can't be deleted since it has targets.")
    );
    let removed = call(&events, "RemoveTargets", json!({"Rule": "r", "EventBusName": "shop", "Ids": ["t", "u"]})).await;
    assert_eq!(removed.unwrap()["FailedEntries"][0]["TargetId"], "u");
    assert!(refused(&events, "DeleteEventBus", json!({"Name": "shop"})).await.1.contains("since it has rules"));
    call(&events, "DeleteRule", on_bus("Name")).await.unwrap();
    call(&events, "DeleteEventBus", json!({"Name": "shop"})).await.unwrap();
    assert_eq!(refused(&events, "DescribeEventBus", json!({"Name": "shop"})).await.0, "ResourceNotFoundException");
    let buses = call(&events, "ListEventBuses", json!({})).await.unwrap();
    assert_eq!(buses["EventBuses"][0]["Name"], "default");
    assert_eq!(buses["EventBuses"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_replaced_rule_keeps_its_targets() {
    let (events, sqs) = cloud(&["work"]);
    events.put_rule(rule("r", &json!({"source": ["nobody"]}))).unwrap();
    events
        .put_target("default", "r", Target { id: "1".to_owned(), arn: sqs.arn("work"), ..Target::default() })
        .unwrap();
    events.put_rule(rule("r", &json!({"source": ["shop.orders"]}))).unwrap();
    events.put_event(entry("x", "{}")).unwrap();
    assert_eq!(receive(&sqs, "work").await.len(), 1);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let (events, _sqs) = cloud(&[]);
    for name in ["a", "b", "c"] {
        events.put_rule(rule(name, &json!({"source": ["s"]}))).unwrap();
    }
    let first = call(&events, "ListRules", json!({"Limit": 2})).await.unwrap();
    let next = call(&events, "ListRules", json!({"Limit": 2, "NextToken": first["NextToken"]})).await.unwrap();
    let names =
        |page: &Value| page["Rules"].as_array().unwrap().iter().map(|rule| rule["Name"].clone()).collect::<Vec<_>>();
    assert_eq!((names(&first), names(&next)), (vec![json!("a"), json!("b")], vec![json!("c")]));
    assert_eq!(next.get("NextToken"), None);
}

#[tokio::test]
async fn tags_belong_to_buses_and_rules() {
    let (events, _sqs) = cloud(&[]);
    let arn = events.put_rule(rule("r", &json!({"source": ["s"]}))).unwrap();
    let tags = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]);
    call(&events, "TagResource", json!({"ResourceARN": arn, "Tags": tags})).await.unwrap();
    call(&events, "UntagResource", json!({"ResourceARN": arn, "TagKeys": ["a"]})).await.unwrap();
    let listed = call(&events, "ListTagsForResource", json!({"ResourceARN": arn})).await.unwrap();
    assert_eq!(listed["Tags"], json!([{"Key": "b", "Value": "2"}]));
    let nowhere = json!({"ResourceARN": "arn:aws:events:eu-west-1:000000000000:rule/none"});
    assert_eq!(refused(&events, "ListTagsForResource", nowhere).await.0, "ResourceNotFoundException");
}

#[tokio::test]
async fn a_pattern_can_be_tested() {
    let (events, _sqs) = cloud(&[]);
    let event = json!({"id": "1", "account": "0", "source": "s", "time": "t", "region": "r", "resources": [], "detail-type": "d", "detail": {"n": 5}});
    let test = |pattern: &str, event: &Value| json!({"EventPattern": pattern, "Event": event.to_string()});
    let matching = test(r#"{"detail":{"n":[{"numeric":[">",4]}]}}"#, &event);
    assert_eq!(call(&events, "TestEventPattern", matching).await.unwrap(), json!({"Result": true}));
    let other = test(r#"{"detail":{"n":[{"numeric":["<",4]}]}}"#, &event);
    assert_eq!(call(&events, "TestEventPattern", other).await.unwrap(), json!({"Result": false}));
    let (code, message) = refused(&events, "TestEventPattern", test(r#"{"a":[{"near":1}]}"#, &event)).await;
    assert_eq!(code, "InvalidEventPatternException");
    assert!(message.contains("near"), "{message}");
}

#[tokio::test]
async fn what_the_local_cloud_does_not_do_is_refused_by_name() {
    let (events, _sqs) = cloud(&[]);
    events.put_rule(rule("r", &json!({"source": ["s"]}))).unwrap();
    let target = |target: Value| json!({"Rule": "r", "Targets": [target]});
    let states =
        json!({"Id": "1", "Arn": "arn:aws:states:eu-west-1:000000000000:stateMachine:f", "HttpParameters": {}});
    let rows = [
        ("PutTargets", target(states), "ValidationException", "does not deliver to states"),
        (
            "PutTargets",
            target(json!({"Id": "1", "Arn": QUEUE_ARN, "EcsParameters": {}})),
            "ValidationException",
            "EcsParameters",
        ),
        (
            "PutTargets",
            target(json!({"Id": "1", "Arn": "work"})),
            "ValidationException",
            "Arn is not in correct format",
        ),
        (
            "PutTargets",
            target(json!({"Id": "1", "Arn": QUEUE_ARN, "Input": "{}", "InputPath": "$"})),
            "ValidationException",
            "Only one of",
        ),
        (
            "PutTargets",
            json!({"Rule": "none", "Targets": [{"Id": "1", "Arn": QUEUE_ARN}]}),
            "ResourceNotFoundException",
            "Rule none does not exist.",
        ),
        ("PutTargets", json!({"Rule": "r", "Targets": []}), "ValidationException", "'targets' failed to satisfy"),
        ("RemoveTargets", json!({"Rule": "r", "Ids": []}), "ValidationException", "'ids' failed to satisfy"),
        ("PutRule", json!({"Name": "s"}), "ValidationException", "EventPattern"),
        ("PutRule", json!({"Name": "s", "EventPattern": "{"}), "InvalidEventPatternException", "not valid JSON"),
        (
            "PutRule",
            json!({"Name": "s", "EventPattern": "{\"a\":[{\"regexp\":\"x\"}]}"}),
            "InvalidEventPatternException",
            "regexp",
        ),
        ("PutRule", json!({"Name": "a b", "EventPattern": "{\"a\":[1]}"}), "ValidationException", "a b"),
        (
            "PutRule",
            json!({"Name": "s", "EventBusName": "none", "EventPattern": "{\"a\":[1]}"}),
            "ResourceNotFoundException",
            "Event bus none does not exist.",
        ),
        (
            "CreateEventBus",
            json!({"Name": "default"}),
            "ResourceAlreadyExistsException",
            "Event bus default already exists.",
        ),
        ("CreateEventBus", json!({"Name": "b", "EventSourceName": "x"}), "ValidationException", "EventSourceName"),
        ("DeleteEventBus", json!({"Name": "default"}), "ValidationException", "default"),
        ("CreateConnection", json!({}), "UnknownOperationException", "CreateConnection"),
    ];
    for (action, body, code, words) in rows {
        let (found, message) = refused(&events, action, body.clone()).await;
        assert!(found == code && message.contains(words), "{action} {body}: {found}: {message}");
    }
}
