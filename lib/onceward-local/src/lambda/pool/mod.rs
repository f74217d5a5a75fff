//! The environments of one function: how many there are, which is free, when one is replaced.

mod attached;
mod kill;
mod lifecycle;
mod readiness;
mod replacement;
mod slots;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
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
    environment::{Answer, Environment, Job, Phase},
    error::LambdaError,
    failure::{InitFailure, exited},
    log::{LogSink, Tail},
    mapping::LastFailures,
    platform::{self, Usage},
    spec::{FunctionSpec, Invocation},
    tasks::Tasks,
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
    /// Of its messages, for those that are given up without a reason.
    pub(super) failures: Arc<LastFailures>,
    pub(super) created: DateTime<Utc>,
    state: Mutex<State>,
    /// Sent to after each change of the state that somebody may wait for.
    changes: watch::Sender<()>,
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
    /// The last start failed. Until then invocations fail without another one.
    failing: Option<(Arc<InitFailure>, Instant)>,
    /// Starts that failed, ever.
    failed: u64,
    last_failure: Option<Arc<InitFailure>>,
}

#[derive(Debug)]
struct Alive {
    environment: Environment,
    initialised: bool,
    /// On its way out.
    retiring: bool,
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
            failures: Arc::default(),
            created: Utc::now(),
            state: Mutex::default(),
            changes: watch::Sender::new(()),
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

    /// Runs one invocation in the slot `permit`.
    pub(super) async fn run(self: &Arc<Self>, mut permit: Permit, request: Request) -> Result<Finished, LambdaError> {
        for _ in 0..DISPATCHES_MAX {
            if *self.stop.borrow() {
                return Err(LambdaError::ShuttingDown);
            }
            let environment = match self.checkout() {
                Ok(environment) => environment,
                Err(failure) => return Ok(self.unstarted(&failure, request.id, None)),
            };
            self.kill_on_purpose(&environment).await;
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
                Ok(Answer::NotDelivered(returned)) => permit = returned,
                Err(_) => return Err(LambdaError::ShuttingDown),
            }
        }
        Ok(Finished { invocation: exited(&request.id, None), request_id: request.id, log: Vec::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A free environment, or a new one. For a while after the function has failed to start: that failure.
    fn checkout(self: &Arc<Self>) -> Result<Environment, Arc<InitFailure>> {
        let mut state = self.lock();
        state.wanted = true;
        if let Some(environment) = state.idle.pop() {
            return Ok(environment);
        }
        match &state.failing {
            Some((failure, retry_at)) if Instant::now() < *retry_at => Err(Arc::clone(failure)),
            Some(_) => Ok(self.launch(&mut state, Phase::Invoke)),
            None => Ok(self.launch(&mut state, Phase::Init)),
        }
    }

    fn launch(self: &Arc<Self>, state: &mut State, phase: Phase) -> Environment {
        state.last_index += 1;
        let environment = Environment::launch(self, state.last_index, phase);
        state
            .alive
            .insert(environment.index, Alive { environment: environment.clone(), initialised: false, retiring: false });
        self.changes.send_replace(());
        environment
    }

    /// Starts an environment if there is none. A function that has failed to start waits for an invocation.
    fn warm(self: &Arc<Self>) {
        let mut state = self.lock();
        state.wanted = true;
        if state.failing.is_none() {
            self.launch_first(&mut state);
        }
    }

    fn launch_first(self: &Arc<Self>, state: &mut State) {
        if state.staying() == 0 {
            let environment = self.launch(state, Phase::Init);
            state.idle.push(environment);
        }
    }

    /// The outcome of an invocation without a process, written to the log as Lambda does. `took` is how long the start
    /// took that failed; none if the failure was on record.
    pub(super) fn unstarted(&self, failure: &InitFailure, request_id: String, took: Option<Duration>) -> Finished {
        let invocation = failure.invocation(&request_id, self.spec.timeout);
        let start = platform::start(&self.spec, &request_id);
        let usage = Usage { duration: took.unwrap_or_default(), ..Usage::default() };
        let end = platform::end(&self.spec, &request_id, usage, &failure.ended);
        let tail = Tail::default();
        failure.log.iter().chain(took.map(|_| &failure.init_report)).for_each(|line| tail.push(line));
        for line in std::iter::once(start).chain(end) {
            self.logs.put(&self.spec.log_group(), &self.spec.name, &failure.log_stream, &line);
            tail.push(&line);
        }
        Finished { request_id, invocation, log: tail.lines() }
    }

    fn not_started(&self, failure: Option<&InitFailure>) -> LambdaError {
        let (reason, log) = failure.map(|failure| (failure.reason.clone(), failure.log.clone())).unwrap_or_default();
        LambdaError::InitFailed { function: self.spec.name.clone(), reason, log }
    }
}

impl State {
    /// Whether some environment has asked for an event.
    fn is_up(&self) -> bool {
        self.alive.values().any(|alive| alive.initialised)
    }

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
