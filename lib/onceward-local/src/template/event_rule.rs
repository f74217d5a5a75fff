//! Events of a function that SAM turns into rules and schedules with the function as their target.
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html>

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    document::Resource,
    intrinsics::Resolver,
    names,
    node::{Key, Node},
    properties::Properties,
    resources::{rule, schedule},
    stack::{Queue, Rule, Stack},
};
use crate::{
    events::{DEFAULT_BUS, Target},
    retry::RetryPolicy,
};

/// Types of events that are read here.
const KINDS: [&str; 4] = ["Schedule", "EventBridgeRule", "CloudWatchEvent", "ScheduleV2"];

/// Length of a target's id.
const TARGET_ID_MAX_CHARS: usize = 64;

/// Parts of a schedule that SAM hands on as they are.
const SAME: [&str; 8] = [
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "FlexibleTimeWindow",
    "State",
    "Description",
    "GroupName",
];

/// Whether the event is of a type that is read here.
pub(super) fn handles(event: &Node) -> bool {
    event.get("Type").and_then(Node::as_text).is_some_and(|kind| KINDS.contains(&kind))
}

/// One event of a function.
struct Event<'a> {
    properties: Properties<'a>,
    /// `{function}{event}`: what SAM names the resources that it makes of it.
    logical_id: String,
    function_arn: String,
}

/// Adds what the function's events make to the stack.
pub(super) fn read(resolver: &Resolver<'_>, resource: &Resource, stack: &mut Stack) {
    let Some(events) = resource.properties.get("Events") else { return };
    let Ok(name) = names::physical_name(resolver, resource, resource.line, &resource.id) else { return };
    let place = format!("{}.Events", resource.id);
    let entries: Vec<(Key, Node)> = Properties::new(resolver, events, &place).into_entries();
    for (key, node) in entries.into_iter().filter(|(_, node)| handles(node)) {
        let event = Properties::new(resolver, &node, format!("{place}.{}", key.name));
        event.require("Properties");
        let kind = event.text("Type").unwrap_or_default();
        if let Some(properties) = event.nested("Properties") {
            let function_arn = resolver.account.arn("lambda", &format!("function:{name}"));
            let logical_id = format!("{}{}", resource.id, key.name);
            let event = Event { properties, logical_id, function_arn };
            match kind.as_str() {
                "Schedule" => event.scheduled_rule(stack),
                "ScheduleV2" => event.schedule(stack),
                _ => event.pattern_rule(stack),
            }
        }
        event.finish();
    }
}

impl Event<'_> {
    fn scheduled_rule(self, stack: &mut Stack) {
        let properties = &self.properties;
        properties.require("Schedule");
        let schedule = rule::schedule(properties, "Schedule");
        properties.irrelevant(&["Description", "RoleArn"]);
        self.rule(stack, "Name", DEFAULT_BUS.to_owned(), Value::Null, schedule);
    }

    fn pattern_rule(self, stack: &mut Stack) {
        let properties = &self.properties;
        properties.require("Pattern");
        let pattern = properties.json("Pattern").unwrap_or(Value::Null);
        let bus = properties.text("EventBusName").unwrap_or_else(|| DEFAULT_BUS.to_owned());
        let bus = names::bus_name(&bus).to_owned();
        if bus != DEFAULT_BUS && !stack.buses.iter().any(|known| known.name == bus) {
            properties.fault("EventBusName", format!("`{bus}` is not a bus of this template"));
        }
        self.rule(stack, "RuleName", bus, pattern, None);
    }

    fn rule(self, stack: &mut Stack, name: &'static str, bus: String, pattern: Value, schedule: Option<String>) {
        let properties = &self.properties;
        let name =
            properties.text(name).unwrap_or_else(|| format!("{}-{}", properties.resolver.stack_name, self.logical_id));
        let disabled = properties.one_of("State", &["ENABLED", "DISABLED"]) == Some("DISABLED")
            || properties.boolean("Enabled") == Some(false);
        let id = properties.nested("Target").and_then(|target| {
            let id = target.required_text("Id");
            target.finish();
            id
        });
        let generated = || format!("{}LambdaTarget", self.logical_id).chars().take(TARGET_ID_MAX_CHARS).collect();
        let target = Target {
            id: id.unwrap_or_else(generated),
            arn: self.function_arn.clone(),
            dead_letter_arn: self.dead_letter_arn(stack),
            input: rule::input(properties),
            retry_policy: rule::retry_policy(properties),
            ..Target::default()
        };
        self.properties.finish();
        stack.rules.push(Rule {
            logical_id: self.logical_id,
            name,
            bus,
            pattern,
            schedule,
            enabled: !disabled,
            targets: vec![target],
        });
    }

    fn schedule(self, stack: &mut Stack) {
        let properties = &self.properties;
        properties.require("ScheduleExpression");
        let mut members: Map<String, Value> =
            SAME.iter().filter_map(|name| Some(((*name).to_owned(), properties.json(name)?))).collect();
        members.entry("FlexibleTimeWindow").or_insert_with(|| json!({"Mode": "OFF"}));
        let name = properties.text("Name").unwrap_or_else(|| self.logical_id.clone());
        members.insert("Name".to_owned(), json!(name));
        let (account, stack_name) = (&properties.resolver.account.id, properties.resolver.stack_name);
        let generated = || format!("arn:aws:iam::{account}:role/{stack_name}-{}Role", self.logical_id);
        let mut target = json!({
            "Arn": self.function_arn,
            "RoleArn": properties.text("RoleArn").unwrap_or_else(generated),
        });
        if let Some(input) = properties.text("Input") {
            target["Input"] = json!(input);
        }
        if let Some(arn) = self.dead_letter_arn(stack) {
            target["DeadLetterConfig"] = json!({"Arn": arn});
        }
        let RetryPolicy { attempts_max, age_max_seconds } = rule::retry_policy(properties);
        if let Some(attempts) = attempts_max {
            target["RetryPolicy"]["MaximumRetryAttempts"] = json!(attempts);
        }
        if let Some(age) = age_max_seconds {
            target["RetryPolicy"]["MaximumEventAgeInSeconds"] = json!(age);
        }
        members.insert("Target".to_owned(), target);
        stack.schedules.extend(schedule::from(properties, members, stack));
        properties.irrelevant(&["PermissionsBoundary", "KmsKeyArn", "OmitName"]);
        self.properties.finish();
    }

    /// `DeadLetterConfig`: a queue's ARN, or `Type: SQS` for a queue that SAM makes.
    fn dead_letter_arn(&self, stack: &mut Stack) -> Option<String> {
        let config = self.properties.nested("DeadLetterConfig")?;
        let arn = if config.one_of("Type", &["SQS"]).is_some() {
            let id = config.text("QueueLogicalId").unwrap_or_else(|| format!("{}Queue", self.logical_id));
            let name = format!("{}-{id}", config.resolver.stack_name);
            let arn = config.resolver.account.arn("sqs", &name);
            stack.queues.push(Queue { logical_id: id, name, attributes: BTreeMap::new() });
            Some(arn)
        } else {
            rule::queue_arn(&config, "Arn", stack)
        };
        config.irrelevant(&["QueueLogicalId"]);
        config.finish();
        arn
    }
}
