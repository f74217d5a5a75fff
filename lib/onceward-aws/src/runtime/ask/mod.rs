//! What a function's binary answers when it is not started to serve, but asked about itself.
//!
//! The environment variable `ONCEWARD_ASK` holds the request. To `describe` it prints one line of JSON and ends: no
//! other variable is needed and no call is made. Readers ignore members they do not know, so that later kinds and
//! requests add to this form.

use std::{ffi::OsStr, io::Write as _, process::ExitCode, sync::Mutex, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig};
use onceward::{Access, DEADLINE_MARGIN, Description, FunctionKind, Shutdown};
use serde_json::{Value, json};

use super::{Aws, RunError, Runnable};
use crate::{clients::ATTEMPT_TIMEOUT, settings};

/// The variable that holds the request.
pub(super) const ASK: &str = "ONCEWARD_ASK";

/// The one request there is.
const DESCRIBE: &str = "describe";

/// The form of the description. What only adds members does not change it.
const FORM: u32 = 1;

/// The exit code for a request that is not known.
const UNKNOWN_REQUEST: u8 = 2;

/// Answers on stdout, whatever `build` makes of placeholders.
pub(super) fn answer<R: Runnable>(request: &OsStr, build: impl FnOnce(&Aws) -> Result<R, RunError>) -> ExitCode {
    if request != DESCRIBE {
        let request = request.to_string_lossy();
        let request = request.escape_debug();
        let _ = writeln!(std::io::stderr(), "{ASK} is {request}, which this build cannot answer: it knows {DESCRIBE}");
        return ExitCode::from(UNKNOWN_REQUEST);
    }
    let line = describe(build);
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn describe<R: Runnable>(build: impl FnOnce(&Aws) -> Result<R, RunError>) -> Value {
    // Clients are made and make no call: they need no region, no credentials.
    let config = SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build();
    let aws = Aws { config, shutdown: Shutdown::new(), asked: Some(Mutex::default()) };
    let mut said = json!({"onceward": {"description": FORM, "version": env!("CARGO_PKG_VERSION")}});
    let (mut variables, mut optional) = (Vec::new(), R::OPTIONAL_VARIABLES);
    match build(&aws) {
        Ok(function) => {
            let description = function.describe();
            members(&mut said, &description);
            variables.extend(R::VARIABLES.iter().map(|name| (*name).to_owned()));
            variables.extend(description.tables.iter().map(|(table, _)| settings::table_variable(table)));
        }
        // Without the function nothing is known of it: a placeholder was not what it wanted.
        Err(error) => {
            optional = &[];
            said["incomplete"] = json!(error.to_string());
        }
    }
    variables.extend(aws.asked());
    let optional = optional.iter().map(|name| json!({"name": name, "required": false}));
    said["variables"] = variables.into_iter().map(|name| json!({"name": name})).chain(optional).collect();
    said
}

fn members(said: &mut Value, description: &Description) {
    let kind = match description.kind {
        FunctionKind::Function => "function",
        FunctionKind::Command => "command",
        FunctionKind::Query => "query",
        FunctionKind::Relay => "relay",
        _ => "other",
    };
    let types = |types: &[String]| types.iter().map(|name| json!({"type": name})).collect::<Value>();
    let table = |(name, access): &(&'static str, Access)| {
        let access = if *access == Access::Write { "write" } else { "read" };
        json!({"name": name, "variable": settings::table_variable(name), "access": access})
    };
    said["name"] = json!(description.name);
    said["kind"] = json!(kind);
    said["handles"] = types(&description.handles);
    said["publishes"] = types(&description.publishes);
    said["tables"] = description.tables.iter().map(table).collect();
    said["circuit_breakers"] = json!(description.circuit_breakers);
    said["partial_failures"] = json!(matches!(description.kind, FunctionKind::Function | FunctionKind::Relay));
    said["timeouts"] = json!({"seconds_min": timeout_seconds_min()});
    if let Some(guarded) = description.guarded {
        said["mode"] = json!(if guarded { "guarded" } else { "transactional" });
    }
    if let Some(source) = description.source {
        said["source"] = json!(source);
    }
    if let Some(retention) = description.retention {
        said["retention_seconds"] = json!(retention.as_secs());
    }
    if let Some(concurrency) = description.concurrency {
        said["concurrency"] = json!(concurrency);
    }
}

/// One try of an AWS call has to fit before work stops for the deadline.
fn timeout_seconds_min() -> u64 {
    let least: Duration = ATTEMPT_TIMEOUT + DEADLINE_MARGIN;
    least.as_secs() + u64::from(least.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
