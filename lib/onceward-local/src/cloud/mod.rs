//! One local cloud: the services, what a template declares in them, and the ports they answer on.
//!
//! Ports are bound first ([`Listeners`]), because every ARN and URL of the template is made of the endpoint; then the
//! template is read ([`load_stack`]), and the cloud starts ([`Cloud::start`]). Several clouds fit in one process.

mod error;
mod listeners;
mod owned;
mod packages;
mod remote;
mod resources;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::task::JoinSet;

pub use self::error::CloudError;
pub use self::listeners::{Listeners, Ports, REGION};
use self::owned::Owned;
pub use self::packages::PACKAGE_BYTES_MAX;
pub(crate) use self::packages::Packages;
pub use self::remote::Elsewhere;
use crate::account::Account;
use crate::dynamodb::DynamoDb;
use crate::endpoint::{self, Services};
use crate::events::EventBridge;
use crate::faults::Faults;
use crate::gateway::Gateway;
use crate::iam::{self, Iam};
use crate::lambda::{Lambda, LambdaError, LogSink, Route};
use crate::remote::Remote;
use crate::s3::S3;
use crate::sns::Sns;
use crate::sqs::Sqs;
use crate::store::{Store, StoreError};
use crate::template::{self, STACK_NAME, Stack, TemplateError};

/// The template parameter that is given the sandbox gateway's URL.
pub const GATEWAY_PARAMETER: &str = "PaymentGatewayUrl";

/// What a cloud is made of.
#[derive(Debug)]
pub struct CloudConfig {
    /// What to create, from [`load_stack`].
    pub stack: Stack,
    /// Where it answers.
    pub listeners: Listeners,
    /// The folder with the binaries of functions that are built here: `target/debug`.
    pub binaries: PathBuf,
    /// Variables for every function, besides the template's.
    pub environment: BTreeMap<String, String>,
    /// Where the functions' log lines go.
    pub log: LogSink,
    /// The folder for what outlives the process; without it all is in memory.
    pub data: Option<PathBuf>,
    /// What happens to a call that the template's policies do not allow.
    pub iam: iam::Mode,
}

impl CloudConfig {
    /// Nothing on `listeners`, in memory, with what the policies do not allow denied.
    pub fn new(listeners: Listeners) -> Self {
        Self {
            stack: Stack::default(),
            listeners,
            binaries: PathBuf::new(),
            environment: BTreeMap::new(),
            log: LogSink::discard(),
            data: None,
            iam: iam::Mode::Enforce,
        }
    }
}

/// What is left to others.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Names of functions whose process somebody else starts, most often in a debugger.
    pub attach: BTreeSet<String>,
}

/// A function whose process somebody else starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub function: String,
    /// What would be started.
    pub executable: PathBuf,
    /// In which folder.
    pub working_directory: PathBuf,
    /// With which variables.
    pub environment: BTreeMap<String, String>,
}

/// A running cloud. Dropping it stops its servers; [`shutdown`](Self::shutdown) also waits for the function processes.
#[derive(Debug)]
pub struct Cloud {
    services: Services,
    gateway: Gateway,
    stack: Stack,
    aws_url: String,
    http_url: String,
    gateway_url: String,
    servers: Mutex<JoinSet<()>>,
    attached: Vec<Attached>,
    /// The cloud whose resources the functions work on, if it is not this one.
    remote: Option<Remote>,
    /// Kept for as long as the functions run from them.
    packages: Packages,
}

/// A function whose first process is ready, or not.
#[derive(Debug)]
pub struct Warmed {
    /// The function's name.
    pub function: String,
    /// How long it took.
    pub took: Duration,
    /// Why it did not start.
    pub outcome: Result<(), LambdaError>,
}

/// The types of the events that the template leaves to somebody outside: `Metadata.Onceward.Events.ToOutside`.
fn outside(metadata: &Value) -> impl Iterator<Item = String> {
    let types = metadata["Onceward"]["Events"]["ToOutside"].as_array().into_iter().flatten();
    types.filter_map(|name| name.as_str().map(str::to_owned))
}

