mod ask;
mod dead_letters;
mod function;
mod handler;
mod http;
mod log;
mod shutdown;
mod source;
mod stream;

use std::{
    fmt,
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use aws_config::SdkConfig;
use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::{
    Context, Diagnostic, LambdaEvent, Runtime, Service,
    tower::{Layer, layer::util::Identity},
};
use onceward::{Clock as _, Description, FunctionError, Invocation, Ports, Shutdown, TraceContext};

pub use handler::{Handler, InvocationError, Payload};

use crate::{DynamoDbLedger, SnsTopic, SystemClock, SystemRandomness, clients, settings};

/// How many invocations one environment of Lambda Managed Instances serves at once; not set elsewhere:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-runtimes.html>.
const MAX_CONCURRENCY: &str = "AWS_LAMBDA_MAX_CONCURRENCY";

/// The address of the Runtime API: set wherever functions run.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// Why a function process could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The template does not give the function a variable it needs.
    #[error(
        "the environment variable {name} is not set: give it to the function in the template; it should be {expected}"
    )]
    VariableMissing {
        /// Its name.
        name: &'static str,
        /// What it stands for.
        expected: &'static str,
    },
    /// A variable cannot be what it stands for.
    #[error("the environment variable {name} is {value:?}: correct it in the template; it should be {expected}")]
    VariableMalformed {
        /// Its name.
        name: String,
        /// What it is.
        value: String,
        /// What it stands for.
        expected: &'static str,
    },
    /// The file of root certificates cannot be used.
    #[error(
        "the environment variable AWS_CA_BUNDLE names {path}, which cannot be used: {reason}; give it the path of a \
         file of root certificates in PEM, or leave it out to trust Amazon's own"
    )]
    CertificatesUnusable {
        /// The file's path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The process was started by hand.
    #[error("{RUNTIME_API} is not set: a function runs on Lambda, or here by `cargo dev`")]
    NotOnLambda,
    /// The function cannot work as it is written.
    #[error("{message}")]
    Function {
        /// What is wrong.
        message: String,
    },
    /// The async runtime did not start.
    #[error("the async runtime could not start")]
    Start {
        /// What the operating system says.
        #[from]
        source: std::io::Error,
    },
    /// A dependency of the function could not be made.
    #[error("the function cannot start: {message}")]
    Dependency {
        /// What is wrong.
        message: String,
    },
    /// The Lambda Runtime API failed.
    #[error("the Lambda runtime stopped: {message}")]
    Runtime {
        /// What it says.
        message: String,
    },
}

/// What [`run`] runs: a [`Function`](onceward::Function), [`Command`](onceward::Command),
/// [`Query`](onceward::Query) or [`Relay`](onceward::Relay).
pub trait Runnable: Send + Sized + 'static {
    /// The environment variables that it does not start without, those of its tables left out.
    const VARIABLES: &'static [&'static str];

    /// Those that it starts without, and does less.
    const OPTIONAL_VARIABLES: &'static [&'static str] = &[];

    /// What it is and says of itself, without a call.
    fn describe(&self) -> Description;

    /// Binds it to its clients, by what the environment says. No call is made.
    fn bind(self, aws: &Aws) -> Result<Handler, RunError>;
}

/// Serves a function's invocations until Lambda stops the process: the last line of `main`.
///
/// With the environment variable `ONCEWARD_ASK=describe` the process prints one line of JSON that says what the function
/// is (name, kind, event types, tables, variables), and ends: `onceward check` compares it with the template.
///
/// Misconfiguration ends the process with one line in the log that says what to set. No AWS call is made before the
/// first invocation. Invocations are served one at a time on this thread; on Lambda Managed Instances as many at once as
/// `AWS_LAMBDA_MAX_CONCURRENCY` says, on all cores.
pub fn run(function: impl Runnable) -> ExitCode {
    run_with(|_| Ok(function))
}

/// Like [`run`], for a function that needs dependencies: `build` makes it once, at the cold start.
pub fn run_with<R: Runnable>(build: impl FnOnce(&Aws) -> Result<R, RunError>) -> ExitCode {
    run_layered(Identity::new(), build)
}

/// Like [`run_with`], with middleware around every invocation: a [`Layer`], or several by a `tower::ServiceBuilder`.
///
/// A layer sees what came over the wire and what goes back. What happens to each event inside is fixed: telemetry,
/// deadline, ledger, handler, commit.
pub fn run_layered<L, R>(layer: L, build: impl FnOnce(&Aws) -> Result<R, RunError>) -> ExitCode
where
    R: Runnable,
    L: Layer<Handler>,
    L::Service: Service<LambdaEvent<Payload>, Response = Payload> + Clone + Send + 'static,
    <L::Service as Service<LambdaEvent<Payload>>>::Future: Send,
    <L::Service as Service<LambdaEvent<Payload>>>::Error: Into<Diagnostic> + fmt::Debug,
{
    if let Some(request) = std::env::var_os(ask::ASK) {
        return ask::answer(&request, build);
    }
    log::init();
    let Err(error) = serve(&layer, build) else { return ExitCode::SUCCESS };
    tracing::error!(error = error.to_string(), "the function stopped");
    ExitCode::FAILURE
}

