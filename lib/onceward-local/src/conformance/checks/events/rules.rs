//! Making and changing buses, rules and targets.

use serde_json::{Value, json};

use super::{GUIDE, SERVICE};
use crate::conformance::behaviour::{Behaviour, List, Outcome, same};
use crate::conformance::request::{EVENTS, Request};
use crate::conformance::resources::text;
use crate::conformance::session::Session;

const PUT_RULE: &str = "APIReference/API_PutRule.html";

pub(super) fn behaviours() -> Vec<Behaviour> {
    List::new(SERVICE, GUIDE)
        .add(
            "bus-twice",
            "Creating a bus again is refused with ResourceAlreadyExistsException",
            "APIReference/API_CreateEventBus.html",
            bus_twice,
        )
        .add(
            "default-bus-stays",
            "The default bus cannot be deleted",
            "APIReference/API_DeleteEventBus.html",
            default_bus_stays,
        )
        .add("rule-needs-cause", "A rule needs a pattern or a schedule", PUT_RULE, rule_needs_cause)
        .add("rule-update", "PutRule on a rule that exists changes it and keeps its targets", PUT_RULE, rule_update)
        .add(
            "unknown-bus",
            "A rule on a bus that does not exist is refused with ResourceNotFoundException",
            PUT_RULE,
            unknown_bus,
        )
        .add(
            "unknown-rule",
            "Describing a rule that does not exist is refused with ResourceNotFoundException",
            "APIReference/API_DescribeRule.html",
            unknown_rule,
        )
        .add(
            "rule-names",
            "A rule's name has up to 64 letters, digits, periods, underscores and hyphens: ValidationException",
            "APIReference/API_DescribeRule.html",
            rule_names,
        )
        .add(
            "delete-with-targets",
            "A rule that has targets cannot be deleted: ValidationException",
            "APIReference/API_DeleteRule.html",
            delete_with_targets,
        )
        .add(
            "five-targets",
            "A rule has at most 5 targets: LimitExceededException",
            "userguide/eb-quota.html",
            five_targets,
        )
        .add(
            "targets-of-rule",
            "ListTargetsByRule answers the targets, RemoveTargets removes them",
            "APIReference/API_ListTargetsByRule.html",
            targets_of_rule,
        )
        .add(
            "rules-of-target",
            "ListRuleNamesByTarget names the rules of a bus that have a target",
            "APIReference/API_ListRuleNamesByTarget.html",
            rules_of_target,
        )
        .add("list-rules", "ListRules answers by prefix, in pages", "APIReference/API_ListRules.html", list_rules)
        .add("schedule-default-bus", "Schedules are rules of the default bus only", PUT_RULE, schedule_default_bus)
        .add(
            "schedule-expressions",
            "A schedule that is no valid rate or cron is refused with ValidationException",
            "userguide/eb-scheduled-rule-pattern.html",
            schedule_expressions,
        )
        .add("rule-tags", "Tags are added, listed and removed", "APIReference/API_TagResource.html", tags)
        .done()
}

async fn bus_twice(session: Session) -> Outcome {
    let bus = session.bus().await?;
    session.refuse(EVENTS, "CreateEventBus", json!({"Name": bus}), "ResourceAlreadyExistsException").await.map(drop)
}

async fn default_bus_stays(session: Session) -> Outcome {
    let reply = session.send(Request::json(EVENTS, "DeleteEventBus", &json!({"Name": "default"}))).await?;
    reply.refusal(&[]).map(drop)
}

async fn rule_needs_cause(session: Session) -> Outcome {
    let rule = json!({"Name": session.name()});
    session.refuse(EVENTS, "PutRule", rule, "ValidationException").await.map(drop)
}

async fn rule_update(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let rule = session.rule(&bus, &json!({"source": ["other"]}), &[json!({"Arn": queue.arn})]).await?;
    let pattern = json!({"source": ["conformance"]}).to_string();
    let update = json!({"Name": rule, "EventBusName": bus, "EventPattern": pattern, "Description": "changed"});
    session.call(EVENTS, "PutRule", update).await?;
    let described = session.call(EVENTS, "DescribeRule", json!({"Name": rule, "EventBusName": bus})).await?;
    same("Description", text(&described["Description"]), "changed")?;
    session.put_event(&bus, &json!({})).await?;
    queue.next().await.map(drop)
}

async fn unknown_bus(session: Session) -> Outcome {
    let pattern = json!({"source": ["x"]}).to_string();
    let rule = json!({"Name": session.name(), "EventBusName": session.name(), "EventPattern": pattern});
    session.refuse(EVENTS, "PutRule", rule, "ResourceNotFoundException").await.map(drop)
}

async fn unknown_rule(session: Session) -> Outcome {
    let named = json!({"Name": session.name()});
    session.refuse(EVENTS, "DescribeRule", named, "ResourceNotFoundException").await?;
    let targets =
        json!({"Rule": session.name(), "Targets": [{"Id": "t", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}]});
    session.refuse(EVENTS, "PutTargets", targets, "ResourceNotFoundException").await.map(drop)
}