/// Reads the template at `path` as it is on this machine: with the parameters of its `Metadata.Onceward.Dev.Parameters`,
/// with the sandbox gateway's URL if it takes one, and with `overrides` above both.
pub fn load_stack(
    path: &Path,
    listeners: &Listeners,
    overrides: &BTreeMap<String, String>,
) -> Result<Stack, TemplateError> {
    load_stack_as(path, listeners, overrides, STACK_NAME)
}

/// The same for a stack named `stack_name`.
pub fn load_stack_as(
    path: &Path,
    listeners: &Listeners,
    overrides: &BTreeMap<String, String>,
    stack_name: &str,
) -> Result<Stack, TemplateError> {
    read_stack(path, (listeners.account(), listeners.gateway_url()), overrides, stack_name)
}

fn read_stack(
    path: &Path,
    (account, gateway_url): (&Account, &str),
    overrides: &BTreeMap<String, String>,
    stack_name: &str,
) -> Result<Stack, TemplateError> {
    // Read twice: which parameters there are, and which values they get, is in the template itself.
    let declared = template::load_as(path, overrides, account, stack_name)?;
    let mut parameters = BTreeMap::new();
    if let Some(values) = declared.metadata["Onceward"]["Dev"]["Parameters"].as_object() {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        parameters.extend(values.iter().map(|(name, value)| (name.clone(), text(value))));
    }
    if declared.parameters.contains_key(GATEWAY_PARAMETER) {
        parameters.insert(GATEWAY_PARAMETER.to_owned(), gateway_url.to_owned());
    }
    parameters.extend(overrides.clone());
    template::load_as(path, &parameters, account, stack_name)
}

impl Cloud {
    /// Creates everything the stack declares and answers on the listeners. Function processes start when they are
    /// needed, or by [`warm`](Self::warm). Must be called from within a Tokio runtime.
    pub fn start(config: CloudConfig) -> Result<Self, CloudError> {
        Self::start_with(config, &Options::default())
    }

    /// The same, with some of it left to others.
    pub fn start_with(config: CloudConfig, options: &Options) -> Result<Self, CloudError> {
        let stack = &config.stack;
        let store = config.data.as_deref().map_or(Ok(Store::memory()), Store::open)?;
        let services = Services::open(config.listeners.account().clone(), config.log.clone(), store)?;
        services.iam.declare(config.iam, stack.permissions.clone());
        let owned = Owned::take(&services, stack)?;
        services.events.expect_outside(outside(&stack.metadata));
        resources::create(&services, stack)?;
        let functions = resources::create_functions(&services.lambda, &config, options, None)?;
        let routes = resources::map(&services, stack)?;
        resources::create_schedules(&services, stack, &owned)?;
        services.events.resume();
        services.scheduler.resume();
        services.lambda.resume(&services.store)?;
        Ok(Self::serve(config, services, functions, routes, None))
    }

    /// Answers on the listeners: where the resources are those of `remote`, Lambda alone of AWS.
    fn serve(
        config: CloudConfig,
        services: Services,
        (attached, packages): (Vec<Attached>, Packages),
        routes: Vec<Route>,
        remote: Option<Remote>,
    ) -> Self {
        let CloudConfig { stack, listeners, .. } = config;
        let aws_url = listeners.aws_url().to_owned();
        let http_url = listeners.http_url().to_owned();
        let gateway_url = listeners.gateway_url().to_owned();
        let gateway = Gateway::new();
        let mut servers = JoinSet::new();
        let aws = if remote.is_some() {
            endpoint::router_elsewhere(&services)
        } else {
            servers.spawn(services.dynamodb.clone().expire_items());
            endpoint::router(&services)
        };
        let http = services.lambda.http_api(routes, stack.cors.clone());
        listeners.serve(&mut servers, aws, http, gateway.router());
        Self {
            services,
            gateway,
            stack,
            aws_url,
            http_url,
            gateway_url,
            servers: Mutex::new(servers),
            attached,
            remote,
            packages,
        }
    }

