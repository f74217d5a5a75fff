//! The lines Lambda itself writes among a function's: that a process did not start, when an invocation starts and ends,
//! and what it took.
//! <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html>,
//! <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>

use std::{fs, time::Duration};

use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{environment::Phase, failure::Ended, spec::FunctionSpec};

/// What one invocation took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Usage {
    pub(super) duration: Duration,
    /// Of the environment, if this is its first invocation.
    pub(super) init: Option<Duration>,
    /// Most that the process had at once so far, if the system tells.
    pub(super) memory_mb: Option<u64>,
}

/// The line after a process that did not start; one that did has none.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-init-errors>
pub(super) fn init_report(spec: &FunctionSpec, phase: Phase, duration: Duration, ended: &Ended) -> String {
    let phase = match phase {
        Phase::Init => "init",
        Phase::Invoke => "invoke",
    };
    let (status, error_type) = match ended {
        Ended::Answered => ("success", None),
        Ended::TimedOut => ("timeout", None),
        Ended::Failed { error_type, .. } => ("error", Some(error_type)),
    };
    let duration_ms = milliseconds(duration);
    if spec.logging.json {
        let mut report = json!({
            "initializationType": "on-demand",
            "phase": phase,
            "status": status,
            "metrics": { "durationMs": duration_ms },
        });
        if let Some(error_type) = error_type {
            report["errorType"] = json!(error_type);
        }
        return record("platform.initReport", &report);
    }
    let error_type = error_type.map(|name| format!("\tError Type: {name}")).unwrap_or_default();
    format!("INIT_REPORT Init Duration: {duration_ms:.2} ms\tPhase: {phase}\tStatus: {status}{error_type}")
}

/// The line before an invocation's own.
pub(super) fn start(spec: &FunctionSpec, request_id: &str) -> String {
    if spec.logging.json {
        return record("platform.start", &json!({ "requestId": request_id, "version": "$LATEST" }));
    }
    format!("START RequestId: {request_id} Version: $LATEST")
}

/// The lines after an invocation's own.
pub(super) fn end(spec: &FunctionSpec, request_id: &str, usage: Usage, ended: &Ended) -> Vec<String> {
    if spec.logging.json {
        vec![end_json(spec, request_id, usage, ended)]
    } else {
        end_text(spec, request_id, usage, ended)
    }
}

fn end_text(spec: &FunctionSpec, request_id: &str, usage: Usage, ended: &Ended) -> Vec<String> {
    let mut lines = Vec::new();
    match ended {
        Ended::Answered => {}
        Ended::TimedOut => {
            let (now, seconds) = (now(), spec.timeout.as_secs_f64());
            lines.push(format!("{now} {request_id} Task timed out after {seconds:.2} seconds"));
        }
        Ended::Failed { error_type, reason } => {
            lines.push(format!("RequestId: {request_id} Error: {reason}"));
            lines.push(error_type.clone());
        }
    }
    lines.push(format!("END RequestId: {request_id}"));
    let Usage { duration, init, memory_mb } = usage;
    let mut fields = vec![
        format!("REPORT RequestId: {request_id}"),
        format!("Duration: {:.2} ms", milliseconds(duration)),
        format!("Billed Duration: {} ms", billed_ms(usage)),
        format!("Memory Size: {} MB", spec.memory_mb),
    ];
    fields.extend(memory_mb.map(|used| format!("Max Memory Used: {used} MB")));
    fields.extend(init.map(|init| format!("Init Duration: {:.2} ms", milliseconds(init))));
    match ended {
        Ended::Answered => {}
        Ended::TimedOut => fields.push("Status: timeout".to_owned()),
        Ended::Failed { error_type, .. } => {
            fields.extend(["Status: error".to_owned(), format!("Error Type: {error_type}")]);
        }
    }
    lines.push(fields.join("\t"));
    lines
}

