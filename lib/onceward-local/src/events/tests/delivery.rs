//! Kinds of targets, retries and dead letters.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use super::{arrives, call, cloud, entry, receive, refused, rule, target, text, timed_cloud};
use crate::account::Account;
use crate::endpoint::Services;
use crate::events::{Entry, EventBridge, Rule, Target};
use crate::lambda::tests::{PATIENCE, function, spec};
use crate::lambda::{FunctionSpec, LogSink};
use crate::retry::RetryPolicy;

fn every_event(events: &EventBridge, bus: &str, target: Target) -> String {
    let rule = Rule { bus: bus.to_owned(), ..rule("all", &json!({"source": ["shop.orders"]})) };
    let arn = events.put_rule(rule).unwrap();
    events.put_target(bus, "all", target).unwrap();
    arn
}

#[tokio::test]
async fn a_topic_is_a_target() {
    let services = timed_cloud(&["work"]);
    let topic = services.sns.create_topic("news").unwrap();
    services.sns.subscribe(&topic, &services.sqs.arn("work"), true).unwrap();
    every_event(&services.events, "", target(&topic));
    let id = services.events.put_event(entry("x", r#"{"n":1}"#)).unwrap();
    let event: Value = serde_json::from_str(&receive(&services.sqs, "work").await[0].body).unwrap();
    assert_eq!((&event["id"], &event["detail"]), (&json!(id), &json!({"n": 1})));
}

#[tokio::test]
async fn a_function_is_invoked_asynchronously_with_its_input() {
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let sink = LogSink::new(move |line| drop(sender.send(line)));
    let services = Services::new(Account::new("eu-west-1", "http://127.0.0.1:4566"), sink).unwrap();
    services.lambda.create_function(spec("f", &[])).unwrap();
    let paths = [("n".to_owned(), "$.detail.n".to_owned())].into();
    let input = crate::events::Input::Transformer { paths, template: r#"{"seen":<n>}"#.to_owned() };
    let arn = services.account.arn("lambda", "function:f");
    every_event(&services.events, "", Target { input: Some(input), ..target(&arn) });
    services.events.put_event(entry("x", r#"{"n":7}"#)).unwrap();
    let invoked = async {
        loop {
            let line = lines.recv().await.expect("the function is invoked");
            if let Some(event) = line.text.strip_prefix(function::EVENT) {
                return event.to_owned();
            }
        }
    };
    assert_eq!(timeout(PATIENCE, invoked).await.unwrap().trim(), r#"{"seen":7}"#);
    services.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_or_topic_that_is_not_there_is_no_resource() {
    let (events, sqs) = cloud(&["dead"]);
    for arn in [
        "arn:aws:lambda:eu-west-1:000000000000:function:f",
        "arn:aws:sns:eu-west-1:000000000000:t",
        "arn:aws:events:eu-west-1:000000000000:event-bus/b",
    ] {
        every_event(&events, "", Target { dead_letter_arn: Some(sqs.arn("dead")), ..target(arn) });
        events.put_event(entry("x", "{}")).unwrap();
        let dead = receive(&sqs, "dead").await.pop().unwrap();
        assert_eq!(
            (text(&dead, "ERROR_CODE"), text(&dead, "RETRY_ATTEMPTS")),
            ("NO_RESOURCE".into(), "0".into()),
            "{arn}"
        );
        sqs.delete("dead", &dead.receipt_handle).unwrap();
    }
}

#[tokio::test]
async fn another_bus_receives_the_event_as_it_was() {
    let (events, sqs) = cloud(&["work"]);
    let bus = events.create_bus("shop").unwrap();
    every_event(&events, "", target(&bus));
    every_event(&events, "shop", target(&sqs.arn("work")));
    let time = chrono::DateTime::from_timestamp(1_700_000_000, 0);
    let id = events.put_event(Entry { time, ..entry("x", r#"{"n":1.0}"#) }).unwrap();
    let body = receive(&sqs, "work").await.remove(0).body;
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&event["id"], &event["time"]), (&json!(id), &json!("2023-11-14T22:13:20Z")));
    assert!(body.ends_with(r#""detail":{"n":1.0}}"#), "{body}");
}

#[tokio::test]
async fn an_event_of_another_bus_is_not_sent_to_a_third() {
    let (events, sqs) = cloud(&["dead", "third"]);
    let (second, third) = (events.create_bus("second").unwrap(), events.create_bus("third").unwrap());
    every_event(&events, "", target(&second));
    every_event(&events, "second", Target { dead_letter_arn: Some(sqs.arn("dead")), ..target(&third) });
    every_event(&events, "third", target(&sqs.arn("third")));
    events.put_event(entry("x", "{}")).unwrap();
    assert!(receive(&sqs, "third").await.is_empty());
    assert_eq!(text(&receive(&sqs, "dead").await[0], "ERROR_CODE"), "THIRD_ACCOUNT_HOP_DETECTED");
    // A bus that is its own target gets the event once more, not for ever.
    every_event(&events, "third", Target { id: "self".to_owned(), ..target(&third) });
    events.put_event(Entry { bus: third, ..entry("x", "{}") }).unwrap();
    assert_eq!(receive(&sqs, "third").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_available_is_tried_again_until_it_is() {
    let services = timed_cloud(&["work"]);
    let Services { events, sqs, destinations, .. } = &services;
    every_event(events, "", target(&sqs.arn("work")));
    destinations.disconnect();
    let id = events.put_event(entry("x", "{}")).unwrap();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert!(events.undelivered().is_empty(), "185 attempts over 24 hours, if nothing else is said");
    destinations.connect(services.clone());
    let event: Value = serde_json::from_str(&arrives(sqs, "work").await.body).unwrap();
    assert_eq!(event["id"], json!(id));
    tokio::time::sleep(Duration::from_hours(24)).await;
    assert!(receive(sqs, "work").await.is_empty(), "delivered once");
}

/// Retries end while nothing can be delivered, so that the dead letter is lost too: its reason tells when.
#[tokio::test(start_paused = true)]
async fn the_retry_policy_ends_by_attempts_or_by_age() {
    let services = timed_cloud(&[]);
    let Services { events, sqs, destinations, .. } = &services;
    destinations.disconnect();
    let policies = [
        (RetryPolicy { attempts_max: Some(0), age_max_seconds: None }, 0, 0),
        (RetryPolicy { attempts_max: Some(3), age_max_seconds: None }, 3, 7),
        (RetryPolicy { attempts_max: None, age_max_seconds: Some(60) }, 20, 60),
        (RetryPolicy::default(), 20_000, 86_400),
    ];
    for (lost, (retry_policy, least, most)) in policies.into_iter().enumerate() {
        every_event(events, "", Target { retry_policy, ..target(&sqs.arn("work")) });
        let began = tokio::time::Instant::now();
        events.put_event(entry("x", "{}")).unwrap();
        while events.undelivered().len() == lost {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let took = began.elapsed().as_secs();
        assert!((least..=most).contains(&took), "{retry_policy:?}: {took} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_says_which_limit_ended_its_retries() {
    let services = timed_cloud(&["dead"]);
    let Services { events, sqs, destinations, .. } = &services;
    let retry_policy = RetryPolicy { attempts_max: Some(2), age_max_seconds: None };
    let dead_letter_arn = Some(sqs.arn("dead"));
    let rule_arn = every_event(events, "", Target { dead_letter_arn, retry_policy, ..target(&sqs.arn("work")) });
    // Lambda is full of events of a function that does not start: they wait a minute for their next try.
    let function = services.account.arn("lambda", "function:f");
    services.lambda.create_function(FunctionSpec { bootstrap: "/nowhere".into(), ..spec("f", &[]) }).unwrap();
    let full = (0..crate::lambda::EVENTS_MAX).all(|_| services.lambda.invoke_later("f", "{}".into(), None).is_ok());
    assert!(full && services.lambda.invoke_later("f", "{}".into(), None).is_err());
    let retried =
        Target { retry_policy, dead_letter_arn: Some(sqs.arn("dead")), id: "2".to_owned(), ..target(&function) };
    events.put_target("", "all", retried).unwrap();
    events.put_event(entry("x", "{}")).unwrap();
    let at_once = arrives(sqs, "dead").await;
    assert_eq!(text(&at_once, "ERROR_CODE"), "NO_RESOURCE", "a queue that is not there is not tried again");
    let dead = timeout(Duration::from_mins(10), arrives(sqs, "dead")).await.unwrap();
    let expected = [
        ("RULE_ARN", rule_arn.as_str()),
        ("TARGET_ARN", &function),
        ("ERROR_CODE", "THROTTLING"),
        ("EXHAUSTED_RETRY_CONDITION", "MaximumRetryAttempts"),
        ("RETRY_ATTEMPTS", "2"),
    ];
    for (name, value) in expected {
        assert_eq!(text(&dead, name), value, "{name}");
    }
    assert!(text(&dead, "ERROR_MESSAGE").starts_with("Rate Exceeded"));
    destinations.disconnect();
    services.lambda.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn retries_end_with_the_cloud() {
    let services = timed_cloud(&["work"]);
    let Services { events, sqs, destinations, .. } = &services;
    every_event(events, "", target(&sqs.arn("work")));
    destinations.disconnect();
    events.put_event(entry("x", "{}")).unwrap();
    events.stop();
    destinations.connect(services.clone());
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert!(receive(sqs, "work").await.is_empty());
}

#[tokio::test]
async fn a_target_is_described_with_its_retry_policy_and_role() {
    let (events, sqs) = cloud(&["work"]);
    events.put_rule(rule("r", &json!({"source": ["s"]}))).unwrap();
    let target = json!({
        "Id": "t",
        "Arn": sqs.arn("work"),
        "RoleArn": "arn:aws:iam::000000000000:role/r",
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    });
    call(&events, "PutTargets", json!({"Rule": "r", "Targets": [target]})).await.unwrap();
    assert_eq!(call(&events, "ListTargetsByRule", json!({"Rule": "r"})).await.unwrap()["Targets"], json!([target]));
    let many: Vec<_> = (0..6).map(|n| json!({"Id": n.to_string(), "Arn": sqs.arn("work")})).collect();
    assert_eq!(refused(&events, "PutTargets", json!({"Rule": "r", "Targets": many})).await.0, "LimitExceededException");
}

#[tokio::test]
async fn a_target_that_cannot_be_is_refused() {
    let (events, sqs) = cloud(&["work"]);
    events.put_rule(rule("r", &json!({"source": ["s"]}))).unwrap();
    let queue = sqs.arn("work");
    let rows = [
        (json!({"Arn": "arn:aws:sns:eu-west-1:000000000000:t.fifo"}), "FIFO topics"),
        (
            json!({"Arn": "arn:aws:events:eu-west-1:000000000000:event-bus/b", "InputPath": "$"}),
            "sends a bus the event as it is",
        ),
        (json!({"Arn": queue, "RetryPolicy": {"MaximumRetryAttempts": 186}}), "MaximumRetryAttempts must be 0 to 185"),
        (json!({"Arn": queue, "RetryPolicy": {"MaximumEventAgeInSeconds": 59}}), "must be 60 to 86400"),
        (json!({"Arn": queue, "DeadLetterConfig": {"Arn": format!("{queue}.fifo")}}), "must be a standard queue"),
    ];
    for (mut target, words) in rows {
        target["Id"] = json!("1");
        let (code, message) = refused(&events, "PutTargets", json!({"Rule": "r", "Targets": [target]})).await;
        assert!(code == "ValidationException" && message.contains(words), "{target}: {code}: {message}");
    }
}
