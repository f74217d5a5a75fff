//! What a function with `ReportBatchItemFailures` says about its batch.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>

use serde_json::Value;

/// The function's verdict.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing failed.
    Succeeded,
    /// Those at these positions of the batch failed; not empty, ascending.
    Failed(Vec<usize>),
    /// The response is not one: the whole batch counts as failed.
    Unreadable(String),
}

/// The positions that a function reported as failed through a mapping that does not ask for it: to Lambda the batch is
/// handled. A report that names none of the batch's items may mean any of them.
pub(super) fn ignored(payload: &[u8], identifiers: &[&str]) -> Vec<usize> {
    let reports =
        |response: Value| response["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
    match verdict(payload, identifiers) {
        Verdict::Failed(positions) => positions,
        Verdict::Unreadable(_) if serde_json::from_slice(payload).is_ok_and(reports) => {
            (0..identifiers.len()).collect()
        }
        Verdict::Succeeded | Verdict::Unreadable(_) => Vec::new(),
    }
}

/// Reads `payload`, the response to a batch of records named `identifiers`.
pub(super) fn verdict(payload: &[u8], identifiers: &[&str]) -> Verdict {
    let response: Value = match serde_json::from_slice(payload) {
        Ok(response) => response,
        Err(_) if payload.is_empty() => Value::Null,
        Err(error) => return Verdict::Unreadable(format!("the response is no JSON: {error}")),
    };
    let failures = match &response {
        Value::Null => return Verdict::Succeeded,
        Value::Object(fields) => match fields.get("batchItemFailures") {
            None | Some(Value::Null) => return Verdict::Succeeded,
            Some(Value::Array(failures)) => failures,
            Some(_) => return Verdict::Unreadable("`batchItemFailures` is no list".to_owned()),
        },
        _ => return Verdict::Unreadable("the response is no object".to_owned()),
    };
    let mut failed = Vec::new();
    for failure in failures {
        let Some(identifier) = failure["itemIdentifier"].as_str() else {
            return Verdict::Unreadable("a batch item failure has no `itemIdentifier`".to_owned());
        };
        let Some(position) = identifiers.iter().position(|known| *known == identifier) else {
            return Verdict::Unreadable(format!("the batch has no item `{identifier}`"));
        };
        failed.push(position);
    }
    failed.sort_unstable();
    failed.dedup();
    if failed.is_empty() { Verdict::Succeeded } else { Verdict::Failed(failed) }
}
