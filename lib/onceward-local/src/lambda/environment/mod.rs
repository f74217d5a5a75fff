//! An execution environment: one process, its Runtime API and the task that owns both.
//!
//! The task is the only one that knows the process's state, so nothing here is locked. It takes jobs from its pool,
//! hands each to the process when that asks for one, and kills the process when it must.

mod attached;
mod life;
mod process;
mod runtime_api;

use std::{
    process::ExitStatus,
    sync::{Arc, atomic::AtomicU32, atomic::Ordering},
};

use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::Instant,
};

use self::life::{Life, NotStarted};
pub use self::{
    attached::ATTACHED_DEADLINE,
    life::{IDLE_MAX, INIT_MAX},
};
pub(super) use self::{process::variables, runtime_api::RuntimeApi};
use super::{
    failure::InitFailure,
    pool::{Finished, Permit, Pool, Request},
    spec::{FunctionSpec, Invocation},
    tasks::stopped,
};

/// An environment, as its pool keeps it.
#[derive(Debug, Clone)]
pub(super) struct Environment {
    pub(super) index: u32,
    /// Where its lines go, in its function's group.
    pub(super) log_stream: Arc<str>,
    jobs: mpsc::Sender<Job>,
    /// 0 before the process is there.
    pid: Arc<AtomicU32>,
    retired: Arc<Notify>,
}

/// An invocation for an environment.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) request: Request,
    /// Given back when the process is done, even if nobody waits for the answer any more.
    pub(super) permit: Permit,
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What became of a [`Job`].
#[derive(Debug)]
pub(super) enum Answer {
    Finished {
        invocation: Invocation,
        log: Vec<String>,
    },
    /// The process ended before it took the job: another may.
    NotDelivered(Permit),
}

/// Why an environment ended.
#[derive(Debug)]
pub(super) enum End {
    /// Told to, or idle for too long.
    Stopped,
    /// No process asked for an event: the last one was started in this phase.
    InitFailed(Phase, Arc<InitFailure>),
    /// The process ended although it had nothing to do.
    DiedIdle(Option<ExitStatus>),
    /// It was killed at its timeout or ended by itself during an invocation.
    DiedAtWork,
}

/// When a process is started.
/// <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#InitPhase>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Ahead of an invocation.
    Init,
    /// Within an invocation and its timeout, because the init phase has failed: a *suppressed init*.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html#troubleshooting-timeouts>
    Invoke,
}

impl Environment {
    /// An environment for `pool`; [`Environment::submit`] may be called at once. Its process is begun now, or with the first
    /// job.
    pub(super) fn launch(pool: &Arc<Pool>, index: u32, phase: Phase) -> Self {
        let (sender, jobs) = mpsc::channel(1);
        let log_stream = log_stream(&pool.spec).into();
        let environment = Self { index, log_stream, jobs: sender, pid: Arc::default(), retired: Arc::default() };
        match pool.take_runtime_api() {
            Some(api) => pool.tasks.spawn(attached::run(Arc::clone(pool), environment.clone(), jobs, api)),
            None => pool.tasks.spawn(run(Arc::clone(pool), environment.clone(), jobs, phase)),
        }
        environment
    }

    /// Hands over a job; gives it back if the environment has ended.
    pub(super) fn submit(&self, job: Job) -> Result<(), Job> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(job) | mpsc::error::TrySendError::Closed(job) => job,
        })
    }

    /// Tells an environment that gets no more jobs to end as soon as it has nothing to do.
    pub(super) fn retire(&self) {
        self.retired.notify_one();
    }

    /// The process's id, once there is a process.
    pub(super) fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }
}

/// `2026/11/21/[$LATEST]{id}`; in a group that functions may share, with the function's name.
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html>
pub(super) fn log_stream(spec: &FunctionSpec) -> String {
    let (day, id) = (chrono::Utc::now().format("%Y/%m/%d"), uuid::Uuid::new_v4().simple());
    match spec.logging.group {
        None => format!("{day}/[$LATEST]{id}"),
        Some(_) => format!("{day}/{}[$LATEST]{id}", spec.name),
    }
}

async fn run(pool: Arc<Pool>, environment: Environment, mut jobs: mpsc::Receiver<Job>, phase: Phase) {
    let (end, last) = live(&pool, &environment, &mut jobs, phase).await;
    pool.ended(environment.index, &end);
    if let Some((reply, permit, answer)) = last {
        drop(permit);
        let _ = reply.send(answer);
    }
    jobs.close();
    while let Some(job) = jobs.recv().await {
        let _ = job.reply.send(Answer::NotDelivered(job.permit));
    }
}

/// An answer that is given only after the environment's end is on record.
type Last = Option<(oneshot::Sender<Answer>, Option<Permit>, Answer)>;

async fn live(
    pool: &Arc<Pool>,
    environment: &Environment,
    jobs: &mut mpsc::Receiver<Job>,
    phase: Phase,
) -> (End, Last) {
    let job = match phase {
        Phase::Init => match Life::start(pool, environment, phase, INIT_MAX).await {
            Ok(life) => return life.live(None, jobs).await,
            Err(NotStarted::Stopped) => return (End::Stopped, None),
            Err(NotStarted::Failed(failure)) => match jobs.try_recv() {
                Ok(job) => {
                    pool.report_second_start(environment.index, &failure);
                    job
                }
                Err(_) => return (End::InitFailed(phase, failure), None),
            },
        },
        Phase::Invoke => {
            let mut stop = pool.stop.clone();
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return (End::Stopped, None),
                Some(job) = jobs.recv() => job,
            }
        }
    };
    start_for(job, pool, environment, jobs).await
}

/// Starts a process within the invocation that waits for it. If that fails, so has the invocation.
async fn start_for(
    job: Job,
    pool: &Arc<Pool>,
    environment: &Environment,
    jobs: &mut mpsc::Receiver<Job>,
) -> (End, Last) {
    let began = Instant::now();
    match Life::start(pool, environment, Phase::Invoke, pool.spec.timeout).await {
        Ok(life) => life.live(Some((job, began)), jobs).await,
        Err(NotStarted::Stopped) => (End::Stopped, None),
        Err(NotStarted::Failed(failure)) => {
            let Job { request, permit, reply } = job;
            let Finished { invocation, log, .. } = pool.unstarted(&failure, request.id, Some(began.elapsed()));
            let answer = Answer::Finished { invocation, log };
            (End::InitFailed(Phase::Invoke, failure), Some((reply, Some(permit), answer)))
        }
    }
}
