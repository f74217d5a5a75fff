//! What a service does later: retries and schedules, as tasks that end with the cloud.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task::JoinSet;

/// The background tasks of one service. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Background {
    tasks: Arc<Mutex<Tasks>>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Tasks {
    running: JoinSet<()>,
    stopped: bool,
}

/// Why a task was not started: as many as may be are under way, the cloud is going down, or no Tokio runtime is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

impl Background {
    /// At most `limit` tasks at a time.
    pub(crate) fn new(limit: usize) -> Self {
        Self { tasks: Arc::default(), limit }
    }

    /// Runs `task` until it ends or the cloud does.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Result<(), Refused> {
        let runtime = Handle::try_current().map_err(|_| Refused)?;
        let mut tasks = self.locked();
        while tasks.running.try_join_next().is_some() {}
        if tasks.stopped || tasks.running.len() >= self.limit {
            return Err(Refused);
        }
        tasks.running.spawn_on(task, &runtime);
        Ok(())
    }

    /// Whether the cloud is going down.
    pub(crate) fn is_stopped(&self) -> bool {
        self.locked().stopped
    }

    /// Ends every task where it waits, and lets no other start.
    pub(crate) fn stop(&self) {
        let mut tasks = self.locked();
        tasks.stopped = true;
        // Dropped, not only aborted: the tasks hold the service that holds them.
        tasks.running = JoinSet::new();
    }

    fn locked(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;

    use super::*;

    #[tokio::test]
    async fn tasks_have_a_limit_and_end_with_the_cloud() {
        let background = Background::new(1);
        let held = Arc::new(());
        let weak: Weak<()> = Arc::downgrade(&held);
        let task = async move {
            std::future::pending::<()>().await;
            drop(held);
        };
        background.spawn(task).unwrap();
        assert_eq!(background.spawn(async {}), Err(Refused));
        background.stop();
        tokio::task::yield_now().await;
        assert_eq!(weak.strong_count(), 0);
        assert_eq!(background.spawn(async {}), Err(Refused));
    }
}
