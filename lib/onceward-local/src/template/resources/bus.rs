use crate::{
    events::{Archive, DEFAULT_BUS},
    template::{
        names,
        properties::Properties,
        stack::{Bus, Stack},
    },
};

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

/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html>
pub(super) fn read_archive(properties: Properties<'_>, name: String, stack: &Stack) -> Option<Archive> {
    let bus_arn = properties.required_text("SourceArn");
    if let Some(arn) = bus_arn.as_deref().filter(|arn| !is_bus(stack, arn)) {
        properties.fault("SourceArn", format!("`{arn}` is not a bus of this template"));
    }
    let pattern = properties.json("EventPattern").map(|pattern| pattern.to_string());
    let retention_days = properties.number("RetentionDays", 0..=i64::from(i32::MAX)).unwrap_or(0);
    let description = properties.text("Description");
    properties.irrelevant(&["ArchiveName", "KmsKeyIdentifier"]);
    properties.finish();
    Some(Archive { name, bus_arn: bus_arn?, description, pattern, retention_days })
}

/// Whether the ARN is that of a bus of this template, or of the one that is always there.
pub(in crate::template) fn is_bus(stack: &Stack, arn: &str) -> bool {
    let name = names::bus_name(arn);
    arn.contains(":event-bus/") && (name == DEFAULT_BUS || stack.buses.iter().any(|bus| bus.name == name))
}