async fn delete_with_targets(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let rule = session.rule(&bus, &json!({"source": ["x"]}), &[json!({"Arn": queue.arn})]).await?;
    let named = json!({"Name": rule, "EventBusName": bus});
    session.refuse(EVENTS, "DeleteRule", named, "ValidationException").await.map(drop)
}

async fn five_targets(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let rule = session.rule(&bus, &json!({"source": ["x"]}), &vec![json!({"Arn": queue.arn}); 5]).await?;
    let targets = json!([{"Id": "sixth", "Arn": queue.arn}]);
    let request = json!({"Rule": rule, "EventBusName": bus, "Targets": targets});
    session.refuse(EVENTS, "PutTargets", request, "LimitExceededException").await.map(drop)
}

async fn targets_of_rule(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let rule = session.rule(&bus, &json!({"source": ["x"]}), &[json!({"Arn": queue.arn, "Input": "{}"})]).await?;
    let named = json!({"Rule": rule, "EventBusName": bus});
    let listed = session.call(EVENTS, "ListTargetsByRule", named.clone()).await?;
    same("Targets", &listed["Targets"], &json!([{"Id": "target-0", "Arn": queue.arn, "Input": "{}"}]))?;
    let remove = json!({"Rule": rule, "EventBusName": bus, "Ids": ["target-0"]});
    session.call(EVENTS, "RemoveTargets", remove).await?;
    let listed = session.call(EVENTS, "ListTargetsByRule", named).await?;
    same("Targets", listed["Targets"].as_array().map(Vec::len), Some(0))
}

async fn rule_names(session: Session) -> Outcome {
    for name in [String::new(), "has a space".to_owned(), "x".repeat(65)] {
        session.refuse(EVENTS, "DescribeRule", json!({"Name": name}), "ValidationException").await?;
    }
    Ok(())
}

async fn rules_of_target(session: Session) -> Outcome {
    let (bus, queue) = (session.bus().await?, session.queue(json!({})).await?);
    let rule = session.rule(&bus, &json!({"source": ["x"]}), &[json!({"Arn": queue.arn})]).await?;
    session.rule(&bus, &json!({"source": ["x"]}), &[]).await?;
    let request = json!({"TargetArn": queue.arn, "EventBusName": bus});
    let answer = session.call(EVENTS, "ListRuleNamesByTarget", request).await?;
    same("RuleNames", &answer["RuleNames"], &json!([rule]))
}

async fn list_rules(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(session.rule(&bus, &json!({"source": ["x"]}), &[]).await?);
    }
    let mut request = json!({"EventBusName": bus, "NamePrefix": session.prefix(), "Limit": 2});
    let first = session.call(EVENTS, "ListRules", request.clone()).await?;
    let names = |answer: &Value| -> Vec<String> {
        answer["Rules"].as_array().into_iter().flatten().map(|rule| text(&rule["Name"])).collect()
    };
    same("rules of the first page", names(&first).len(), 2)?;
    request["NextToken"] = first["NextToken"].clone();
    let second = session.call(EVENTS, "ListRules", request).await?;
    let mut all = [names(&first), names(&second)].concat();
    all.sort();
    same("the rules of both pages", all, made)
}

async fn schedule_default_bus(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let rule = json!({"Name": session.name(), "EventBusName": bus, "ScheduleExpression": "rate(5 minutes)"});
    session.refuse(EVENTS, "PutRule", rule, "ValidationException").await.map(drop)
}

async fn schedule_expressions(session: Session) -> Outcome {
    for expression in ["rate(5 minutes)", "rate(1 hour)", "cron(0 12 * * ? *)", "cron(15 10 ? * 6L 2022-2035)"] {
        let name = session.name();
        // Disabled: nothing must happen because of it.
        let rule = json!({"Name": name, "ScheduleExpression": expression, "State": "DISABLED"});
        session.call(EVENTS, "PutRule", rule).await?;
        session.clean_up_with(Request::json(EVENTS, "DeleteRule", &json!({"Name": name})));
    }
    let invalid =
        ["rate(1 minutes)", "rate(5 minute)", "rate(0 minutes)", "cron(0 12 * * * *)", "cron(0 12 * * ?)", "every day"];
    for expression in invalid {
        let rule = json!({"Name": session.name(), "ScheduleExpression": expression, "State": "DISABLED"});
        session.refuse(EVENTS, "PutRule", rule, "ValidationException").await?;
    }
    Ok(())
}

async fn tags(session: Session) -> Outcome {
    let bus = session.bus().await?;
    let rule = session.rule(&bus, &json!({"source": ["x"]}), &[]).await?;
    let described = session.call(EVENTS, "DescribeRule", json!({"Name": rule, "EventBusName": bus})).await?;
    let arn = &described["Arn"];
    let tags = json!([{"Key": "team", "Value": "orders"}, {"Key": "stage", "Value": "test"}]);
    session.call(EVENTS, "TagResource", json!({"ResourceARN": arn, "Tags": tags})).await?;
    session.call(EVENTS, "UntagResource", json!({"ResourceARN": arn, "TagKeys": ["stage"]})).await?;
    let listed = session.call(EVENTS, "ListTagsForResource", json!({"ResourceARN": arn})).await?;
    same("Tags", &listed["Tags"], &json!([{"Key": "team", "Value": "orders"}]))
}
