//! New processes in place of those of an executable that has changed.

use std::sync::Arc;

use super::Pool;

impl Pool {
    /// From now on every invocation gets a process that starts after this. Those at work end when they have answered,
    /// the others at once.
    pub(in crate::lambda) fn replace(self: &Arc<Self>) {
        let mut state = self.lock();
        for alive in state.alive.values_mut() {
            alive.retiring = true;
        }
        for environment in std::mem::take(&mut state.idle) {
            environment.retire();
        }
        // Whatever kept the old one from starting.
        state.failing = None;
        state.failures = 0;
        let wanted = state.wanted;
        drop(state);
        if wanted {
            self.warm();
        }
    }
}
