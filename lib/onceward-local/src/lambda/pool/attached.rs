//! A function that is left to a debugger: one environment, without a process of ours.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Pool, Slots, WAITING_MAX};
use crate::lambda::environment::{RuntimeApi, log_stream, variables};

/// The Runtime API of such a function, until its environment has it.
pub(super) type Address = Mutex<Option<RuntimeApi>>;

impl Pool {
    /// Leaves the function to a process that somebody else starts, and answers that process's environment. For a new pool,
    /// before anybody else has it.
    pub(in crate::lambda) fn attach(self: &mut Arc<Self>) -> io::Result<BTreeMap<String, String>> {
        let api = RuntimeApi::listen_at_once()?;
        let variables = variables(&self.spec, &self.account, &log_stream(&self.spec), api.address);
        let pool = Arc::get_mut(self).ok_or_else(|| io::Error::other("the function is in use already"))?;
        // One process, one invocation at a time.
        pool.slots = Slots::new(1, WAITING_MAX);
        pool.attached = Some(Mutex::new(Some(api)));
        self.warm();
        Ok(variables.into_iter().collect())
    }

    pub(in crate::lambda) fn is_attached(&self) -> bool {
        self.attached.is_some()
    }

    /// What the environment of an attached function serves.
    pub(in crate::lambda) fn take_runtime_api(&self) -> Option<RuntimeApi> {
        self.attached.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The process of `index` has gone, and may come back.
    pub(in crate::lambda) fn left(&self, index: u32) {
        if let Some(alive) = self.lock().alive.get_mut(&index) {
            alive.initialised = false;
        }
        self.changes.send_replace(());
    }
}
