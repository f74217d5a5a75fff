use super::queue;
use crate::template::{
    document::Resource,
    names,
    node::{Data, Node},
    properties::Properties,
    stack::{Bus, Rule, RuleTarget, Stack, TargetInput},
};

/// The bus that is always there.
const DEFAULT_BUS: &str = "default";

/// A bus, unless it is the one that is there already.
pub(super) fn read(properties: Properties<'_>, logical_id: String, name: String) -> Option<Bus> {
    properties.require("Name");
    properties.refuse(&["EventSourceName"], "there are no partners' buses");
    properties.irrelevant(&[
        "Name",
        "Description",
        "DeadLetterConfig",
        "KmsKeyIdentifier",
        "LogConfig",
        "Policy",
        "Tags",
    ]);
    properties.finish();
    (name != DEFAULT_BUS).then_some(Bus { logical_id, name })
}

pub(super) fn read_rule(properties: Properties<'_>, resource: &Resource, stack: &Stack) -> Option<Rule> {
    properties.refuse(&["ScheduleExpression"], "it sends no scheduled events");
    properties.irrelevant(&["Name", "Description", "RoleArn", "Tags"]);
    let name = names::physical_name(properties.resolver, resource, resource.line, &resource.id).ok();
    let bus = properties.text("EventBusName").unwrap_or_else(|| DEFAULT_BUS.to_owned());
    let bus = names::bus_name(&bus).to_owned();
    if bus != DEFAULT_BUS && !stack.buses.iter().any(|known| known.name == bus) {
        properties.fault("EventBusName", format!("`{bus}` is not a bus of this template"));
    }
    properties.require("EventPattern");
    let pattern = properties.json("EventPattern");
    let enabled = properties.one_of("State", &["ENABLED", "DISABLED"]) != Some("DISABLED");
    let targets = targets(&properties, stack);
    properties.finish();
    Some(Rule { logical_id: resource.id.clone(), name: name?, bus, pattern: pattern?, enabled, targets })
}

fn targets(properties: &Properties<'_>, stack: &Stack) -> Vec<RuleTarget> {
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

fn read_target(target: Properties<'_>, stack: &Stack) -> Option<RuleTarget> {
    let id = target.required_text("Id");
    let arn = queue_arn(&target, "Arn", stack);
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
    // Delivery to a queue in the same process does not fail for a while and then succeed.
    target.irrelevant(&["RetryPolicy", "RoleArn"]);
    target.finish();
    Some(RuleTarget { id: id?, arn: arn?, dead_letter_arn, input, message_group_id })
}

/// At most one of the three ways to shape what a target receives.
fn input(target: &Properties<'_>) -> Option<TargetInput> {
    let constant = target.text("Input").map(TargetInput::Constant);
    let path = target.text("InputPath").map(TargetInput::Path);
    let transformer = target.nested("InputTransformer").and_then(|transformer| {
        let paths = transformer.texts("InputPathsMap");
        let template = transformer.required_text("InputTemplate");
        transformer.finish();
        Some(TargetInput::Transformer { paths, template: template? })
    });
    let mut given = [constant, path, transformer].into_iter().flatten();
    let first = given.next();
    if given.next().is_some() {
        target.fault("Id", "a target takes one of Input, InputPath and InputTransformer");
    }
    first
}

/// The ARN of a queue of this template.
fn queue_arn(properties: &Properties<'_>, name: &'static str, stack: &Stack) -> Option<String> {
    let arn = properties.required_text(name)?;
    if queue::by_arn(stack, &arn).is_none() {
        let message = format!("`{arn}` is not a queue of this template: the local bus delivers to queues");
        properties.fault(name, message);
    }
    Some(arn)
}
