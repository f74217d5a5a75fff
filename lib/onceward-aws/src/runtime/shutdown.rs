//! What happens between SIGTERM and the end of the process.
//! <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>

use std::{
    panic::AssertUnwindSafe,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use lambda_runtime::{Error, LambdaInvocation, Service, spawn_graceful_shutdown_handler, tower::Layer};
use onceward::Shutdown;
use tokio::sync::watch;

/// How long the answers of the invocations under way are waited for. Lambda kills the process 500 ms after SIGTERM.
const ANSWERS_WAIT_MAX: Duration = Duration::from_millis(450);

/// How many invocations are under way, from their arrival until their answer is delivered: the outermost layer.
#[derive(Debug, Clone, Default)]
pub(super) struct InFlight {
    count: watch::Sender<usize>,
}

/// One invocation under way.
struct Flight(watch::Sender<usize>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl<S> Layer<S> for InFlight {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, in_flight: self.clone() }
    }
}

/// A service whose invocations are counted.
#[derive(Debug, Clone)]
pub(super) struct Counted<S> {
    inner: S,
    in_flight: InFlight,
}

impl<S> Service<LambdaInvocation> for Counted<S>
where
    S: Service<LambdaInvocation, Response = (), Error = Error>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = BoxFuture<'static, Result<(), Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let count = self.in_flight.count.clone();
        count.send_modify(|count| *count += 1);
        let (flight, answer) = (Flight(count), self.inner.call(invocation));
        Box::pin(async move {
            let answer = answer.await;
            drop(flight);
            answer
        })
    }
}

/// From now on SIGTERM asks the function to come to its end: what runs gets a short grace, the rest of a batch is
/// reported as failed, unharmed, and the process ends when the answers are delivered.
///
/// Lambda sends SIGTERM only to environments with an extension, so this registers one that does nothing. Where that is
/// not possible the process goes on without: it can be killed at any moment anyway.
pub(super) async fn on_signal(shutdown: Shutdown, in_flight: InFlight) {
    let finish = move || async move {
        shutdown.request();
        let mut count = in_flight.count.subscribe();
        drop(tokio::time::timeout(ANSWERS_WAIT_MAX, count.wait_for(|count| *count == 0)).await);
    };
    // It panics if the extension is refused; the panic's own report would look like a fault of the function.
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let registered = AssertUnwindSafe(spawn_graceful_shutdown_handler(finish)).catch_unwind().await;
    std::panic::set_hook(report);
    if registered.is_err() {
        tracing::debug!("this host has no Extensions API: the function is not told before it is stopped");
    }
}
