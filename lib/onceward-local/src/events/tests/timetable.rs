//! Rules with a schedule.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::{arrives, call, cloud, receive, refused, target, timed_cloud};
use crate::endpoint::Services;
use crate::events::{EventBridge, Rule};

fn scheduled(events: &EventBridge, name: &str, expression: &str, target_arn: &str) -> String {
    let rule = Rule { name: name.to_owned(), schedule: Some(expression.to_owned()), ..Rule::default() };
    let arn = events.put_rule(rule).unwrap();
    events.put_target("", name, target(target_arn)).unwrap();
    arn
}

/// The next event's time, as the event itself says.
async fn next_time(services: &Services, queue: &str) -> String {
    let message = timeout(Duration::from_hours(48), arrives(&services.sqs, queue)).await.expect("it is due");
    services.sqs.delete(queue, &message.receipt_handle).unwrap();
    let event: Value = serde_json::from_str(&message.body).unwrap();
    event["time"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_rate_sends_scheduled_events() {
    let services = timed_cloud(&["work"]);
    let arn = scheduled(&services.events, "tick", "rate(5 minutes)", &services.sqs.arn("work"));
    sleep(Duration::from_secs(299)).await;
    assert!(receive(&services.sqs, "work").await.is_empty());
    let message = arrives(&services.sqs, "work").await;
    let event: Value = serde_json::from_str(&message.body).unwrap();
    let expected = json!({
        "version": "0",
        "id": event["id"],
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-01-01T00:05:30Z",
        "region": "eu-west-1",
        "resources": [arn],
        "detail": {},
    });
    assert_eq!(event, expected);
    assert_eq!(next_time(&services, "work").await, "2026-01-01T00:10:30Z");
}

#[tokio::test(start_paused = true)]
async fn a_cron_expression_is_due_in_utc_to_the_minute() {
    let services = timed_cloud(&["work"]);
    scheduled(&services.events, "morning", "cron(15 10 ? * MON-FRI *)", &services.sqs.arn("work"));
    assert_eq!(next_time(&services, "work").await, "2026-01-01T10:15:00Z");
    assert_eq!(next_time(&services, "work").await, "2026-01-02T10:15:00Z");
}

#[tokio::test(start_paused = true)]
async fn schedules_follow_their_rules() {
    let services = timed_cloud(&["slow", "fast"]);
    let Services { events, sqs, .. } = &services;
    scheduled(events, "slow", "rate(1 hour)", &sqs.arn("slow"));
    scheduled(events, "fast", "rate(1 minute)", &sqs.arn("fast"));
    assert_eq!(next_time(&services, "fast").await, "2026-01-01T00:01:30Z", "an earlier rule that is put later");
    call(events, "DisableRule", json!({"Name": "fast"})).await.unwrap();
    assert_eq!(next_time(&services, "slow").await, "2026-01-01T01:00:30Z");
    assert!(receive(sqs, "fast").await.is_empty(), "a disabled rule is not due");
    call(events, "EnableRule", json!({"Name": "fast"})).await.unwrap();
    assert!(next_time(&services, "fast").await.starts_with("2026-01-01T01:01:3"), "a rate begins anew");
    call(events, "RemoveTargets", json!({"Rule": "fast", "Ids": ["1"]})).await.unwrap();
    call(events, "DeleteRule", json!({"Name": "fast"})).await.unwrap();
    assert_eq!(next_time(&services, "slow").await, "2026-01-01T02:00:30Z");
    assert!(receive(sqs, "fast").await.is_empty(), "nor is one that is gone");
}

#[tokio::test]
async fn schedule_expressions_are_checked() {
    let (events, _sqs) = cloud(&[]);
    events.create_bus("shop").unwrap();
    for expression in
        ["rate(5 minute)", "rate(1 minutes)", "cron(0 10 * * * *)", "cron(0 10 * *)", "at(2026-01-01T00:00:00)"]
    {
        let put = json!({"Name": "r", "ScheduleExpression": expression});
        let expected = ("ValidationException".to_owned(), "Parameter ScheduleExpression is not valid.".to_owned());
        assert_eq!(refused(&events, "PutRule", put).await, expected, "{expression}");
    }
    let put = json!({"Name": "r", "EventBusName": "shop", "ScheduleExpression": "rate(5 minutes)"});
    let (_, message) = refused(&events, "PutRule", put).await;
    assert_eq!(message, "ScheduleExpression is supported only on the default event bus.");
    let (_, message) = refused(&events, "PutRule", json!({"Name": "r"})).await;
    assert_eq!(message, "Parameter(s) EventPattern or ScheduleExpression must be specified.");

    let both = json!({"Name": "r", "ScheduleExpression": "rate(5 minutes)", "EventPattern": r#"{"source":["s"]}"#});
    call(&events, "PutRule", both.clone()).await.unwrap();
    let described = call(&events, "DescribeRule", json!({"Name": "r"})).await.unwrap();
    assert_eq!(described["ScheduleExpression"], both["ScheduleExpression"]);
    assert_eq!(described["EventPattern"], both["EventPattern"]);
}
