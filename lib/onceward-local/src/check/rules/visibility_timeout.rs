//! A message that becomes visible while it is worked on is worked on twice, and counts as received twice.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-queueconfig>

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::{Subject, visibility_timeout};
use crate::template::Trigger;

pub(super) const RULE: Rule = Rule { id: "visibility-timeout", check };

/// How many of the function's timeouts AWS advises.
const TIMEOUTS_ADVISED: u64 = 6;

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let of = |consumer: crate::check::subject::Consumer<'_>| {
        let Trigger::Sqs { batching_window, .. } = consumer.trigger else { return None };
        let (timeout, window) = (consumer.function.timeout.as_secs(), batching_window.as_secs());
        let (least, advised) = (timeout + window, TIMEOUTS_ADVISED * timeout + window);
        let hidden = visibility_timeout(consumer.queue);
        let at = subject.property(&consumer.queue.logical_id, "VisibilityTimeout");
        let function = &consumer.function.logical_id;
        let help = format!(
            "write `VisibilityTimeout: {advised}`: six times the Timeout of {function}, and the batching window"
        );
        if hidden < least {
            let message = format!(
                "a message is hidden for {hidden} s, and {function} may have it for {least} s: it is handed out again meanwhile"
            );
            return Some(Finding::error(at, message, help));
        }
        (hidden < advised).then(|| {
            let message = format!(
                "a message is hidden for {hidden} s: while {function} (Timeout {timeout} s) is throttled, receives are \
                 used up without a try"
            );
            Finding::warning(at, message, help)
        })
    };
    subject.consumers().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn a_message_is_hidden_for_six_timeouts_of_its_function() {
        let hidden = |seconds: u32| {
            Case::team()
                .edit("VisibilityTimeout: 30 # of the invoices", &format!("VisibilityTimeout: {seconds} # hidden"))
        };
        assert_eq!(hidden(29).found(), ["warning visibility-timeout VisibilityTimeout: 29 # hidden"]);
        let waiting = "Queue: !GetAtt Invoices.Arn\n            MaximumBatchingWindowInSeconds: 5";
        let waits = |seconds| hidden(seconds).edit("Queue: !GetAtt Invoices.Arn\n", &format!("{waiting}\n")).found();
        assert_eq!(waits(9), ["error visibility-timeout VisibilityTimeout: 9 # hidden"]);
        assert_eq!(waits(35), [""; 0]);
    }
}
