//! A failed message that nobody reports is deleted with the rest of its batch.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::Subject;
use crate::template::{Function, Trigger};

pub(super) const RULE: Rule = Rule { id: "partial-failures", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let answering = subject.described().filter(|(_, description)| description.partial_failures);
    let ignored = |function: &Function, trigger: &Trigger| {
        let (place, what) = match trigger {
            Trigger::Sqs { place, report_batch_item_failures: false, .. } => (place, "message"),
            Trigger::Stream { place, report_batch_item_failures: false, .. } => (place, "record"),
            _ => return None,
        };
        Some(Finding::error(
            subject.mapping(function, place, "FunctionResponseTypes"),
            format!(
                "the function answers which {what}s failed, and this mapping does not listen: a failed {what} counts as \
                 handled, and is gone"
            ),
            "write `FunctionResponseTypes: [ReportBatchItemFailures]`",
        ))
    };
    answering.flat_map(|(function, _)| function.triggers.iter().filter_map(|it| ignored(function, it))).collect()
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    const REPORTS: &str = "            FunctionResponseTypes: [ReportBatchItemFailures] # of the queue\n";

    #[test]
    fn a_mapping_that_does_not_listen_to_failures_is_an_error() {
        assert_eq!(
            Case::team().edit(REPORTS, "").found(),
            ["error partial-failures Properties: # of the queue's mapping"]
        );
        let of_the_stream = "            FunctionResponseTypes: [ReportBatchItemFailures] # of the stream\n";
        assert_eq!(
            Case::team().edit(of_the_stream, "").found(),
            ["error partial-failures Properties: # of the stream's mapping"]
        );
    }

    #[test]
    fn functions_that_do_not_answer_so_are_not_judged() {
        let silent = Case::team().edit(REPORTS, "").say("BookPayment", |said| said["partial_failures"] = false.into());
        assert_eq!(silent.found(), [""; 0]);
    }
}
