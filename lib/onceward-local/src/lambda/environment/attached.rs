//! An environment whose process somebody else starts, most often in a debugger. It may come and go; nothing is killed,
//! and nothing times out.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{
    Answer, Environment, Job,
    runtime_api::{Call, Delivery, Outcome, RuntimeApi},
};
use crate::lambda::{
    failure::{UNHANDLED, exited, response_too_large},
    pool::{Pool, Request},
    spec::Invocation,
    tasks::stopped,
};

/// The deadline that invocations are told, from when they are delivered: the longest timeout a function can have. What
/// the function makes of it is its own affair; here nothing happens then.
pub const ATTACHED_DEADLINE: Duration = Duration::from_mins(15);

/// How long a process that has answered may take to ask for the next event before it counts as gone: it may have died in
/// between. One that merely stands at a breakpoint there is back as soon as it asks.
const NEXT_MAX: Duration = Duration::from_secs(1);

/// The Runtime API, and who is there.
struct Attached {
    pool: Arc<Pool>,
    environment: Environment,
    api: RuntimeApi,
    /// The open `next` of the process.
    next: Option<oneshot::Sender<Delivery>>,
    /// A process has asked for an event, and not gone away since.
    present: bool,
}

/// Serves until everything ends.
pub(super) async fn run(pool: Arc<Pool>, environment: Environment, mut jobs: mpsc::Receiver<Job>, api: RuntimeApi) {
    let mut stop = pool.stop.clone();
    let mut attached = Attached { pool, environment, api, next: None, present: false };
    let serve = async {
        loop {
            tokio::select! {
                biased;
                Some(job) = jobs.recv() => attached.serve(job).await,
                Some(call) = attached.api.calls.recv() => match call {
                    Call::Next(sender) => attached.arrived(sender),
                    Call::InitError(payload) => attached.init_error(&payload),
                    Call::Finished { .. } | Call::Extension => {}
                },
                () = gone(&mut attached.next) => attached.left(),
                () = sleep(NEXT_MAX), if attached.present && attached.next.is_none() => attached.left(),
            }
        }
    };
    tokio::select! {
        () = stopped(&mut stop) => {}
        () = serve => {}
    }
}

/// Resolves when the connection of the open `next` breaks.
async fn gone(next: &mut Option<oneshot::Sender<Delivery>>) {
    match next {
        Some(sender) => sender.closed().await,
        None => std::future::pending().await,
    }
}

impl Attached {
    async fn serve(&mut self, job: Job) {
        let Job { request: Request { id: request_id, trace_id, client_context, payload }, permit, reply } = job;
        if !self.present {
            let (name, address) = (&self.pool.spec.name, self.api.address);
            self.report(&format!("an invocation waits until a process of {name} asks {address} for it"));
        }
        let function_arn = self.pool.function_arn();
        let mut delivery = Some(Delivery {
            request_id: request_id.clone(),
            deadline_ms: 0,
            function_arn,
            trace_id,
            client_context,
            payload,
        });
        let outcome = self.exchange(&request_id, &mut delivery).await;
        let invocation = match outcome {
            Some(Outcome::Response(payload)) => Invocation { payload, function_error: None },
            Some(Outcome::Error(payload)) => Invocation { payload, function_error: Some(UNHANDLED.to_owned()) },
            Some(Outcome::TooLarge) => response_too_large(),
            None => exited(&request_id, None),
        };
        self.pool.served(&self.environment);
        drop(permit);
        let _ = reply.send(Answer::Finished { invocation, log: Vec::new() });
    }

    /// Delivers to whoever asks, and waits for the answer. `None`: the process has begun anew before it answered.
    async fn exchange(&mut self, request_id: &str, delivery: &mut Option<Delivery>) -> Option<Outcome> {
        loop {
            if delivery.is_some()
                && let Some(next) = self.next.take()
                && let Some(mut given) = delivery.take()
            {
                let limit = i64::try_from(ATTACHED_DEADLINE.as_millis()).unwrap_or(i64::MAX);
                given.deadline_ms = chrono::Utc::now().timestamp_millis() + limit;
                // Its connection has broken: whoever asks next gets it.
                if let Err(returned) = next.send(given) {
                    *delivery = Some(returned);
                    self.left();
                }
                continue;
            }
            tokio::select! {
                biased;
                Some(call) = self.api.calls.recv() => match call {
                    Call::Next(sender) => {
                        self.arrived(sender);
                        if delivery.is_none() {
                            return None;
                        }
                    }
                    Call::Finished { request_id: id, outcome, accepted } if id == request_id => {
                        let _ = accepted.send(());
                        return Some(outcome);
                    }
                    Call::InitError(payload) => self.init_error(&payload),
                    // Dropping a call refuses it.
                    Call::Finished { .. } | Call::Extension => {}
                },
                () = gone(&mut self.next) => self.left(),
            }
        }
    }

    fn arrived(&mut self, next: oneshot::Sender<Delivery>) {
        self.next = Some(next);
        if !std::mem::replace(&mut self.present, true) {
            self.report("a process is attached");
            self.pool.initialised(self.environment.index);
        }
    }

    fn left(&mut self) {
        self.next = None;
        if std::mem::replace(&mut self.present, false) {
            self.report("the attached process has gone; start it again when you like");
            self.pool.left(self.environment.index);
        }
    }

    fn init_error(&self, payload: &[u8]) {
        self.report(&format!("the attached process did not start: {}", String::from_utf8_lossy(payload)));
    }

    fn report(&self, message: &str) {
        let function = &self.pool.spec.name;
        self.pool.sink.report(function, self.environment.index, "WARN", &format!("{function}: {message}"));
    }
}
