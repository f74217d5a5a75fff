//! Targets, and what happens to an event that cannot be delivered.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, holds, same};
use crate::conformance::request::EVENTS;
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const TARGETS: &str = "userguide/eb-targets.html";
const DEAD: &str = "userguide/eb-rule-dlq.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add("several-targets", "A rule sends an event to all of its targets", TARGETS, several)
        .add("several-rules", "All rules that match route the event", TARGETS, several_rules)
        .add(
            "fifo-target",
            "A FIFO queue as target gets the MessageGroupId of SqsParameters",
            "APIReference/API_SqsParameters.html",
            fifo,
        )
        .add("topic-target", "A topic as target passes the event on to its subscribers", TARGETS, topic)
        .add(
            "bus-target",
            "A bus as target matches the event against its own rules",
            "userguide/eb-bus-to-bus.html",
            bus_to_bus,
        )
        .add(
            "target-dead-letters",
            "An event whose target is gone goes to the target's dead-letter queue with attributes that say why",
            DEAD,
            dead_letters,
        )
        .add(
            "disabled-rule",
            "A disabled rule routes nothing until it is enabled",
            "APIReference/API_DisableRule.html",
            disabled,
        )
        .done()
}

fn all() -> Value {
    json!({"version": ["0"]})
}

async fn several(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let (one, two) = (session.queue(json!({})).await?, session.queue(json!({})).await?);
    session.rule(&bus, &all(), &[json!({"Arn": one.arn}), json!({"Arn": two.arn})]).await?;
    session.put_event(&bus, &json!({})).await?;
    same("the event", &one.next().await?["Body"], &two.next().await?["Body"])
}

async fn several_rules(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let (one, two) = (session.queue(json!({})).await?, session.queue(json!({})).await?);
    session.rule(&bus, &all(), &[json!({"Arn": one.arn})]).await?;
    session.rule(&bus, &json!({"source": ["conformance"]}), &[json!({"Arn": two.arn})]).await?;
    session.put_event(&bus, &json!({})).await?;
    same("the event", &one.next().await?["Body"], &two.next().await?["Body"])
}

async fn fifo(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.fifo_queue().await?);
    let target = json!({"Arn": queue.arn, "SqsParameters": {"MessageGroupId": "events"}});
    session.rule(&bus, &all(), &[target]).await?;
    session.put_event(&bus, &json!({})).await?;
    same("MessageGroupId", text(&queue.next().await?["Attributes"]["MessageGroupId"]), "events")
}

async fn topic(session: Session) -> Outcome {
    let (bus, queue, topic) = (session.bus().await?, session.queue(json!({})).await?, session.topic(&[]).await?);
    session.subscribe(&topic, &queue, &[("RawMessageDelivery", "true")]).await?;
    session.rule(&bus, &all(), &[json!({"Arn": topic})]).await?;
    session.put_event(&bus, &json!({"n": 1})).await?;
    let event: Value = serde_json::from_str(&text(&queue.next().await?["Body"])).unwrap_or_default();
    same("detail", &event["detail"], &json!({"n": 1}))
}

async fn bus_to_bus(session: Session) -> Outcome {
    let (first, second, queue) = (session.bus().await?, session.bus().await?, session.queue(json!({})).await?);
    let described = session.call(EVENTS, "DescribeEventBus", json!({"Name": second})).await?;
    let role = "arn:aws:iam::000000000000:role/events";
    session.rule(&first, &all(), &[json!({"Arn": described["Arn"], "RoleArn": role})]).await?;
    session.rule(&second, &json!({"source": ["conformance"]}), &[json!({"Arn": queue.arn})]).await?;
    let answer = session.put_event(&first, &json!({"n": 1})).await?;
    let event: Value = serde_json::from_str(&text(&queue.next().await?["Body"])).unwrap_or_default();
    same("detail", &event["detail"], &json!({"n": 1}))?;
    holds(answer["Entries"][0]["EventId"].is_string(), "the entry has no EventId")
}

async fn dead_letters(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let (gone, dead) = (session.queue(json!({})).await?, session.queue(json!({})).await?);
    let target = json!({
        "Arn": gone.arn, "DeadLetterConfig": {"Arn": dead.arn},
        "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
    });
    let rule = session.rule(&bus, &all(), &[target]).await?;
    gone.call("DeleteQueue", json!({})).await?;
    session.put_event(&bus, &json!({"n": 1})).await?;
    let message = dead.next().await?;
    let event: Value = serde_json::from_str(&text(&message["Body"])).unwrap_or_default();
    same("detail", &event["detail"], &json!({"n": 1}))?;
    let attribute = |name: &str| text(&message["MessageAttributes"][name]["StringValue"]);
    same("TARGET_ARN", attribute("TARGET_ARN"), gone.arn.as_str())?;
    holds(attribute("RULE_ARN").ends_with(&format!("/{rule}")), format!("RULE_ARN is {:?}", attribute("RULE_ARN")))?;
    for name in ["ERROR_CODE", "ERROR_MESSAGE"] {
        holds(!attribute(name).is_empty(), format!("the message has no attribute {name}"))?;
    }
    Ok(())
}

async fn disabled(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let rule = session.rule(&bus, &all(), &[json!({"Arn": queue.arn})]).await?;
    let named = json!({"Name": rule, "EventBusName": bus});
    session.call(EVENTS, "DisableRule", named.clone()).await?;
    session.put_event(&bus, &json!({})).await?;
    queue.stays_empty("the rule is disabled").await?;
    session.call(EVENTS, "EnableRule", named).await?;
    session.put_event(&bus, &json!({})).await?;
    queue.next().await.map(drop)
}
