use serde_json::Value;

use super::{bus, queue};
use crate::{
    destination::service,
    events::{DEFAULT_BUS, Input, Target},
    retry::{EVENT_AGE_MAX_SECONDS, EVENT_AGE_MIN_SECONDS, RETRY_ATTEMPTS_MAX, RetryPolicy},
    schedule::Expression,
    template::{
        document::Resource,
        names,
        node::{Data, Node},
        properties::Properties,
        stack::{Rule, Stack},
    },
};

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html>
pub(super) fn read(properties: Properties<'_>, resource: &Resource, stack: &Stack) -> Option<Rule> {
    properties.irrelevant(&["Name", "Description", "RoleArn", "Tags"]);
    let name = names::physical_name(properties.resolver, resource, resource.line, &resource.id).ok();
    let bus = properties.text("EventBusName").unwrap_or_else(|| DEFAULT_BUS.to_owned());
    let bus = names::bus_name(&bus).to_owned();
    if bus != DEFAULT_BUS && !stack.buses.iter().any(|known| known.name == bus) {
        properties.fault("EventBusName", format!("`{bus}` is not a bus of this template"));
    }
    let schedule = schedule(&properties, "ScheduleExpression");
    if schedule.is_some() && bus != DEFAULT_BUS {
        properties.fault("ScheduleExpression", "only rules of the bus `default` have a schedule");
    }
    if schedule.is_none() {
        properties.require("EventPattern");
    }
    let pattern = properties.json("EventPattern").unwrap_or(Value::Null);
    let enabled = properties.one_of("State", &["ENABLED", "DISABLED"]) != Some("DISABLED");
    let targets = targets(&properties, stack);
    properties.finish();
    Some(Rule { logical_id: resource.id.clone(), name: name?, bus, pattern, schedule, enabled, targets })
}

/// A schedule expression of a rule.
pub(in crate::template) fn schedule(properties: &Properties<'_>, name: &'static str) -> Option<String> {
    let text = properties.text(name)?;
    if Expression::of_rule(&text).is_none() {
        properties
            .fault(name, format!("`{text}` is not a schedule expression: `rate(5 minutes)`, `cron(0 10 * * ? *)`"));
    }
    Some(text)
}

fn targets(properties: &Properties<'_>, stack: &Stack) -> Vec<Target> {
    properties.require("Targets");
    let Some(Node { data: Data::List(items), .. }) = properties.raw("Targets") else {
        return Vec::new();
    };
    let read = |(index, node): (usize, &Node)| {
        let target = Properties::new(properties.resolver, node, properties.place_of(&format!("Targets[{index}]")));
        read_target(target, stack)
    };
    items.iter().enumerate().filter_map(read).collect()
}

fn read_target(target: Properties<'_>, stack: &Stack) -> Option<Target> {
    let id = target.required_text("Id");
    let arn = target_arn(&target, "Arn", stack);
    let dead_letter_arn = target.nested("DeadLetterConfig").and_then(|config| {
        let arn = queue_arn(&config, "Arn", stack);
        config.finish();
        arn
    });
    let message_group_id = target.nested("SqsParameters").and_then(|parameters| {
        let group = parameters.required_text("MessageGroupId");
        parameters.finish();
        group
    });
    let input = input(&target);
    let retry_policy = retry_policy(&target);
    target.irrelevant(&["RoleArn"]);
    target.finish();
    Some(Target { id: id?, arn: arn?, dead_letter_arn, input, message_group_id, retry_policy, ..Target::default() })
}

/// `RetryPolicy`.
pub(in crate::template) fn retry_policy(target: &Properties<'_>) -> RetryPolicy {
    let Some(policy) = target.nested("RetryPolicy") else { return RetryPolicy::default() };
    let ages = i64::from(EVENT_AGE_MIN_SECONDS)..=i64::from(EVENT_AGE_MAX_SECONDS);
    let read = RetryPolicy {
        attempts_max: policy.number("MaximumRetryAttempts", 0..=i64::from(RETRY_ATTEMPTS_MAX)),
        age_max_seconds: policy.number("MaximumEventAgeInSeconds", ages),
    };
    policy.finish();
    read
}

/// At most one of the three ways to shape what a target receives.
pub(in crate::template) fn input(target: &Properties<'_>) -> Option<Input> {
    let constant = target.text("Input").map(Input::Constant);
    let path = target.text("InputPath").map(Input::Path);
    let transformer = target.nested("InputTransformer").and_then(|transformer| {
        let paths = transformer.texts("InputPathsMap");
        let template = transformer.required_text("InputTemplate");
        transformer.finish();
        Some(Input::Transformer { paths, template: template? })
    });
    let mut given = [constant, path, transformer].into_iter().flatten();
    let first = given.next();
    if given.next().is_some() {
        target.fault("Id", "a target takes one of Input, InputPath and InputTransformer");
    }
    first
}

/// The ARN of a queue, function, topic or bus of this template.
pub(in crate::template) fn target_arn(
    properties: &Properties<'_>,
    name: &'static str,
    stack: &Stack,
) -> Option<String> {
    let arn = properties.required_text(name)?;
    let known = match service(&arn) {
        Some("sqs") => queue::by_arn(stack, &arn).is_some(),
        Some("sns") => stack.topics.iter().any(|topic| arn.ends_with(&format!(":{}", topic.name))),
        Some("events") => bus::is_bus(stack, &arn),
        Some("lambda") => is_function(properties, &arn),
        _ => false,
    };
    if !known {
        properties.fault(name, format!("`{arn}` is not a queue, function, topic or bus of this template"));
    }
    Some(arn)
}

/// Functions are read later: what counts is that they are declared.
fn is_function(properties: &Properties<'_>, arn: &str) -> bool {
    let resolver = properties.resolver;
    let mut functions = resolver.document.resources.iter().filter(|it| it.kind == "AWS::Serverless::Function");
    functions.any(|function| {
        let name = names::physical_name(resolver, function, function.line, &function.id);
        name.is_ok_and(|name| arn == resolver.account.arn("lambda", &format!("function:{name}")))
    })
}

/// The ARN of a queue of this template.
pub(in crate::template) fn queue_arn(properties: &Properties<'_>, name: &'static str, stack: &Stack) -> Option<String> {
    let arn = properties.required_text(name)?;
    if queue::by_arn(stack, &arn).is_none() {
        properties.fault(name, format!("`{arn}` is not a queue of this template"));
    }
    Some(arn)
}
