//! An execution environment: one process, its Runtime API and the task that owns both.
//!
//! The task is the only one that knows the process's state, so nothing here is locked. It takes jobs from its pool,
//! hands each to the process when that asks for one, and kills the process when it must.

mod life;
mod process;
mod runtime_api;

use std::{
    process::ExitStatus,
    sync::{Arc, atomic::AtomicU32, atomic::Ordering},
};

use tokio::sync::{Notify, mpsc, oneshot};

use self::life::Life;
pub use self::life::{IDLE_MAX, INIT_MAX};
use super::{
    failure::InitFailure,
    pool::{Permit, Pool, Request},
    spec::{FunctionSpec, Invocation},
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
    InitFailed(InitFailure),
    /// The process ended before it took the job: another may.
    NotDelivered(Permit),
}

/// Why an environment ended.
#[derive(Debug)]
pub(super) enum End {
    /// Told to, or idle for too long.
    Stopped,
    InitFailed(InitFailure),
    /// The process ended although it had nothing to do.
    DiedIdle(Option<ExitStatus>),
    /// It was killed at its timeout or ended by itself during an invocation.
    DiedAtWork,
}

impl Environment {
    /// Begins a process for `pool`; [`Environment::submit`] may be called at once.
    pub(super) fn launch(pool: &Arc<Pool>, index: u32) -> Self {
        let (sender, jobs) = mpsc::channel(1);
        let log_stream = log_stream(&pool.spec).into();
        let environment = Self { index, log_stream, jobs: sender, pid: Arc::default(), retired: Arc::default() };
        pool.tasks.spawn(run(Arc::clone(pool), environment.clone(), jobs));
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
fn log_stream(spec: &FunctionSpec) -> String {
    let (day, id) = (chrono::Utc::now().format("%Y/%m/%d"), uuid::Uuid::new_v4().simple());
    match spec.logging.group {
        None => format!("{day}/[$LATEST]{id}"),
        Some(_) => format!("{day}/{}[$LATEST]{id}", spec.name),
    }
}

async fn run(pool: Arc<Pool>, environment: Environment, mut jobs: mpsc::Receiver<Job>) {
    let (end, last) = match Life::begin(&pool, &environment).await {
        Ok(mut life) => {
            let ended = life.live(&mut jobs).await;
            if matches!(ended.0, End::Stopped) {
                life.shut_down().await;
            }
            life.finish().await;
            ended
        }
        Err(failure) => (End::InitFailed(failure), None),
    };
    let failure = if let End::InitFailed(failure) = &end { Some(failure.clone()) } else { None };
    pool.ended(environment.index, &end);
    if let Some((reply, permit, answer)) = last {
        drop(permit);
        let _ = reply.send(answer);
    }
    jobs.close();
    while let Some(job) = jobs.recv().await {
        let answer = match &failure {
            Some(failure) => Answer::InitFailed(failure.clone()),
            None => Answer::NotDelivered(job.permit),
        };
        let _ = job.reply.send(answer);
    }
}

/// An answer that is given only after the environment's end is on record.
type Last = Option<(oneshot::Sender<Answer>, Option<Permit>, Answer)>;
