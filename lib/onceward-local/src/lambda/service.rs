//! The handle of the local Lambda.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Semaphore, time::sleep};

use super::{
    error::LambdaError,
    log::LogSink,
    pool::{Finished, Full, Pool},
    spec::{FunctionSpec, Invocation},
    tasks::{Tasks, stopped},
};
use crate::{account::Account, faults::Faults};

/// Largest payload of a synchronous invocation.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const REQUEST_BYTES_MAX: usize = 6_291_456;
/// Largest payload of an asynchronous invocation.
pub const EVENT_BYTES_MAX: usize = 1_048_576;
/// Most asynchronous invocations that are not done yet, of all functions.
pub const EVENTS_MAX: usize = 1_000;
/// Delays before the second and the third try of an asynchronous invocation that failed.
const EVENT_RETRY_DELAYS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

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
    tasks: Tasks,
    /// Room for asynchronous invocations.
    events: Arc<Semaphore>,
    functions: Mutex<BTreeMap<String, Arc<Pool>>>,
}

impl Lambda {
    /// A Lambda without functions; what they print goes to `log`.
    pub fn new(account: Account, log: LogSink) -> Self {
        let events = Arc::new(Semaphore::new(EVENTS_MAX));
        let inner = Inner { account, sink: log, tasks: Tasks::new(), events, functions: Mutex::default() };
        Self { inner: Arc::new(inner), faults: Faults::default() }
    }

    /// With what goes wrong with the functions that are created by this handle, on purpose.
    #[must_use]
    pub fn with_faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Makes `spec` known. No process starts before somebody needs it.
    pub fn create_function(&self, spec: FunctionSpec) -> Result<(), LambdaError> {
        let mut functions = self.inner.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if functions.contains_key(&spec.name) {
            return Err(LambdaError::FunctionExists { function: spec.name });
        }
        let name = spec.name.clone();
        let Inner { account, sink, tasks, .. } = &*self.inner;
        functions.insert(name, Pool::new(spec, account.clone(), sink.clone(), tasks.clone(), self.faults.clone()));
        Ok(())
    }

    /// Makes `spec` known, and leaves it to a process that somebody else starts, most often in a debugger: with the
    /// variables that this answers. Invocations wait for that process; it may come and go; nothing times out. Must be
    /// called from within a Tokio runtime.
    pub fn create_attached(&self, spec: FunctionSpec) -> Result<BTreeMap<String, String>, LambdaError> {
        let mut functions = self.inner.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if functions.contains_key(&spec.name) {
            return Err(LambdaError::FunctionExists { function: spec.name });
        }
        let name = spec.name.clone();
        let Inner { account, sink, tasks, .. } = &*self.inner;
        let mut pool = Pool::new(spec, account.clone(), sink.clone(), tasks.clone(), self.faults.clone());
        let variables = pool.attach().map_err(|error| LambdaError::InitFailed {
            function: name.clone(),
            reason: format!("no port for its Runtime API: {error}"),
            log: Vec::new(),
        })?;
        functions.insert(name, pool);
        Ok(variables)
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
        Ok(self.invoke_traced(name, payload, None).await?.invocation)
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

    pub(super) async fn invoke_traced(
        &self,
        name: &str,
        payload: Bytes,
        trace_id: Option<String>,
    ) -> Result<Finished, LambdaError> {
        if payload.len() > REQUEST_BYTES_MAX {
            return Err(LambdaError::RequestTooLarge { bytes_max: REQUEST_BYTES_MAX });
        }
        let pool = self.pool(name)?;
        let permit = pool.slots.acquire().await.map_err(|Full { running, waiting }| LambdaError::TooManyRequests {
            function: pool.spec.name.clone(),
            running,
            waiting,
        })?;
        pool.run(permit, payload, trace_id).await
    }

    /// Invokes `name` and does not wait. A failure is tried twice more, as Lambda does.
    pub(crate) fn invoke_later(&self, name: &str, payload: Bytes, trace_id: Option<String>) -> Result<(), LambdaError> {
        if payload.len() > EVENT_BYTES_MAX {
            return Err(LambdaError::RequestTooLarge { bytes_max: EVENT_BYTES_MAX });
        }
        let pool = self.pool(name)?;
        let room = Arc::clone(&self.inner.events).try_acquire_owned().map_err(|_| LambdaError::TooManyRequests {
            function: pool.spec.name.clone(),
            running: pool.processes().len(),
            waiting: EVENTS_MAX,
        })?;
        let (lambda, mut stop) = (self.clone(), self.inner.tasks.stop());
        self.inner.tasks.spawn(async move {
            let tries = lambda.try_again(&pool, payload, trace_id);
            tokio::select! {
                () = stopped(&mut stop) => {}
                () = tries => {}
            }
            drop(room);
        });
        Ok(())
    }

    async fn try_again(&self, pool: &Pool, payload: Bytes, trace_id: Option<String>) {
        let name = &pool.spec.name;
        for delay in EVENT_RETRY_DELAYS.into_iter().map(Some).chain([None]) {
            let reason = match self.invoke_traced(name, payload.clone(), trace_id.clone()).await {
                Ok(Finished { invocation: Invocation { function_error: None, .. }, .. }) => return,
                Ok(finished) => String::from_utf8_lossy(&finished.invocation.payload).into_owned(),
                Err(error) => error.to_string(),
            };
            let next = delay.map_or("given up".to_owned(), |delay| format!("next try in {} s", delay.as_secs()));
            let message = format!("asynchronous invocation of {name} failed, {next}: {reason}");
            self.inner.sink.report(name, 0, "ERROR", &message);
            if let Some(delay) = delay {
                sleep(delay).await;
            }
        }
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

    /// By name, ARN or partial ARN (`{account}:function:{name}`), with or without a version.
    pub(super) fn pool(&self, name: &str) -> Result<Arc<Pool>, LambdaError> {
        let bare = match name.split_once("function:") {
            Some((_, rest)) => rest,
            None => name,
        };
        let bare = bare.split(':').next().unwrap_or(bare);
        let functions = self.inner.functions.lock().unwrap_or_else(PoisonError::into_inner);
        functions.get(bare).cloned().ok_or_else(|| LambdaError::FunctionNotFound {
            arn: self.inner.account.arn("lambda", &format!("function:{bare}")),
        })
    }
}
