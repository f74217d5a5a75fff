//! Failed invocations in Lambda's words. <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html>

use std::{os::unix::process::ExitStatusExt, process::ExitStatus, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::json;

use super::spec::Invocation;

/// The only value Lambda still gives `X-Amz-Function-Error`.
pub(super) const UNHANDLED: &str = "Unhandled";
/// Largest answer of a synchronous invocation.
pub(super) const RESPONSE_BYTES_MAX: usize = 6_291_556;

/// A process that could not take its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InitFailure {
    /// Never [`Ended::Answered`].
    pub(super) ended: Ended,
    pub(super) reason: String,
    /// The last lines it printed.
    pub(super) log: Vec<String>,
    /// Where its lines went.
    pub(super) log_stream: Arc<str>,
    /// Lambda's own line about it.
    pub(super) init_report: String,
}

/// How an invocation, or the start of a process, ended, as the platform's report words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// With a response, or with an error that the function reported itself.
    Answered,
    TimedOut,
    Failed {
        error_type: String,
        reason: String,
    },
}

impl InitFailure {
    /// What an invocation that needed this process answers, if its function has this timeout.
    pub(super) fn invocation(&self, request_id: &str, timeout: Duration) -> Invocation {
        match &self.ended {
            Ended::Failed { error_type, reason } => {
                failed(error_type, &format!("RequestId: {request_id} Error: {reason}"))
            }
            Ended::TimedOut | Ended::Answered => timed_out(request_id, timeout),
        }
    }
}

/// The function ran longer than its timeout.
pub(super) fn timed_out(request_id: &str, timeout: Duration) -> Invocation {
    let seconds = timeout.as_secs_f64();
    failed("Sandbox.Timedout", &format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds"))
}

/// The process ended before it answered.
pub(super) fn exited(request_id: &str, status: Option<ExitStatus>) -> Invocation {
    failed("Runtime.ExitError", &format!("RequestId: {request_id} Error: {}", exit_reason(status)))
}

/// The answer was over [`RESPONSE_BYTES_MAX`].
pub(super) fn response_too_large() -> Invocation {
    failed(
        "Function.ResponseSizeTooLarge",
        &format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."),
    )
}

/// `Runtime exited with error: signal: killed`, as Lambda words it.
pub(super) fn exit_reason(status: Option<ExitStatus>) -> String {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) if code != 0 => format!("Runtime exited with error: exit status {code}"),
        Some((None, Some(signal))) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        _ => "Runtime exited without providing a reason".to_owned(),
    }
}

fn failed(error_type: &str, message: &str) -> Invocation {
    let payload = json!({ "errorType": error_type, "errorMessage": message });
    Invocation { payload: Bytes::from(payload.to_string()), function_error: Some(UNHANDLED.to_owned()) }
}

/// Go's names, because Lambda's own supervisor is written in it.
fn signal_name(signal: i32) -> String {
    match signal {
        2 => "interrupt".to_owned(),
        4 => "illegal instruction".to_owned(),
        6 => "aborted".to_owned(),
        8 => "floating point exception".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        15 => "terminated".to_owned(),
        other => format!("signal {other}"),
    }
}
