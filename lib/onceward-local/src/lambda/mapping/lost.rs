//! What is lost because a mapping does not ask which of its records failed.
//!
//! Without `FunctionResponseTypes: [ReportBatchItemFailures]` Lambda does not read the answer: whatever the function
//! says, the batch is handled. Nothing on AWS tells of it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>

use serde_json::json;

use crate::lambda::{Notice, NoticeEvent};

/// Ids that are written out for people; the notice has all.
const IDS_SHOWN_MAX: usize = 10;

const REMEDY: &str = "write FunctionResponseTypes: [ReportBatchItemFailures] into the mapping";

/// For programs; none if nothing failed.
pub(super) fn notice(function: &str, source_arn: &str, ids: &[&str]) -> Option<Notice> {
    let fields = json!({ "function": function, "source_arn": source_arn, "lost": ids });
    (!ids.is_empty()).then_some(Notice { event: NoticeEvent::FailuresIgnored, fields })
}

/// For people: the messages of a queue.
pub(super) fn deleted(ids: &[&str], of: usize) -> String {
    let (count, ids) = (ids.len(), shown(ids));
    format!(
        "LOST: the failure it reported was ignored, and nothing is tried again: {count} of {of} messages DELETED: {ids}; \
         {REMEDY}"
    )
}

/// For people: the records of a stream, which would have been read again from the first of them on.
pub(super) fn passed_over(ids: &[&str], of: usize) -> String {
    let (count, ids) = (ids.len(), shown(ids));
    format!(
        "LOST: the failure it reported was ignored, and nothing is tried again: {count} of {of} records PASSED OVER: \
         {ids}; {REMEDY}"
    )
}

fn shown(ids: &[&str]) -> String {
    let left = ids.len().saturating_sub(IDS_SHOWN_MAX);
    let shown = ids[..ids.len() - left].join(", ");
    if left == 0 { shown } else { format!("{shown} and {left} more") }
}
