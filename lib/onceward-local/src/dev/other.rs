//! What there is to say about another cloud that the functions run against.

use crate::escape;
use crate::remote::{EnabledMapping, Remote};
use crate::template::{Stack, Trigger};

/// Beside its URL.
pub(super) fn note(remote: &Remote) -> String {
    let account = remote.account();
    format!("another cloud: account {}, region {}", account.id, account.region)
}

/// What will not be as without `--endpoint`.
pub(super) async fn notes(remote: &Remote, stack: &Stack, has_demo: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if has_demo {
        notes.push("The demo's events are left out: the other cloud's data is not ours to fill.".to_owned());
    }
    notes.extend(unreached(stack));
    match remote.enabled_mappings().await {
        Ok(mappings) => notes.extend(contended(stack, &mappings, &remote.account().endpoint)),
        Err(error) => notes.push(format!(
            "Whether the other cloud runs the functions too is unknown ({error}): if it does, both take the messages."
        )),
    }
    notes
}

/// What invokes a function by itself over there cannot invoke it here.
fn unreached(stack: &Stack) -> Vec<String> {
    let mut notes = Vec::new();
    for function in &stack.functions {
        let name = &function.name;
        let arn = format!(":function:{name}");
        let mut by: Vec<String> = Vec::new();
        for trigger in &function.triggers {
            if let Trigger::Topic(subscription) = trigger {
                by.push(format!("topic {}", subscription.topic_arn.rsplit(':').next().unwrap_or_default()));
            }
        }
        let rules = stack.rules.iter().filter(|rule| rule.targets.iter().any(|target| target.arn.ends_with(&arn)));
        by.extend(rules.map(|rule| format!("rule {}", rule.name)));
        let schedules = stack.schedules.iter().filter(|schedule| schedule.target.arn.ends_with(&arn));
        by.extend(schedules.map(|schedule| format!("schedule {}", schedule.name)));
        if !by.is_empty() {
            notes.push(format!("{name} is not invoked by {}: the other cloud cannot reach it here.", by.join(", ")));
        }
    }
    notes
}

/// Sources of ours that the other cloud, at `endpoint`, reads too.
fn contended(stack: &Stack, mappings: &[EnabledMapping], endpoint: &str) -> Option<String> {
    let is_ours = |source: &str| {
        stack.functions.iter().flat_map(|function| &function.triggers).any(|trigger| match trigger {
            Trigger::Sqs { queue_arn, .. } => queue_arn == source,
            Trigger::Stream { table, .. } => source.contains(&format!(":table/{table}/stream/")),
            Trigger::Topic(_) | Trigger::Http { .. } => false,
        })
    };
    let last = |arn: &str| arn.split(":function:").last().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for EnabledMapping { id, source_arn, function_arn } in mappings.iter().filter(|it| is_ours(&it.source_arn)) {
        let line = |text: &str| escape::line(text).into_owned();
        let (id, source_arn, function) = (line(id), line(source_arn), line(&last(function_arn)));
        lines.push(format!("  # {source_arn} -> {function}"));
        lines.push(format!(
            "  aws --endpoint-url {endpoint} lambda update-event-source-mapping --no-enabled --uuid {id}"
        ));
    }
    (!lines.is_empty()).then(|| {
        format!(
            "The other cloud runs functions on the same sources, and takes a part of the messages away. Disable them \
             there:\n{}",
            lines.join("\n")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_on_a_queue_of_ours_is_named() {
        let account = crate::account::Account::new("us-east-1", "http://h");
        let text = "Resources:\n  Q: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}\n  F:\n    Type: \
                    AWS::Serverless::Function\n    Properties:\n      FunctionName: f\n      CodeUri: .\n      Runtime: \
                    provided.al2023\n      Handler: bootstrap\n      Events:\n        E: {Type: SQS, Properties: {Queue: \
                    !GetAtt Q.Arn}}\n        T: {Type: Schedule, Properties: {Schedule: rate(1 day), Name: daily}}\n";
        let path = std::env::temp_dir().join(format!("onceward-other-{}.yaml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let stack = crate::template::load(&path, &std::collections::BTreeMap::new(), &account);
        std::fs::remove_file(&path).unwrap();
        let stack = stack.unwrap();
        let mapping = |queue: &str| EnabledMapping {
            id: format!("of-{queue}"),
            source_arn: account.arn("sqs", queue),
            function_arn: account.arn("lambda", "function:theirs"),
        };
        assert_eq!(contended(&stack, &[mapping("other")], "http://h"), None);
        let note = contended(&stack, &[mapping("other"), mapping("q")], "http://h").unwrap();
        let lines: Vec<_> = note.lines().skip(1).collect();
        let expected = [
            "  # arn:aws:sqs:us-east-1:000000000000:q -> theirs",
            "  aws --endpoint-url http://h lambda update-event-source-mapping --no-enabled --uuid of-q",
        ];
        assert_eq!(lines, expected);
        assert_eq!(unreached(&stack), ["f is not invoked by rule daily: the other cloud cannot reach it here."]);
    }
}
