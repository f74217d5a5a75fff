//! When schedules are due, what their targets get, and what becomes of failures.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Bench, schedule, start, text};

const NONE: Value = Value::Null;

#[tokio::test(start_paused = true)]
async fn a_one_time_schedule_is_due_once_and_stays_unless_it_says_otherwise() {
    let bench = Bench::new(&["work"]);
    let once = schedule("at(2026-01-01T09:00:00)", "work", &json!({}));
    bench.ok("POST", "/schedules/stays", once).await;
    let delete = json!({"ActionAfterCompletion": "DELETE", "ScheduleExpressionTimezone": "America/New_York"});
    bench.ok("POST", "/schedules/goes", schedule("at(2026-01-01T05:00:00)", "work", &delete)).await;
    assert_eq!(bench.arrives("work").await.body, "2026-01-01T09:00:00Z");
    assert_eq!(bench.arrives("work").await.body, "2026-01-01T10:00:00Z", "New York's clocks are five hours behind");
    sleep(Duration::from_hours(48)).await;
    assert!(bench.receive("work").await.is_none());
    assert_eq!(bench.ok("GET", "/schedules/stays", NONE).await["State"], "ENABLED");
    assert_eq!(bench.refused("GET", "/schedules/goes", NONE).await.1, "ResourceNotFoundException");
}

#[tokio::test(start_paused = true)]
async fn a_rate_begins_at_once_or_at_its_start_date_and_ends_at_its_end_date() {
    let bench = Bench::new(&["now", "later"]);
    bench.ok("POST", "/schedules/now", schedule("rate(1 minutes)", "now", &json!({}))).await;
    assert_eq!(bench.arrives("now").await.body, "2026-01-01T00:00:30Z");
    assert_eq!(bench.arrives("now").await.body, "2026-01-01T00:01:30Z");
    let dates = json!({
        "StartDate": start().timestamp() + 3_600,
        "EndDate": start().timestamp() + 3_600 + 60,
        "ActionAfterCompletion": "DELETE",
    });
    bench.ok("POST", "/schedules/later", schedule("rate(1 minutes)", "later", &dates)).await;
    assert_eq!(bench.arrives("later").await.body, "2026-01-01T01:00:30Z");
    bench.ok("GET", "/schedules/later", NONE).await;
    assert_eq!(bench.arrives("later").await.body, "2026-01-01T01:01:30Z");
    sleep(Duration::from_hours(1)).await;
    assert!(bench.receive("later").await.is_none());
    assert_eq!(bench.refused("GET", "/schedules/later", NONE).await.0, 404, "its last invocation is over");
}

#[tokio::test(start_paused = true)]
async fn a_cron_expression_follows_the_time_zone() {
    let bench = Bench::new(&["work"]);
    let berlin = json!({"ScheduleExpressionTimezone": "Europe/Berlin"});
    bench.ok("POST", "/schedules/morning", schedule("cron(0 9 * * ? *)", "work", &berlin)).await;
    assert_eq!(bench.arrives("work").await.body, "2026-01-01T08:00:00Z");
    assert_eq!(bench.arrives("work").await.body, "2026-01-02T08:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn a_flexible_window_invokes_within_it_and_tells_the_time_it_was_due() {
    let bench = Bench::new(&["work"]);
    let window = json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}});
    let began = Instant::now();
    bench.ok("POST", "/schedules/some", schedule("at(2026-01-01T01:00:00)", "work", &window)).await;
    assert_eq!(bench.arrives("work").await.body, "2026-01-01T01:00:00Z");
    let took = began.elapsed().as_secs();
    assert!((3_570..=3_570 + 901).contains(&took), "{took} s");
}

#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_off_or_deleted_invokes_nothing() {
    let bench = Bench::new(&["off", "gone"]);
    let off = json!({"State": "DISABLED"});
    bench.ok("POST", "/schedules/off", schedule("rate(1 minutes)", "off", &off)).await;
    bench.ok("POST", "/schedules/gone", schedule("at(2026-01-01T01:00:00)", "gone", &json!({}))).await;
    bench.ok("DELETE", "/schedules/gone", NONE).await;
    sleep(Duration::from_hours(2)).await;
    assert!(bench.receive("off").await.is_none() && bench.receive("gone").await.is_none());
    bench.ok("PUT", "/schedules/off", schedule("rate(1 minutes)", "off", &json!({}))).await;
    assert_eq!(bench.arrives("off").await.body, "2026-01-01T02:01:30Z");
}

