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
    log_stream: &str,
    runtime_api: SocketAddr,
) -> io::Result<Child> {
    Command::new(&spec.bootstrap)
        .current_dir(&spec.working_directory)
        .env_clear()
        .envs(variables(spec, account, log_stream, runtime_api))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

/// As Lambda sets them; later ones win. A template may choose `PATH` or `TZ`, but not which cloud its function talks to.
/// `AWS_EXECUTION_ENV` is not among them: it is not defined for custom runtimes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>
pub(in crate::lambda) fn variables(
    spec: &FunctionSpec,
    account: &Account,
    log_stream: &str,
    runtime_api: SocketAddr,
) -> Vec<(String, String)> {
    let task_root = spec.working_directory.display().to_string();
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let defaults = [
        ("PATH", PATH_DEFAULT),
        ("TZ", ":UTC"),
        ("LANG", "en_US.UTF-8"),
        ("LAMBDA_RUNTIME_DIR", &task_root),
        // Here a handler is held to what its function declares: on AWS it is only warned.
        ("ONCEWARD_STRICT", "1"),
    ];
    let mut variables: Vec<_> = defaults.map(owned).into();
    variables.extend(INHERITED.iter().filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?))));
    variables.extend(spec.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    let runtime_api = runtime_api.to_string();
    let memory_mb = spec.memory_mb.to_string();
    let log_group = spec.log_group();
    let access_key = access_key(&spec.name);
    let reserved = [
        ("AWS_ENDPOINT_URL", account.endpoint.as_str()),
        ("AWS_REGION", &account.region),
        ("AWS_DEFAULT_REGION", &account.region),
        ("AWS_LAMBDA_RUNTIME_API", &runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", &spec.name),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory_mb),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("LAMBDA_TASK_ROOT", &task_root),
        ("_HANDLER", &spec.handler),
    ];
    variables.extend(reserved.map(owned));
    if let Some(credentials) = &spec.credentials {
        variables.extend(credentials.variables().map(owned));
    } else {
        let own = [
            ("AWS_ACCESS_KEY_ID", access_key.as_str()),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_SESSION_TOKEN", "test"),
        ];
        variables.extend(own.map(owned));
    }
    variables
}