fn serve<L, R>(layer: &L, build: impl FnOnce(&Aws) -> Result<R, RunError>) -> Result<(), RunError>
where
    R: Runnable,
    L: Layer<Handler>,
    L::Service: Service<LambdaEvent<Payload>, Response = Payload> + Clone + Send + 'static,
    <L::Service as Service<LambdaEvent<Payload>>>::Future: Send,
    <L::Service as Service<LambdaEvent<Payload>>>::Error: Into<Diagnostic> + fmt::Debug,
{
    async_runtime()?.block_on(async {
        let aws = Aws { config: clients::config().await?, shutdown: Shutdown::new(), asked: None };
        let service = layer.layer(build(&aws)?.bind(&aws)?);
        if std::env::var_os(RUNTIME_API).is_none() {
            return Err(RunError::NotOnLambda);
        }
        let in_flight = shutdown::InFlight::default();
        shutdown::on_signal(aws.shutdown.clone(), in_flight.clone()).await;
        Runtime::new(service).layer(in_flight).run_concurrent().await.map_err(stopped)
    })
}

/// One thread where an environment has one invocation at a time: work stealing would only cost it.
fn async_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let concurrent = std::env::var(MAX_CONCURRENCY).is_ok_and(|count| count.parse().is_ok_and(|count: u32| count > 1));
    let mut builder = match concurrent {
        true => tokio::runtime::Builder::new_multi_thread(),
        false => tokio::runtime::Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

/// What a function's dependencies are made of.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
    shutdown: Shutdown,
    /// Names of the variables that were asked for, while the function only describes itself.
    asked: Option<Mutex<Vec<&'static str>>>,
}

/// What a variable holds while a function only describes itself.
const PLACEHOLDER: &str = "placeholder";

/// The same for a topic.
const PLACEHOLDER_TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:placeholder";

impl Aws {
    /// An environment variable that must be set and not empty.
    ///
    /// Where it has a form that is checked at once, [`variable_like`](Self::variable_like) is the one to use.
    pub fn variable(&self, name: &'static str) -> Result<String, RunError> {
        self.variable_like(name, PLACEHOLDER)
    }

    /// An environment variable that must be set and not empty, such as `https://payments.example.com` or `30`.
    ///
    /// The example is what the function gets in its place when it is asked to describe itself (`ONCEWARD_ASK`), so it
    /// must be one that the function can be made of.
    pub fn variable_like(&self, name: &'static str, example: &str) -> Result<String, RunError> {
        if self.asks_for(name) { Ok(example.to_owned()) } else { settings::required(name) }
    }

    /// The SNS topic whose ARN is in the environment variable.
    pub fn topic(&self, variable: &'static str) -> Result<SnsTopic, RunError> {
        let arn = match self.asks_for(variable) {
            true => PLACEHOLDER_TOPIC_ARN.to_owned(),
            false => settings::required_topic_arn(variable)?,
        };
        Ok(SnsTopic::new(aws_sdk_sns::Client::new(&self.config), arn).named_by(variable))
    }

    /// Notes the name, if values are not needed.
    fn asks_for(&self, name: &'static str) -> bool {
        let Some(asked) = &self.asked else { return false };
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(name);
        true
    }

    /// The names that were asked for, in order.
    fn asked(&self) -> Vec<String> {
        let asked = self.asked.iter().flat_map(|asked| asked.lock().unwrap_or_else(PoisonError::into_inner).clone());
        asked.map(str::to_owned).collect()
    }
}

impl RunError {
    /// A dependency that could not be made, said in one line.
    pub fn dependency(error: impl std::error::Error) -> Self {
        Self::Dependency { message: error.to_string() }
    }
}

impl RunError {
    #[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
    fn function(error: FunctionError) -> Self {
        Self::Function { message: error.to_string() }
    }
}

/// What functions that keep a ledger share; [`query_ports`] for those that only read.
fn ports(aws: &Aws) -> Result<Ports, RunError> {
    ports_with(aws, &settings::required_table(settings::LEDGER_TABLE)?)
}

/// Reads need no ledger table.
fn query_ports(aws: &Aws) -> Result<Ports, RunError> {
    ports_with(aws, "")
}

fn ports_with(aws: &Aws, ledger_table: &str) -> Result<Ports, RunError> {
    let client = aws_sdk_dynamodb::Client::new(&aws.config);
    Ok(Ports {
        ledger: Arc::new(DynamoDbLedger::new(client, ledger_table, settings::tables()?)),
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
        shutdown: aws.shutdown.clone(),
        deployment: Arc::new(settings::deployment()?),
        strict: settings::strict()?,
    })
}

/// Deadline and trace are the invocation's own; the process-wide `_X_AMZN_TRACE_ID` is never read.
fn invocation(context: &Context, ports: &Ports) -> Invocation {
    let millis = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    let deadline = DateTime::<Utc>::from_timestamp_millis(millis);
    // A time that no calendar has is nobody's deadline. To end too early is safe: what was not done is reported as failed,
    // and comes again. To go on for too long is not.
    let deadline = deadline.unwrap_or_else(|| SystemClock.now() + TimeDelta::seconds(1));
    let trace = context.xray_trace_id.as_deref().and_then(TraceContext::from_xray);
    Invocation::until(deadline, ports.clock.as_ref()).traced(trace)
}

/// The Runtime API's error as ours.
#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn stopped(error: lambda_runtime::Error) -> RunError {
    RunError::Runtime { message: error.to_string() }
}
