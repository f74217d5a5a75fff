//! The life of a process, from its start to the reason for its end.

mod init;

use std::{
    process::ExitStatus,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::{
    process::Child,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

pub use self::init::INIT_MAX;
pub(super) use self::init::NotStarted;
use super::{
    Answer, End, Environment, Job, Last,
    runtime_api::{Call, Delivery, Outcome, RuntimeApi},
};
use crate::lambda::{
    failure::{Ended, UNHANDLED, exit_reason, exited, response_too_large, timed_out},
    log::{Flush, Source},
    platform::{self, Usage},
    pool::{Pool, Request},
    spec::Invocation,
    tasks::stopped,
};

/// An environment that did nothing for this long ends, unless it is its function's only one.
pub const IDLE_MAX: Duration = Duration::from_mins(1);
/// The shutdown phase of a process with an internal extension: after SIGTERM it has this long until it is killed.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>
const SHUTDOWN_MAX: Duration = Duration::from_millis(500);
/// How long its output may take to be read after its end. A child of its own may hold the pipes open.
const OUTPUT_MAX: Duration = Duration::from_millis(200);

/// A running process.
#[derive(Debug)]
pub(super) struct Life {
    pool: Arc<Pool>,
    environment: Environment,
    child: Child,
    api: RuntimeApi,
    /// The process's open `next`.
    next: Option<oneshot::Sender<Delivery>>,
    /// What it prints, and what Lambda says about it.
    log: Source,
    output: Vec<JoinHandle<()>>,
    flushes: Vec<mpsc::Sender<Flush>>,
    /// How long it took to ask for its first event, until an invocation has reported that.
    init: Option<Duration>,
    stop: watch::Receiver<bool>,
    /// Whether it has an extension, and so is told before it is stopped.
    has_extension: bool,
}

/// What an invocation is waiting for, seen from the environment.
enum Step {
    Answered(Outcome),
    Died(Option<ExitStatus>),
    TimedOut,
    Stopped,
}

impl Life {
    /// From the process's first request for an event to the reason for its end. It may have been started for a job, which
    /// began then.
    pub(super) async fn live(mut self, first: Option<(Job, Instant)>, jobs: &mut mpsc::Receiver<Job>) -> (End, Last) {
        self.pool.initialised(self.environment.index);
        let ended = self.work(first, jobs).await;
        if matches!(ended.0, End::Stopped) {
            self.shut_down().await;
        }
        self.finish().await;
        ended
    }

    async fn work(&mut self, first: Option<(Job, Instant)>, jobs: &mut mpsc::Receiver<Job>) -> (End, Last) {
        if let Some((job, began)) = first
            && let Some(ended) = self.serve(job, began).await
        {
            return ended;
        }
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return (End::Stopped, None),
                Some(job) = jobs.recv() => {
                    self.log.tail.clear();
                    if let Some(ended) = self.serve(job, Instant::now()).await {
                        return ended;
                    }
                }
                Some(call) = self.api.calls.recv() => match call {
                    Call::Next(sender) => self.next = Some(sender),
                    Call::Extension => self.has_extension = true,
                    Call::Finished { .. } | Call::InitError(_) => {}
                },
                status = self.child.wait() => return (End::DiedIdle(status.ok()), None),
                () = self.environment.retired.notified() => return (End::Stopped, None),
                () = sleep(IDLE_MAX) => {
                    if self.pool.retire(self.environment.index) {
                        return (End::Stopped, None);
                    }
                }
            }
        }
    }

    /// Runs one job, whose time counts from `began`; says why the environment ended, if it did.
    async fn serve(&mut self, job: Job, began: Instant) -> Option<(End, Last)> {
        let Job { request: Request { id: request_id, trace_id, client_context, payload }, permit, reply } = job;
        let limit = self.pool.spec.timeout;
        let left = limit.saturating_sub(began.elapsed());
        let deadline_ms = chrono::Utc::now().timestamp_millis() + i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        let function_arn = self.pool.function_arn();
        let mut delivery = Some(Delivery {
            request_id: request_id.clone(),
            deadline_ms,
            function_arn,
            trace_id,
            client_context,
            payload,
        });
        self.log.platform(&platform::start(&self.pool.spec, &request_id));
        let (invocation, ended) = match self.exchange(&request_id, &mut delivery, began + limit).await {
            Step::Answered(Outcome::Response(payload)) => {
                (Invocation { payload, function_error: None }, Ended::Answered)
            }
            Step::Answered(Outcome::Error(payload)) => {
                (Invocation { payload, function_error: Some(UNHANDLED.to_owned()) }, Ended::Answered)
            }
            Step::Answered(Outcome::TooLarge) => (response_too_large(), Ended::Answered),
            Step::Died(status) if delivery.is_some() => {
                return Some((End::DiedIdle(status), Some((reply, None, Answer::NotDelivered(permit)))));
            }
            Step::Died(status) => {
                let ended = Ended::Failed { error_type: "Runtime.ExitError".to_owned(), reason: exit_reason(status) };
                (exited(&request_id, status), ended)
            }
            Step::TimedOut => (timed_out(&request_id, limit), Ended::TimedOut),
            Step::Stopped => return Some((End::Stopped, None)),
        };
        let died = ended != Ended::Answered;
        self.report(&request_id, began.elapsed(), &ended).await;
        let answer = Answer::Finished { invocation, log: self.log.tail.lines() };
        if died {
            return Some((End::DiedAtWork, Some((reply, Some(permit), answer))));
        }
        // Free before the caller knows, so that the caller's next invocation finds it.
        let keep = self.pool.served(&self.environment);
        drop(permit);
        let _ = reply.send(answer);
        if keep { None } else { Some((End::Stopped, None)) }
    }

    /// Ends the log of an invocation, after all that the function has printed for it.
    async fn report(&mut self, request_id: &str, duration: Duration, ended: &Ended) {
        let memory_mb = platform::memory_mb(self.child.id());
        if *ended == Ended::Answered {
            self.flush().await;
        } else {
            // Gone, and its last lines read, before its caller is told.
            self.finish().await;
        }
        let usage = Usage { duration, init: self.init.take(), memory_mb };
        for line in platform::end(&self.pool.spec, request_id, usage, ended) {
            self.log.platform(&line);
        }
    }

    /// Waits until what the process has printed so far is read.
    async fn flush(&self) {
        for reader in &self.flushes {
            let (sender, flushed) = oneshot::channel();
            if reader.send(sender).await.is_ok() {
                let _ = timeout(OUTPUT_MAX, flushed).await;
            }
        }
    }

    /// Gives `delivery` to the process and waits for its answer.
    async fn exchange(&mut self, request_id: &str, delivery: &mut Option<Delivery>, deadline: Instant) -> Step {
        loop {
            if delivery.is_some()
                && let Some(next) = self.next.take()
                && let Some(given) = delivery.take()
            {
                // A `next` whose connection broke gives the job back; the process will ask again.
                *delivery = next.send(given).err();
            }
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return Step::Stopped,
                Some(call) = self.api.calls.recv() => match call {
                    Call::Next(sender) if delivery.is_some() => self.next = Some(sender),
                    Call::Finished { request_id: id, outcome, accepted } if id == request_id => {
                        let _ = accepted.send(());
                        return Step::Answered(outcome);
                    }
                    // Dropping a call refuses it.
                    Call::Next(_) | Call::Finished { .. } | Call::InitError(_) | Call::Extension => {}
                },
                // An answer that was acknowledged came in above, before this end is looked at.
                status = self.child.wait() => return Step::Died(status.ok()),
                () = sleep_until(deadline) => return Step::TimedOut,
            }
        }
    }

    /// Asks a process with an extension to come to its end, and waits for that as long as Lambda does.
    async fn shut_down(&mut self) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid.filter(|_| self.has_extension)
            && kill_process(pid, Signal::TERM).is_ok()
        {
            let _ = timeout(SHUTDOWN_MAX, self.end()).await;
        }
    }

    /// Takes the last answers, which nobody waits for any more, until the process has ended.
    async fn end(&mut self) {
        loop {
            tokio::select! {
                biased;
                Some(call) = self.api.calls.recv() => {
                    if let Call::Finished { accepted, .. } = call {
                        let _ = accepted.send(());
                    }
                }
                _ = self.child.wait() => return,
            }
        }
    }

    /// Kills and reaps the process, if that is still to do, and reads what it left to print. What it started goes with
    /// it, as with a sandbox: a script's commands would live on.
    async fn finish(&mut self) {
        self.environment.pid.store(0, Ordering::Relaxed);
        if let Some(group) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            // It leads a group of its own, which may be gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.kill().await;
        for reading in self.output.drain(..) {
            let abort = reading.abort_handle();
            if timeout(OUTPUT_MAX, reading).await.is_err() {
                abort.abort();
            }
        }
    }
}
