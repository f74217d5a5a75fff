use serde_json::{Map, Value};

use super::rule;
use crate::{
    scheduler::Schedule,
    template::{document::Resource, names, properties::Properties, stack::Stack},
};

/// Properties that templates and `CreateSchedule` spell the same; the service checks what is in them.
const SAME: [&str; 10] = [
    "GroupName",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "EndDate",
    "FlexibleTimeWindow",
    "State",
    "ActionAfterCompletion",
    "Description",
    "Target",
];

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html>
pub(super) fn read(properties: Properties<'_>, resource: &Resource, stack: &Stack) -> Option<Schedule> {
    let name = names::physical_name(properties.resolver, resource, resource.line, &resource.id).ok();
    for required in ["ScheduleExpression", "FlexibleTimeWindow", "Target"] {
        properties.require(required);
    }
    if let Some(target) = properties.nested("Target") {
        rule::target_arn(&target, "Arn", stack);
        if let Some(config) = target.nested("DeadLetterConfig") {
            rule::queue_arn(&config, "Arn", stack);
        }
    }
    let mut members: Map<String, Value> =
        SAME.iter().filter_map(|name| Some(((*name).to_owned(), properties.json(name)?))).collect();
    members.insert("Name".to_owned(), Value::String(name?));
    let schedule = from(&properties, members, stack);
    properties.irrelevant(&["Name", "KmsKeyArn"]);
    properties.finish();
    schedule
}

/// The schedule of its members by their AWS names.
pub(in crate::template) fn from(
    properties: &Properties<'_>,
    members: Map<String, Value>,
    stack: &Stack,
) -> Option<Schedule> {
    let schedule: Schedule = match serde_json::from_value(Value::Object(members)) {
        Ok(schedule) => schedule,
        Err(error) => {
            properties.resolver.faults.add(properties.line, &properties.place, error.to_string());
            return None;
        }
    };
    if let Some(fault) = schedule.fault() {
        properties.resolver.faults.add(properties.line, &properties.place, fault);
    }
    let group = &schedule.group_name;
    if group != crate::scheduler::DEFAULT_GROUP && !stack.schedule_groups.contains(group) {
        properties.fault("GroupName", format!("`{group}` is not a schedule group of this template"));
    }
    Some(schedule)
}

pub(super) fn read_group(properties: Properties<'_>, name: String) -> String {
    properties.irrelevant(&["Name", "Tags"]);
    properties.finish();
    name
}
