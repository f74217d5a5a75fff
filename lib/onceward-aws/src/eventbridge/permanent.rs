//! Which of EventBridge's refusals are of the event itself, so that no later try can help.

use aws_sdk_eventbridge::types::PutEventsResultEntry;

use crate::refusal::Said;

/// Codes of an entry that say so. Of those that AWS calls non-retryable, a policy can mend `AccessDeniedException` and
/// `NotAuthorizedFor…`, and the template `InvalidAccountIdException`: events wait for that.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>
const OF_THE_EVENT: [&str; 3] = ["InvalidArgument", "MalformedDetail", "RedactionFailure"];

/// Nobody but AWS publishes under such a source, whatever a policy says:
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>.
const RESERVED_SOURCES: &str = "aws.";

/// The code of an entry whose source may not be published.
const SOURCE_NOT_AUTHORIZED: &str = "NotAuthorizedForSourceException";

/// Codes of a call one of whose entries cannot be taken, be it too large:
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html>.
const OF_THE_CALL: [&str; 2] = ["RequestEntityTooLargeException", "ValidationException"];

/// The status of a call that is too large: RFC 9110, section 15.5.14.
const CONTENT_TOO_LARGE: u16 = 413;

/// The parameter that is not the event's: a wrong one would be refused with every event, and the template is to be
/// corrected.
const BUS_PARAMETER: &str = "eventbusname";

/// Whether the bus refuses this entry for good.
pub(super) fn entry(result: &PutEventsResultEntry, source: &str) -> bool {
    let code = result.error_code();
    let of_the_event = code.is_some_and(|code| OF_THE_EVENT.contains(&code)) && !is_of_the_bus(result.error_message());
    of_the_event || (code == Some(SOURCE_NOT_AUTHORIZED) && source.starts_with(RESERVED_SOURCES))
}

/// Whether the bus refuses this call for good: one of its entries makes it so.
pub(super) fn call(said: &Said) -> bool {
    let refused = said.code.as_deref().is_some_and(|code| OF_THE_CALL.contains(&code));
    (refused || said.status == Some(CONTENT_TOO_LARGE)) && !is_of_the_bus(said.message.as_deref())
}

fn is_of_the_bus(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.to_ascii_lowercase().contains(BUS_PARAMETER))
}
