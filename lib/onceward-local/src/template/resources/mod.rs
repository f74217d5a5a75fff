//! One file for each service: which properties are read, which make no difference on one machine, which are refused.

mod bucket;
mod bus;
mod http_api;
mod mapping;
mod permissions;
pub(super) mod queue;
pub(super) mod rule;
pub(super) mod schedule;
mod table;
pub(super) mod topic;

use std::{cell::RefCell, collections::BTreeMap, path::Path};

use super::{
    document::{Document, Resource},
    error::Faults,
    event_rule, function, generated,
    intrinsics::Resolver,
    names, parameters,
    properties::Properties,
    stack::Stack,
};
use crate::account::Account;

/// Types that log or watch: the local cloud prints what happens. Those that grant are read by themselves.
const IRRELEVANT: [&str; 12] = [
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
];

const HTTP_API: &str = "AWS::Serverless::HttpApi";

const SUPPORTED: &str = "AWS::Serverless::Function, AWS::Serverless::HttpApi, AWS::Serverless::SimpleTable, \
     AWS::Lambda::EventSourceMapping, AWS::Lambda::EventInvokeConfig, AWS::DynamoDB::Table, AWS::SQS::Queue, \
     AWS::Events::EventBus, AWS::Events::Rule, AWS::Events::Archive, AWS::Scheduler::Schedule, \
     AWS::Scheduler::ScheduleGroup, AWS::SNS::Topic, AWS::SNS::Subscription, AWS::S3::Bucket";

/// Resolves a document. Faults are in `faults`; the stack is whole only if there are none.
pub(super) fn stack(
    document: &Document,
    directory: &Path,
    overrides: &BTreeMap<String, String>,
    (account, stack_name): (&Account, &str),
    faults: &Faults,
) -> Stack {
    let parameters = parameters::read(document, overrides, faults);
    let resolver = Resolver { document, account, stack_name, parameters, faults, underway: RefCell::default() };
    // A condition that nothing uses must hold or not as well.
    for (key, _) in &document.conditions {
        let _ = resolver.condition(&key.name, key.line, "Conditions");
    }
    let mut stack = Stack {
        description: document.description.clone(),
        metadata: document.metadata.clone(),
        parameters: resolver.parameters.clone(),
        ..Stack::default()
    };
    let present: Vec<&Resource> = document.resources.iter().filter(|resource| exists(&resolver, resource)).collect();
    for resource in &present {
        define(&resolver, resource, &mut stack);
    }
    // The API that SAM makes for events without an `ApiId` has nothing but the globals.
    if let Some(globals) = &document.http_api_globals
        && !present.iter().any(|resource| resource.kind == HTTP_API)
    {
        http_api::read(Properties::new(&resolver, globals, "Globals.HttpApi"), &mut stack);
    }
    // What names others is read after them, so that a wrong name is found here and not when it is created.
    for resource in &present {
        connect(&resolver, resource, directory, &mut stack);
    }
    for resource in present {
        mapping::attach(&resolver, resource, &mut stack);
    }
    permissions::read(&resolver, &mut stack);
    generated::check(document, faults);
    queue::dead_letters_first(&mut stack.queues);
    stack.outputs = outputs(&resolver);
    stack
}

fn exists(resolver: &Resolver<'_>, resource: &Resource) -> bool {
    resource.condition.as_ref().is_none_or(|name| resolver.condition(name, resource.line, &resource.id) == Ok(true))
}

fn define(resolver: &Resolver<'_>, resource: &Resource, stack: &mut Stack) {
    let document = resolver.document;
    let globals = match resource.kind.as_str() {
        HTTP_API => document.http_api_globals.as_ref(),
        "AWS::Serverless::SimpleTable" => document.simple_table_globals.as_ref(),
        _ => None,
    };
    let merged = globals.map(|globals| function::merge(globals, &resource.properties));
    let properties = Properties::new(resolver, merged.as_ref().unwrap_or(&resource.properties), &resource.id);
    let Ok(name) = names::physical_name(resolver, resource, resource.line, &resource.id) else { return };
    let id = resource.id.clone();
    match resource.kind.as_str() {
        "AWS::SQS::Queue" => stack.queues.push(queue::read(properties, id, name)),
        "AWS::SNS::Topic" => stack.topics.push(topic::read(properties, id, name)),
        "AWS::S3::Bucket" => stack.buckets.push(bucket::read(properties, id, name)),
        "AWS::DynamoDB::Table" => stack.tables.push(table::read(properties, id, name)),
        "AWS::Serverless::SimpleTable" => stack.tables.push(table::read_simple(properties, id, name)),
        "AWS::Events::EventBus" => stack.buses.extend(bus::read(properties, id, name)),
        "AWS::Scheduler::ScheduleGroup" => stack.schedule_groups.push(schedule::read_group(properties, name)),
        HTTP_API => http_api::read(properties, stack),
        _ => {}
    }
}

fn connect(resolver: &Resolver<'_>, resource: &Resource, directory: &Path, stack: &mut Stack) {
    let properties = || Properties::new(resolver, &resource.properties, &resource.id);
    match resource.kind.as_str() {
        "AWS::Events::Rule" => stack.rules.extend(rule::read(properties(), resource, stack)),
        "AWS::Events::Archive" => {
            if let Ok(name) = names::physical_name(resolver, resource, resource.line, &resource.id) {
                stack.archives.extend(bus::read_archive(properties(), name, stack));
            }
        }
        "AWS::Scheduler::Schedule" => stack.schedules.extend(schedule::read(properties(), resource, stack)),
        "AWS::SNS::Subscription" => stack.subscriptions.extend(topic::read_subscription(properties(), stack)),
        "AWS::Serverless::Function" => {
            stack.functions.extend(function::read(resolver, resource, directory, stack));
            event_rule::read(resolver, resource, stack);
        }
        "AWS::SQS::Queue" => queue::check_redrive(resolver, resource, stack),
        "AWS::SNS::Topic" => {
            let subscriptions = topic::read_subscriptions(&properties(), &resource.id, stack);
            stack.subscriptions.extend(subscriptions);
        }
        "AWS::Lambda::EventInvokeConfig"
        | "AWS::Lambda::EventSourceMapping"
        | "AWS::S3::Bucket"
        | "AWS::DynamoDB::Table"
        | "AWS::Serverless::SimpleTable"
        | "AWS::Events::EventBus"
        | "AWS::Scheduler::ScheduleGroup"
        | HTTP_API => {}
        kind if IRRELEVANT.contains(&kind) => {}
        kind => {
            let message = format!("the local cloud has no {kind}; it has {SUPPORTED}");
            resolver.faults.add(resource.line, &resource.id, message);
        }
    }
}

fn outputs(resolver: &Resolver<'_>) -> BTreeMap<String, String> {
    let mut outputs = BTreeMap::new();
    for (key, node) in &resolver.document.outputs {
        let properties = Properties::new(resolver, node, format!("Outputs.{}", key.name));
        properties.irrelevant(&["Description", "Export"]);
        let condition = properties.raw("Condition").and_then(|node| Some((node.as_text()?, node.line)));
        if condition.is_none_or(|(name, line)| resolver.condition(name, line, &properties.place) == Ok(true)) {
            outputs.extend(properties.required_text("Value").map(|value| (key.name.clone(), value)));
        } else {
            properties.irrelevant(&["Value"]);
        }
        properties.finish();
    }
    outputs
}