#[tokio::test(start_paused = true)]
async fn a_target_gets_its_input_or_a_notification() {
    let bench = Bench::new(&["work"]);
    let input = r#"{"arn":"<aws.scheduler.schedule-arn>","n":<aws.scheduler.attempt-number>,"id":"<aws.scheduler.execution-id>"}"#;
    let input = json!({"Target": {"Input": input}});
    bench.ok("POST", "/schedules/s", schedule("at(2026-01-01T00:01:00)", "work", &input)).await;
    let body: Value = serde_json::from_str(&bench.arrives("work").await.body).unwrap();
    let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/s";
    assert_eq!((&body["arn"], &body["n"]), (&json!(arn), &json!(1)));
    assert!(!body["id"].as_str().unwrap().is_empty());

    let mut plain = schedule("at(2026-01-01T00:02:00)", "work", &json!({}));
    plain["Target"].as_object_mut().unwrap().remove("Input");
    bench.ok("PUT", "/schedules/s", plain).await;
    let body: Value = serde_json::from_str(&bench.arrives("work").await.body).unwrap();
    assert_eq!((&body["source"], &body["detail-type"]), (&json!("aws.scheduler"), &json!("Scheduled Event")));
    assert_eq!((&body["time"], &body["resources"]), (&json!("2026-01-01T00:02:00Z"), &json!([arn])));
}

#[tokio::test(start_paused = true)]
async fn a_bus_and_a_topic_are_targets() {
    let bench = Bench::new(&["work"]);
    let topic = bench.services.sns.create_topic("news").unwrap();
    bench.services.sns.subscribe(&topic, &bench.services.sqs.arn("work"), true).unwrap();
    let rule = crate::events::Rule {
        name: "r".to_owned(),
        pattern: Some(r#"{"source":["shop"],"detail-type":["Closing"]}"#.to_owned()),
        ..crate::events::Rule::default()
    };
    bench.services.events.put_rule(rule).unwrap();
    let queue = crate::events::Target { id: "q".to_owned(), arn: bench.services.sqs.arn("work"), ..Default::default() };
    bench.services.events.put_target("", "r", queue).unwrap();
    let to_topic = json!({"Target": {"Arn": topic}});
    bench.ok("POST", "/schedules/topic", schedule("at(2026-01-01T00:01:00)", "work", &to_topic)).await;
    assert_eq!(bench.arrives("work").await.body, "2026-01-01T00:01:00Z");
    let to_bus = json!({"Target": {
        "Arn": "arn:aws:events:eu-west-1:000000000000:event-bus/default",
        "Input": r#"{"day":1}"#,
        "EventBridgeParameters": {"Source": "shop", "DetailType": "Closing"},
    }});
    bench.ok("POST", "/schedules/bus", schedule("at(2026-01-01T00:02:00)", "work", &to_bus)).await;
    let event: Value = serde_json::from_str(&bench.arrives("work").await.body).unwrap();
    assert_eq!((&event["source"], &event["detail"]), (&json!("shop"), &json!({"day": 1})));
    assert_eq!(event["resources"], json!(["arn:aws:scheduler:eu-west-1:000000000000:schedule/default/bus"]));
}

#[tokio::test(start_paused = true)]
async fn an_invocation_that_fails_for_good_goes_to_the_dead_letter_queue() {
    let bench = Bench::new(&["dead"]);
    let dead = json!({"ActionAfterCompletion": "DELETE", "Target": {
        "RetryPolicy": {"MaximumRetryAttempts": 0},
        "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:000000000000:dead"},
    }});
    bench.ok("POST", "/schedules/s", schedule("at(2026-01-01T00:01:00)", "nowhere", &dead)).await;
    let message = bench.arrives("dead").await;
    assert_eq!(message.body, "2026-01-01T00:01:00Z", "what the target would have got");
    let expected = [
        ("ERROR_CODE", "AWS.SimpleQueueService.NonExistentQueue"),
        ("EXHAUSTED_RETRY_CONDITION", "MaximumRetryAttempts"),
        ("IS_PAYLOAD_TRUNCATED", "false"),
        ("RETRY_ATTEMPTS", "0"),
        ("SCHEDULED_TIME", "2026-01-01T00:01:00Z"),
        ("SCHEDULE_ARN", "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/s"),
        ("TARGET_ARN", "arn:aws:sqs:eu-west-1:000000000000:nowhere"),
    ];
    for (name, value) in expected {
        assert_eq!(text(&message, name), value, "{name}");
    }
    assert!(!text(&message, "ERROR_MESSAGE").is_empty() && !text(&message, "EXECUTION_ID").is_empty());
    assert_eq!(bench.refused("GET", "/schedules/s", NONE).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_not_available_is_tried_again() {
    let bench = Bench::new(&["work"]);
    let input = json!({"Target": {"Input": "<aws.scheduler.attempt-number>"}});
    bench.ok("POST", "/schedules/s", schedule("at(2026-01-01T00:01:00)", "work", &input)).await;
    bench.services.destinations.disconnect();
    sleep(Duration::from_mins(5)).await;
    bench.services.destinations.connect(bench.services.clone());
    let attempt: u32 = bench.arrives("work").await.body.parse().unwrap();
    assert!(attempt > 3, "{attempt}");
    bench.ok("PUT", "/schedules/s", schedule("rate(1 minutes)", "work", &input)).await;
    bench.services.scheduler.stop();
    sleep(Duration::from_hours(1)).await;
    assert!(bench.receive("work").await.is_none(), "schedules end with the cloud");
}
