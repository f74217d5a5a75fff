//! The tasks of one local Lambda, so that its shutdown can wait for all of them.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{sync::watch, task::JoinSet};

/// Every task of the pools and event sources. Tasks watch `stop` and end by themselves.
#[derive(Debug, Clone)]
pub(super) struct Tasks {
    running: Arc<Mutex<JoinSet<()>>>,
    stop: Arc<watch::Sender<bool>>,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self { running: Arc::default(), stop: Arc::new(watch::Sender::new(false)) }
    }

    /// Turns `true` when everything must end.
    pub(super) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Runs `task`, unless the end has begun.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if *self.stop.borrow() {
            return;
        }
        while running.try_join_next().is_some() {}
        running.spawn(task);
    }

    /// Tells all tasks to end and waits until they have.
    pub(super) async fn shutdown(&self) {
        let mut running = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            self.stop.send_replace(true);
            std::mem::take(&mut *running)
        };
        while running.join_next().await.is_some() {}
    }
}

/// Resolves when everything must end.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
