mod http;
mod log;
mod queue;
mod stream;

use std::{process::ExitCode, sync::Arc};

use async_trait::async_trait;
use aws_config::SdkConfig;
use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::Context;
use onceward::Ports;

use crate::{DynamoDbLedger, SnsTopic, SystemClock, SystemRandomness, clients, settings};

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
        "the environment variable AWS_CA_BUNDLE names {path}, which cannot be used: {reason}; give it the path of a file of \
         root certificates in PEM, or leave it out to trust Amazon's own"
    )]
    CertificatesUnusable {
        /// The file's path.
        path: String,
        /// What is wrong with it.
        reason: String,
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
#[async_trait(?Send)]
pub trait Runnable: Send + Sized + 'static {
    /// Serves invocations until the process is stopped.
    async fn serve(self, config: &SdkConfig) -> Result<(), RunError>;
}

/// Serves a function's invocations on this thread, until Lambda stops the process: the last line of `main`.
///
/// Misconfiguration ends the process with one line in the log that says what to set. No AWS call is made before the
/// first invocation.
pub fn run(function: impl Runnable) -> ExitCode {
    run_with(|_| Ok(function))
}

/// Like [`run`], for a function that needs dependencies: `build` makes it once, at the cold start.
pub fn run_with<R: Runnable>(build: impl FnOnce(&Aws) -> Result<R, RunError>) -> ExitCode {
    log::init();
    let Err(error) = serve(build) else { return ExitCode::SUCCESS };
    tracing::error!(error = error.to_string(), "the function stopped");
    ExitCode::FAILURE
}

fn serve<R: Runnable>(build: impl FnOnce(&Aws) -> Result<R, RunError>) -> Result<(), RunError> {
    // One thread: an environment has one invocation at a time, and work stealing would only cost it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let aws = Aws { config: clients::config().await? };
        build(&aws)?.serve(&aws.config).await
    })
}

/// What a function's dependencies are made of.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
}

impl Aws {
    /// An environment variable that must be set and not empty.
    pub fn variable(&self, name: &'static str) -> Result<String, RunError> {
        settings::required(name)
    }

    /// The SNS topic whose ARN is in the environment variable.
    pub fn topic(&self, variable: &'static str) -> Result<SnsTopic, RunError> {
        let arn = settings::required_topic_arn(variable)?;
        Ok(SnsTopic::new(aws_sdk_sns::Client::new(&self.config), arn).named_by(variable))
    }
}

impl RunError {
    /// A dependency that could not be made, said in one line.
    pub fn dependency(error: impl std::error::Error) -> Self {
        Self::Dependency { message: error.to_string() }
    }
}

/// What functions that keep a ledger share; [`query_ports`] for those that only read.
fn ports(config: &SdkConfig) -> Result<Ports, RunError> {
    ports_with(config, &settings::required_table(settings::LEDGER_TABLE)?)
}

/// Reads need no ledger table.
fn query_ports(config: &SdkConfig) -> Result<Ports, RunError> {
    ports_with(config, "")
}

fn ports_with(config: &SdkConfig, ledger_table: &str) -> Result<Ports, RunError> {
    let client = aws_sdk_dynamodb::Client::new(config);
    Ok(Ports {
        ledger: Arc::new(DynamoDbLedger::new(client, ledger_table, settings::tables()?)),
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness),
    })
}

/// When Lambda ends the invocation.
fn deadline(context: &Context) -> DateTime<Utc> {
    let millis = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    DateTime::from_timestamp_millis(millis).unwrap_or_else(|| Utc::now() + TimeDelta::seconds(1))
}

/// The Runtime API's error as ours.
#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn stopped(error: lambda_runtime::Error) -> RunError {
    RunError::Runtime { message: error.to_string() }
}