fn end_json(spec: &FunctionSpec, request_id: &str, usage: Usage, ended: &Ended) -> String {
    let mut metrics = json!({
        "durationMs": milliseconds(usage.duration),
        "billedDurationMs": billed_ms(usage),
        "memorySizeMB": spec.memory_mb,
    });
    if let Some(used) = usage.memory_mb {
        metrics["maxMemoryUsedMB"] = json!(used);
    }
    if let Some(init) = usage.init {
        metrics["initDurationMs"] = json!(milliseconds(init));
    }
    let mut report = json!({ "requestId": request_id, "metrics": metrics });
    match ended {
        Ended::Answered => report["status"] = json!("success"),
        Ended::TimedOut => report["status"] = json!("timeout"),
        Ended::Failed { error_type, .. } => {
            report["status"] = json!("error");
            report["errorType"] = json!(error_type);
        }
    }
    record("platform.report", &report)
}

/// The peak of a process's memory in MB, where the system keeps one.
pub(super) fn memory_mb(pid: Option<u32>) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", pid?)).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}

fn record(kind: &str, record: &Value) -> String {
    json!({ "time": now(), "type": kind, "record": record }).to_string()
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// To the hundredth, as Lambda writes it.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// Rounded up; a custom runtime's init phase is billed.
fn billed_ms(usage: Usage) -> u128 {
    (usage.duration + usage.init.unwrap_or_default()).as_micros().div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: bool) -> FunctionSpec {
        let mut spec = FunctionSpec::new("f", "/f/bootstrap".into(), "/f".into());
        spec.logging.json = json;
        spec
    }

    const USAGE: Usage =
        Usage { duration: Duration::from_micros(1_234), init: Some(Duration::from_micros(5_001)), memory_mb: Some(7) };

    #[test]
    fn a_report_names_durations_and_memory_as_lambda_does() {
        let lines = end(&spec(false), "id", USAGE, &Ended::Answered);
        assert_eq!(lines[0], "END RequestId: id");
        let report = "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 7 ms\tMemory Size: 128 MB\t\
                      Max Memory Used: 7 MB\tInit Duration: 5.00 ms";
        assert_eq!(lines[1], report);
        assert_eq!(start(&spec(false), "id"), "START RequestId: id Version: $LATEST");
    }

    #[test]
    fn a_failure_is_named_before_the_end() {
        let timed_out = end(&spec(false), "id", Usage::default(), &Ended::TimedOut);
        assert!(timed_out[0].ends_with(" id Task timed out after 3.00 seconds"), "{timed_out:?}");
        assert!(timed_out[2].ends_with("\tStatus: timeout"), "{timed_out:?}");
        let ended = Ended::Failed { error_type: "Runtime.ExitError".to_owned(), reason: "gone".to_owned() };
        let failed = end(&spec(false), "id", Usage::default(), &ended);
        assert_eq!(failed[..2], ["RequestId: id Error: gone", "Runtime.ExitError"]);
        assert!(failed[3].ends_with("\tStatus: error\tError Type: Runtime.ExitError"), "{failed:?}");
    }

    #[test]
    fn a_process_that_did_not_start_is_reported_with_phase_and_status() {
        let took = Duration::from_micros(1_236_040);
        let ended = Ended::Failed { error_type: "Runtime.ExitError".to_owned(), reason: "gone".to_owned() };
        let timed_out = init_report(&spec(false), Phase::Init, took, &Ended::TimedOut);
        assert_eq!(timed_out, "INIT_REPORT Init Duration: 1236.04 ms\tPhase: init\tStatus: timeout");
        let failed = init_report(&spec(false), Phase::Invoke, took, &ended);
        let expected =
            "INIT_REPORT Init Duration: 1236.04 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError";
        assert_eq!(failed, expected);
        let report: Value = serde_json::from_str(&init_report(&spec(true), Phase::Invoke, took, &ended)).unwrap();
        let record = json!({
            "initializationType": "on-demand", "phase": "invoke", "status": "error", "errorType": "Runtime.ExitError",
            "metrics": { "durationMs": 1236.04 },
        });
        assert_eq!((&report["type"], &report["record"]), (&json!("platform.initReport"), &record));
    }

    #[test]
    fn with_the_json_format_lambdas_own_lines_are_json() {
        let lines = end(&spec(true), "id", USAGE, &Ended::Answered);
        let report: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!((&report["type"], &report["record"]["status"]), (&json!("platform.report"), &json!("success")));
        let metrics = json!({
            "durationMs": 1.23, "billedDurationMs": 7, "memorySizeMB": 128, "maxMemoryUsedMB": 7, "initDurationMs": 5.0,
        });
        assert_eq!(report["record"]["metrics"], metrics);
    }
}
