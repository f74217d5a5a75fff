//! The handle of the local Lambda.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::{
    error::LambdaError,
    log::LogSink,
    mapping::Listed,
    pool::{Finished, Pool, Request},
    spec::{FunctionSpec, Invocation},
    tasks::Tasks,
};
use crate::{account::Account, destination::Destinations, faults::Faults, logs::Logs};

/// Largest payload of a synchronous invocation.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const REQUEST_BYTES_MAX: usize = 6_291_456;
/// Largest payload of an asynchronous invocation.
pub const EVENT_BYTES_MAX: usize = 1_048_576;
/// Most asynchronous invocations that are not done yet, of all functions.
pub const EVENTS_MAX: usize = 1_000;

/// The version every function has.
pub(super) const VERSION: &str = "$LATEST";

/// The local Lambda. Cloning gives another handle to the same one.
#[derive(Debug, Clone)]
pub struct Lambda {
    inner: Arc<Inner>,
    faults: Faults,
}

#[derive(Debug)]
struct Inner {
    account: Account,
    sink: LogSink,
    logs: Logs,
    destinations: Destinations,
    tasks: Tasks,
    /// Room for asynchronous invocations.
    events: Arc<Semaphore>,
    functions: Mutex<BTreeMap<String, Arc<Pool>>>,
    mappings: Mutex<Vec<Listed>>,
}

impl Lambda {
    /// A Lambda without functions. What they print goes to `log`, and with Lambda's own lines to `logs`; what their
    /// asynchronous invocations and event source mappings tell others goes through `destinations`.
    pub fn new(account: Account, log: LogSink, logs: Logs, destinations: Destinations) -> Self {
        let inner = Inner {
            account,
            sink: log,
            logs,
            destinations,
            tasks: Tasks::new(),
            events: Arc::new(Semaphore::new(EVENTS_MAX)),
            functions: Mutex::default(),
            mappings: Mutex::default(),
        };
        Self { inner: Arc::new(inner), faults: Faults::default() }
    }

    /// With what goes wrong with the functions that are created by this handle, on purpose.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Makes `spec` known. No process starts before somebody needs it.
    pub fn create_function(&self, spec: FunctionSpec) -> Result<(), LambdaError> {
        self.create(spec, |_| Ok(()))
    }

    /// Makes `spec` known, and leaves it to a process that somebody else starts, most often in a debugger: with the
    /// variables that this answers. Invocations wait for that process; it may come and go; nothing times out. Must be
    /// called from within a Tokio runtime.
    pub fn create_attached(&self, spec: FunctionSpec) -> Result<BTreeMap<String, String>, LambdaError> {
        let function = spec.name.clone();
        self.create(spec, |pool| {
            pool.attach().map_err(|error| LambdaError::InitFailed {
                function,
                reason: format!("no port for its Runtime API: {error}"),
                log: Vec::new(),
            })
        })
    }

    fn create<T>(
        &self,
        spec: FunctionSpec,
        prepare: impl FnOnce(&mut Arc<Pool>) -> Result<T, LambdaError>,
    ) -> Result<T, LambdaError> {
        let mut functions = self.inner.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if functions.contains_key(&spec.name) {
            return Err(LambdaError::FunctionExists { function: spec.name });
        }
        let name = spec.name.clone();
        let Inner { account, sink, logs, tasks, .. } = &*self.inner;
        let (account, sink, logs, tasks) = (account.clone(), sink.clone(), logs.clone(), tasks.clone());
        let mut pool = Pool::new(spec, account, sink, logs, tasks, self.faults.clone());
        let prepared = prepare(&mut pool)?;
        functions.insert(name, pool);
        Ok(prepared)
    }

    /// Whether `name` is left to a process that somebody else starts.
    pub fn is_attached(&self, name: &str) -> Result<bool, LambdaError> {
        Ok(self.pool(name)?.is_attached())
    }

    /// Keeps one environment of `name` ready from now on. Returns when the first has asked for an event, or with
    /// [`LambdaError::InitFailed`] if it did not; it is tried again nevertheless.
    pub async fn start(&self, name: &str) -> Result<(), LambdaError> {
        self.pool(name)?.start().await
    }

    /// Starts `name` anew from its executable, which has changed: what runs ends on the process it is in, what comes
    /// next gets a new one.
    pub fn replace(&self, name: &str) -> Result<(), LambdaError> {
        self.pool(name)?.replace();
        Ok(())
    }

    /// Invokes `name` (or its ARN) and waits for the outcome. What the function does wrong is an [`Invocation`] with
    /// `function_error`; an error means that it did not run.
    pub async fn invoke(&self, name: &str, payload: Bytes) -> Result<Invocation, LambdaError> {
        Ok(self.invoke_request(name, Request::new(payload, None)).await?.invocation)
    }

    /// Names of all functions.
    pub fn functions(&self) -> Vec<String> {
        self.inner.functions.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Ids of the processes of `name`: for whoever wants to kill one.
    pub fn processes(&self, name: &str) -> Result<Vec<u32>, LambdaError> {
        Ok(self.pool(name)?.processes())
    }

    /// Ends every poller and every process; returns when all are gone. Invocations under way are lost.
    pub async fn shutdown(&self) {
        self.inner.tasks.shutdown().await;
    }

    pub(super) async fn invoke_request(&self, name: &str, request: Request) -> Result<Finished, LambdaError> {
        if request.payload.len() > REQUEST_BYTES_MAX {
            return Err(LambdaError::RequestTooLarge { bytes_max: REQUEST_BYTES_MAX });
        }
        let pool = self.pool(name)?;
        let permit = pool.admit().await?;
        pool.run(permit, request).await
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(super) fn destinations(&self) -> &Destinations {
        &self.inner.destinations
    }

    pub(super) fn events(&self) -> &Arc<Semaphore> {
        &self.inner.events
    }

    /// Event source mappings, in the order they were made.
    pub(super) fn mappings(&self) -> Vec<Listed> {
        self.inner.mappings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn list_mapping(&self, mapping: Listed) {
        self.inner.mappings.lock().unwrap_or_else(PoisonError::into_inner).push(mapping);
    }

    pub(super) fn account(&self) -> &Account {
        &self.inner.account
    }

    pub(super) fn sink(&self) -> &LogSink {
        &self.inner.sink
    }

    pub(super) fn tasks(&self) -> &Tasks {
        &self.inner.tasks
    }

    /// By name, ARN or partial ARN (`{account}:function:{name}`). The only version is `$LATEST`.
    pub(super) fn pool(&self, name: &str) -> Result<Arc<Pool>, LambdaError> {
        let (owner, rest) = name.split_once("function:").unwrap_or(("", name));
        let Account { id, .. } = &self.inner.account;
        if !["", &format!("{id}:"), &self.inner.account.arn("lambda", "")].contains(&owner) {
            return Err(LambdaError::FunctionNotFound { arn: name.to_owned() });
        }
        let (bare, qualifier) = rest.split_once(':').map_or((rest, None), |(bare, rest)| (bare, Some(rest)));
        let arn = || self.inner.account.arn("lambda", &format!("function:{bare}"));
        let functions = self.inner.functions.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = functions.get(bare).cloned().ok_or_else(|| LambdaError::FunctionNotFound { arn: arn() })?;
        match qualifier {
            None | Some(VERSION) => Ok(pool),
            Some(other) => Err(LambdaError::QualifierNotFound { arn: format!("{}:{other}", arn()) }),
        }
    }
}
