//! Where functions and event source mappings send what has ended.

use super::{error::Faulted, properties::Properties, resources::queue, stack::Stack};

/// The kinds of destinations: SAM's name, and the service in their ARNs.
const KINDS: [(&str, &str); 4] = [("SQS", "sqs"), ("SNS", "sns"), ("Lambda", "lambda"), ("EventBridge", "events")];

/// Reads one destination: its ARN is in `property`, its `Type` (which SAM wants and `CloudFormation` does not know) is
/// one of `kinds`. A queue, a topic or a bus must be of this template.
pub(super) fn read(
    target: &Properties<'_>,
    property: &'static str,
    kinds: &[&'static str],
    stack: &Stack,
) -> Option<String> {
    let kind = target.text("Type");
    if let Some(other) = kind.as_deref().filter(|kind| !kinds.contains(kind)) {
        let known = kinds.join(", ");
        target.fault("Type", format!("{other} destinations are not supported by the local cloud here; it has {known}"));
        target.irrelevant(&["Destination", "TargetArn"]);
        return None;
    }
    let arn = target.required_text(property)?;
    let service = arn.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(1)).unwrap_or_default();
    let name = arn.rsplit([':', '/']).next().unwrap_or_default();
    let found = KINDS.iter().find(|(_, known)| *known == service).map(|(kind, _)| *kind);
    let mut fifo = false;
    let there = match found.filter(|kind| kinds.contains(kind)) {
        Some("SQS") => queue::by_arn(stack, &arn).is_some_and(|queue| {
            fifo = queue.attributes.contains_key("FifoQueue");
            true
        }),
        Some("SNS") => {
            fifo = name.strip_suffix(".fifo").is_some();
            stack.topics.iter().any(|topic| topic.name == name)
        }
        Some("EventBridge") => name == "default" || stack.buses.iter().any(|bus| bus.name == name),
        // Functions may be declared later: an unknown one is reported when something is sent there.
        Some(_) => true,
        None => {
            let known = kinds.join(", ");
            let message = format!("`{arn}` is no destination of the local cloud; it has {known} here");
            let _: Faulted = target.fault(property, message);
            return None;
        }
    };
    if !there {
        target.fault(property, format!("`{arn}` is not a resource of this template"));
    } else if fifo {
        target.fault(property, "AWS sends to standard queues and topics only, not to FIFO ones");
    }
    Some(arn)
}
