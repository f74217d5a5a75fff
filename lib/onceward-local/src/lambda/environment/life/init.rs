//! The start of a process, until it asks for its first event.
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib>

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    super::{
        Environment, Phase, process,
        runtime_api::{Call, listen},
    },
    Life, OUTPUT_MAX,
};
use crate::lambda::{
    failure::{Ended, InitFailure, exit_reason},
    log::{Source, Tail},
    platform,
    pool::Pool,
    tasks::stopped,
};

/// How long a process may take to ask for its first event. One that takes longer is started again within the next
/// invocation, and has that one's time.
pub const INIT_MAX: Duration = Duration::from_secs(10);

/// Why no process asks for an event.
#[derive(Debug)]
pub(in crate::lambda::environment) enum NotStarted {
    /// Everything ends.
    Stopped,
    Failed(Arc<InitFailure>),
}

/// The same, of a process that there is.
enum Unready {
    Stopped,
    Failed(Ended),
}

impl Life {
    /// Starts a process, and waits for as long as `limit` until it asks for its first event.
    pub(in crate::lambda::environment) async fn start(
        pool: &Arc<Pool>,
        environment: &Environment,
        phase: Phase,
        limit: Duration,
    ) -> Result<Self, NotStarted> {
        let began = Instant::now();
        let (ended, log) = match Self::begin(pool, environment).await {
            Ok(mut life) => match life.initialise(began + limit).await {
                Ok(()) => {
                    // Within an invocation it is part of that one's duration.
                    life.init = (phase == Phase::Init).then(|| began.elapsed());
                    return Ok(life);
                }
                Err(Unready::Stopped) => {
                    life.shut_down().await;
                    life.finish().await;
                    return Err(NotStarted::Stopped);
                }
                Err(Unready::Failed(ended)) => {
                    life.finish().await;
                    (ended, life.log.tail.lines())
                }
            },
            Err(reason) => {
                let reason = format!("Couldn't find valid bootstrap(s): [{}]: {reason}", pool.spec.bootstrap.display());
                (Ended::Failed { error_type: "Runtime.InvalidEntrypoint".to_owned(), reason }, Vec::new())
            }
        };
        let reason = match &ended {
            Ended::Failed { reason, .. } => reason.clone(),
            Ended::TimedOut | Ended::Answered => {
                format!("Runtime did not ask for its first event within {} seconds", limit.as_secs_f64())
            }
        };
        let init_report = platform::init_report(&pool.spec, phase, began.elapsed(), &ended);
        let log_stream = Arc::clone(&environment.log_stream);
        pool.logs.put(&pool.spec.log_group(), &pool.spec.name, &log_stream, &init_report);
        Err(NotStarted::Failed(Arc::new(InitFailure { ended, reason, log, log_stream, init_report })))
    }

    async fn begin(pool: &Arc<Pool>, environment: &Environment) -> Result<Self, String> {
        let api = listen().await.map_err(|error| format!("no port for its Runtime API: {error}"))?;
        let mut child = process::spawn(&pool.spec, &pool.account, &environment.log_stream, api.address)
            .map_err(|error| error.to_string())?;
        environment.pid.store(child.id().unwrap_or_default(), Ordering::Relaxed);
        let log = Source {
            function: pool.spec.name.clone(),
            environment: environment.index,
            log_group: pool.spec.log_group(),
            log_stream: Arc::clone(&environment.log_stream),
            tail: Tail::default(),
            sink: pool.sink.clone(),
            logs: pool.logs.clone(),
            failures: Arc::clone(&pool.failures),
        };
        let (mut output, mut flushes) = (Vec::new(), Vec::new());
        let mut flush = || {
            let (sender, receiver) = mpsc::channel(1);
            flushes.push(sender);
            receiver
        };
        output.extend(child.stdout.take().map(|stdout| tokio::spawn(log.clone().read(stdout, flush()))));
        output.extend(child.stderr.take().map(|stderr| tokio::spawn(log.clone().read(stderr, flush()))));
        Ok(Self {
            pool: Arc::clone(pool),
            environment: environment.clone(),
            child,
            api,
            next: None,
            log,
            output,
            flushes,
            init: None,
            stop: pool.stop.clone(),
            has_extension: false,
        })
    }

    async fn initialise(&mut self, deadline: Instant) -> Result<(), Unready> {
        let (error_type, reason) = loop {
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => return Err(Unready::Stopped),
                Some(call) = self.api.calls.recv() => match call {
                    Call::Next(sender) => {
                        self.next = Some(sender);
                        return Ok(());
                    }
                    Call::InitError(payload) => break reported(&payload),
                    Call::Extension => self.has_extension = true,
                    Call::Finished { .. } => {}
                },
                status = self.child.wait() => break ("Runtime.ExitError".to_owned(), exit_reason(status.ok())),
                () = sleep_until(deadline) => return Err(Unready::Failed(Ended::TimedOut)),
            }
        };
        // It may have more to say about the error it reported.
        let _ = timeout(OUTPUT_MAX, self.child.wait()).await;
        Err(Unready::Failed(Ended::Failed { error_type, reason }))
    }
}

/// What `init/error` says.
fn reported(payload: &[u8]) -> (String, String) {
    let report: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    let text = |field: &str, default: &str| report[field].as_str().unwrap_or(default).to_owned();
    (text("errorType", "Runtime.InitError"), text("errorMessage", "the function reported an error while it started"))
}
