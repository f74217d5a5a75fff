//! A function that is stopped before it can end decently loses what it was doing, and says nothing.

use super::Rule;
use crate::check::finding::Finding;
use crate::check::subject::Subject;

pub(super) const RULE: Rule = Rule { id: "timeout", check };

fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let needing = subject.described().filter_map(|(function, it)| Some((function, it.timeouts.seconds_min?)));
    let short = needing.filter(|(function, least)| function.timeout.as_secs() < *least);
    let found = short.map(|(function, least)| {
        let timeout = function.timeout.as_secs();
        let has = subject.stack.lines.has(&format!("{}.Timeout", function.logical_id));
        let said = has || subject.stack.lines.has("Globals.Function.Timeout");
        let whose = if said { "" } else { ", Lambda's own" };
        Finding::error(
            subject.of_function(function, "Timeout"),
            format!("its Timeout is {timeout} s{whose}, and it needs {least} s"),
            format!("write `Timeout: {least}` or more"),
        )
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use crate::check::tests::Case;

    #[test]
    fn a_timeout_is_what_the_function_needs_or_more() {
        let needs = |seconds: u64| {
            Case::team().say("SendInvoice", move |said| said["timeouts"]["seconds_min"] = seconds.into())
        };
        assert_eq!(needs(5).found(), [""; 0]);
        assert_eq!(needs(6).found(), ["error timeout Timeout: 5 # of all"]);
        assert_eq!(needs(4).edit("    Timeout: 5 # of all\n", "").only("timeout"), ["error timeout SendInvoice:"]);
    }
}
