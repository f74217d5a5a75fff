//! The environments of one function: how many there are, which is free, when one is replaced.

mod attached;
mod kill;
mod lifecycle;
mod replacement;
mod slots;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};
use uuid::Uuid;

pub use self::lifecycle::{RESTART_DELAY_MAX, RESTART_DELAY_MIN};
pub(super) use self::slots::{Full, Permit, Slots};
use super::{
    environment::{Answer, Environment, Job},
    error::LambdaError,
    failure::{InitFailure, exited},
    log::{LogSink, Tail},
    platform::{self, Usage},
    spec::{FunctionSpec, Invocation},
    tasks::{Tasks, stopped},
};
use crate::{account::Account, faults::Faults, logs::Logs};

/// Most processes of one function at once.
pub const ENVIRONMENTS_MAX: usize = 10;
/// Most invocations of one function that wait for a process; more are refused.
pub const WAITING_MAX: usize = 1_000;
/// How many environments may end before they take a job until the job fails.
const DISPATCHES_MAX: u32 = 3;

/// The environments of one function.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) spec: FunctionSpec,
    pub(super) account: Account,
    pub(super) sink: LogSink,
    pub(super) logs: Logs,
    pub(super) tasks: Tasks,
    faults: Faults,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) slots: Arc<Slots>,
    /// Of a function that is left to a debugger.
    attached: Option<attached::Address>,
    pub(super) created: DateTime<Utc>,
    state: Mutex<State>,
    health: watch::Sender<Health>,
}

#[derive(Debug, Default)]
struct State {
    /// The last one was used last: the first ones idle out.
    idle: Vec<Environment>,
    /// All that run or start, by index.
    alive: BTreeMap<u32, Alive>,
    last_index: u32,
    /// Somebody needs this function, so one environment is kept ready.
    wanted: bool,
    /// Failures in a row.
    failures: u32,
    failing: Option<(InitFailure, Instant)>,
}

#[derive(Debug)]
struct Alive {
    environment: Environment,
    initialised: bool,
    /// On its way out.
    retiring: bool,
}

/// What those who wait for a function to come up look at.
#[derive(Debug, Clone, Default)]
struct Health {
    /// Environments that have asked for an event.
    up: usize,
    /// Environments that ended before they did, ever.
    failed: u64,
    last_failure: Option<InitFailure>,
}

/// A finished invocation and the last lines its process printed.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) request_id: String,
    pub(super) invocation: Invocation,
    pub(super) log: Vec<String>,
}

/// What is asked of a function.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// The retries of an asynchronous invocation keep theirs.
    pub(super) id: String,
    /// An X-Ray trace header.
    pub(super) trace_id: String,
    /// What the client tells of itself, as JSON: synchronous invocations only.
    pub(super) client_context: Option<String>,
    pub(super) payload: Bytes,
}

impl Request {
    /// A request with an id of its own, and with a trace of its own if it comes without.
    pub(super) fn new(payload: Bytes, trace_id: Option<String>) -> Self {
        let trace_id = trace_id.unwrap_or_else(new_trace_id);
        Self { id: Uuid::new_v4().to_string(), trace_id, client_context: None, payload }
    }
}

impl Pool {
    pub(super) fn new(
        spec: FunctionSpec,
        account: Account,
        sink: LogSink,
        logs: Logs,
        tasks: Tasks,
        faults: Faults,
    ) -> Arc<Self> {
        let stop = tasks.stop();
        let (running, waiting) = match spec.reserved_concurrency {
            Some(reserved) => (reserved.min(ENVIRONMENTS_MAX), reserved.saturating_sub(ENVIRONMENTS_MAX)),
            None => (ENVIRONMENTS_MAX, WAITING_MAX),
        };
        let slots = Slots::new(running, waiting);
        let health = watch::Sender::new(Health::default());
        logs.create_group(&spec.log_group());
        Arc::new(Self {
            spec,
            account,
            sink,
            logs,
            tasks,
            faults,
            stop,
            slots,
            attached: None,
            created: Utc::now(),
            state: Mutex::default(),
            health,
        })
    }

    /// A slot for an invocation from outside.
    pub(super) async fn admit(&self) -> Result<Permit, LambdaError> {
        self.slots.acquire().await.map_err(|Full { running, waiting }| {
            let function = self.spec.name.clone();
            match self.spec.reserved_concurrency {
                Some(_) => LambdaError::Throttled { function },
                None => LambdaError::TooManyRequests { function, running, waiting },
            }
        })
    }

    pub(super) fn function_arn(&self) -> String {
        self.account.arn("lambda", &format!("function:{}", self.spec.name))
    }

    /// Ids of the running processes.
    pub(super) fn processes(&self) -> Vec<u32> {
        self.lock().alive.values().filter_map(|alive| alive.environment.pid()).collect()
    }