    /// Starts one process of every function, all at once, and says of each when it is ready.
    pub async fn warm(&self, mut report: impl FnMut(Warmed)) {
        let mut starting = JoinSet::new();
        let left = |name: &str| self.attached.iter().any(|attached| attached.function == name);
        for function in self.stack.functions.iter().filter(|function| !left(&function.name)) {
            let (lambda, function, start) = (self.services.lambda.clone(), function.name.clone(), Instant::now());
            starting.spawn(async move {
                let outcome = lambda.start(&function).await;
                Warmed { function, took: start.elapsed(), outcome }
            });
        }
        while let Some(warmed) = starting.join_next().await {
            if let Ok(warmed) = warmed {
                report(warmed);
            }
        }
    }

    /// Has the function run from its package as it is now; what runs ends as it is.
    pub fn replace_package(&self, function: &str) -> Result<(), CloudError> {
        if let Some(declared) = self.stack.functions.iter().find(|declared| declared.name == function) {
            self.packages.renew(function, &declared.code_uri)?;
            // It was created from the same stack.
            drop(self.services.lambda.replace(function));
        }
        Ok(())
    }

    /// What a template would be on this cloud: as [`load_stack_as`] reads it.
    pub fn read_template(
        &self,
        path: &Path,
        overrides: &BTreeMap<String, String>,
        stack_name: &str,
    ) -> Result<Stack, TemplateError> {
        read_stack(path, (self.account(), self.gateway_url()), overrides, stack_name)
    }

    /// Whose cloud it is.
    pub fn account(&self) -> &Account {
        &self.services.account
    }

    /// The queues.
    pub fn sqs(&self) -> &Sqs {
        &self.services.sqs
    }

    /// The tables and streams.
    pub fn dynamodb(&self) -> &DynamoDb {
        &self.services.dynamodb
    }

    /// The buses and rules.
    pub fn events(&self) -> &EventBridge {
        &self.services.events
    }

    /// The topics.
    pub fn sns(&self) -> &Sns {
        &self.services.sns
    }

    /// The buckets.
    pub fn s3(&self) -> &S3 {
        &self.services.s3
    }

    /// The functions.
    pub fn lambda(&self) -> &Lambda {
        &self.services.lambda
    }

    /// Who was denied what, and which permissions nobody used.
    pub fn iam(&self) -> &Iam {
        &self.services.iam
    }

    /// The sandbox payment gateway.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The functions whose process somebody else starts.
    pub fn attached(&self) -> &[Attached] {
        &self.attached
    }

    /// The cloud whose queues, tables and buses the functions work on, if it is another.
    pub fn remote(&self) -> Option<&Remote> {
        self.remote.as_ref()
    }

    /// What goes wrong on purpose.
    pub fn faults(&self) -> &Faults {
        &self.services.faults
    }

    /// Waits until something is not kept in the data folder that should be.
    pub(crate) async fn not_kept(&self) -> &StoreError {
        self.services.store.failed().await
    }

    /// What was created.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Base URL of the AWS endpoint: `http://127.0.0.1:4566`.
    pub fn aws_url(&self) -> &str {
        &self.aws_url
    }

    /// Base URL of the HTTP API: `http://127.0.0.1:3000`.
    pub fn http_url(&self) -> &str {
        &self.http_url
    }

    /// Base URL of the sandbox payment gateway.
    pub fn gateway_url(&self) -> &str {
        &self.gateway_url
    }

    /// Messages in the queues that feed functions: waiting, delayed or being handled. Dead-letter queues do not count.
    pub fn backlog(&self) -> usize {
        let depths = resources::consumed_queues(&self.stack).filter_map(|queue| self.services.sqs.depth(queue).ok());
        depths.map(|depth| depth.visible + depth.in_flight + depth.delayed).sum()
    }

    /// Ends every function process and every server; returns when they are gone.
    pub async fn shutdown(&self) {
        self.services.events.stop();
        self.services.scheduler.stop();
        self.services.lambda.shutdown().await;
        let mut servers = std::mem::take(&mut *self.servers.lock().unwrap_or_else(PoisonError::into_inner));
        servers.shutdown().await;
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.services.events.stop();
        self.services.scheduler.stop();
        self.services.destinations.disconnect();
    }
}
