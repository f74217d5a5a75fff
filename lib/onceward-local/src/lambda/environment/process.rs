//! The process of an execution environment.

use std::{env, io, net::SocketAddr, process::Stdio};

use tokio::process::{Child, Command};

use crate::{account::Account, iam::access_key, lambda::spec::FunctionSpec};

/// Where commands are looked for when the cloud itself has no `PATH`.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";
/// What a function inherits from whoever runs the cloud, unless its template says otherwise.
const INHERITED: [&str; 3] = ["PATH", "RUST_BACKTRACE", "RUST_LOG"];

/// Starts `spec`'s bootstrap against the Runtime API at `runtime_api`. It dies when the [`Child`] is dropped, and it is
/// in a process group of its own, so that Ctrl-C in a terminal reaches the cloud alone, which then ends it in order.
pub(super) fn spawn(
    spec: &FunctionSpec,
    account: &Account,
    environment: u32,
    runtime_api: SocketAddr,
) -> io::Result<Child> {
    Command::new(&spec.bootstrap)
        .current_dir(&spec.working_directory)
        .env_clear()
        .envs(variables(spec, account, environment, runtime_api))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// Later ones win: a template may choose `PATH`, but not which cloud its function talks to.
fn variables(
    spec: &FunctionSpec,
    account: &Account,
    environment: u32,
    runtime_api: SocketAddr,
) -> Vec<(String, String)> {
    let mut variables = vec![("PATH".to_owned(), PATH_DEFAULT.to_owned()), ("TZ".to_owned(), ":UTC".to_owned())];
    variables.extend(INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?))));
    variables.extend(spec.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    let reserved = [
        ("AWS_ENDPOINT_URL", account.endpoint.clone()),
        ("AWS_REGION", account.region.clone()),
        ("AWS_DEFAULT_REGION", account.region.clone()),
        ("AWS_ACCESS_KEY_ID", access_key(&spec.name)),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_SESSION_TOKEN", "test".to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", spec.name.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", spec.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", spec.name)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", format!("[$LATEST]{environment}")),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("LAMBDA_TASK_ROOT", spec.working_directory.display().to_string()),
        ("_HANDLER", "bootstrap".to_owned()),
    ];
    variables.extend(reserved.map(|(name, value)| (name.to_owned(), value)));
    variables
}