    /// Keeps one environment ready from now on; waits until the first is up, or has failed.
    pub(super) async fn start(self: &Arc<Self>) -> Result<(), LambdaError> {
        let mut health = self.health.subscribe();
        let failed = health.borrow().failed;
        self.warm();
        let mut stop = self.stop.clone();
        let health = tokio::select! {
            () = stopped(&mut stop) => return Err(LambdaError::ShuttingDown),
            health = health.wait_for(|health| health.up > 0 || health.failed > failed) => health,
        };
        match health {
            Ok(health) if health.up > 0 => Ok(()),
            Ok(health) => Err(self.not_started(health.last_failure.clone())),
            Err(_) => Err(LambdaError::ShuttingDown),
        }
    }

    /// Resolves when some environment is up: before that, an event source must take nothing from its source.
    pub(super) async fn up(self: &Arc<Self>) {
        let mut health = self.health.subscribe();
        self.warm();
        let _ = health.wait_for(|health| health.up > 0).await;
    }

    /// Resolves when no environment is up (any more).
    pub(super) async fn down(&self) {
        let _ = self.health.subscribe().wait_for(|health| health.up == 0).await;
    }

    /// Runs one invocation in the slot `permit`.
    pub(super) async fn run(self: &Arc<Self>, mut permit: Permit, request: Request) -> Result<Finished, LambdaError> {
        for _ in 0..DISPATCHES_MAX {
            if *self.stop.borrow() {
                return Err(LambdaError::ShuttingDown);
            }
            let environment = match self.checkout() {
                Ok(environment) => environment,
                Err(failure) => return Ok(self.unstarted(&failure, request.id)),
            };
            self.kill_on_purpose(&environment);
            let (reply, answer) = oneshot::channel();
            let job = Job { request: request.clone(), permit, reply };
            if let Err(job) = environment.submit(job) {
                permit = job.permit;
                continue;
            }
            match answer.await {
                Ok(Answer::Finished { invocation, log }) => {
                    return Ok(Finished { request_id: request.id, invocation, log });
                }
                Ok(Answer::InitFailed(failure)) => return Ok(self.unstarted(&failure, request.id)),
                Ok(Answer::NotDelivered(returned)) => permit = returned,
                Err(_) => return Err(LambdaError::ShuttingDown),
            }
        }
        Ok(Finished { invocation: exited(&request.id, None), request_id: request.id, log: Vec::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free environment, or a new one. While the function fails to start: the failure, at once.
    fn checkout(self: &Arc<Self>) -> Result<Environment, InitFailure> {
        let mut state = self.lock();
        state.wanted = true;
        if let Some(environment) = state.idle.pop() {
            return Ok(environment);
        }
        match &state.failing {
            Some((failure, retry_at)) if Instant::now() < *retry_at => Err(failure.clone()),
            _ => Ok(self.launch(&mut state)),
        }
    }

    fn launch(self: &Arc<Self>, state: &mut State) -> Environment {
        state.last_index += 1;
        let environment = Environment::launch(self, state.last_index);
        state
            .alive
            .insert(environment.index, Alive { environment: environment.clone(), initialised: false, retiring: false });
        environment
    }

    /// Starts an environment if there is none. While the function fails to start, its replacement is on its way.
    fn warm(self: &Arc<Self>) {
        let mut state = self.lock();
        state.wanted = true;
        let failing = state.failing.as_ref().is_some_and(|(_, retry_at)| Instant::now() < *retry_at);
        if state.staying() == 0 && !failing {
            let environment = self.launch(&mut state);
            state.idle.push(environment);
        }
    }

    /// The outcome of an invocation whose environment did not start, written to the log as Lambda does.
    fn unstarted(&self, failure: &InitFailure, request_id: String) -> Finished {
        let invocation = failure.invocation(&request_id);
        let start = platform::start(&self.spec, &request_id);
        let end = platform::end(&self.spec, &request_id, Usage::default(), &failure.ended());
        let tail = Tail::default();
        failure.log.iter().for_each(|line| tail.push(line));
        for line in std::iter::once(start).chain(end) {
            self.logs.put(&self.spec.log_group(), &self.spec.name, &failure.log_stream, &line);
            tail.push(&line);
        }
        Finished { request_id, invocation, log: tail.lines() }
    }

    fn not_started(&self, failure: Option<InitFailure>) -> LambdaError {
        let (reason, log) = failure.map(|failure| (failure.reason, failure.log)).unwrap_or_default();
        LambdaError::InitFailed { function: self.spec.name.clone(), reason, log }
    }
}

impl State {
    /// How many environments are not on their way out.
    fn staying(&self) -> usize {
        self.alive.values().filter(|alive| !alive.retiring).count()
    }
}

/// An X-Ray header of an unsampled trace. <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html>
fn new_trace_id() -> String {
    let random = Uuid::new_v4().simple().to_string();
    let parent = Uuid::new_v4().simple().to_string();
    let seconds = chrono::Utc::now().timestamp();
    format!("Root=1-{seconds:08x}-{};Parent={};Sampled=0", &random[..24], &parent[..16])
}
