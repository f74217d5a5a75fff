//! Who may run: a function's execution slots, given first come, first served.
//!
//! A queue's poller must hold a slot *before* it receives, or messages would be received that nobody can take. But a
//! poller mostly waits. So it waits in *standby*: it holds a slot that is called back the moment an invocation wants it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// The slots of one function.
#[derive(Debug)]
pub(in crate::lambda) struct Slots {
    limit: usize,
    waiting_max: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: usize,
    waiting: VecDeque<Waiter>,
    standbys: VecDeque<(u64, oneshot::Sender<()>)>,
    last_standby: u64,
    /// Standbys called back that have not let go yet.
    called_back: usize,
}

#[derive(Debug)]
struct Waiter {
    /// Has an invocation ready, and is not a poller on its way to standby.
    invocation: bool,
    grant: oneshot::Sender<Permit>,
}

/// A slot. Dropping it gives it to whoever waits longest.
#[derive(Debug)]
pub(in crate::lambda) struct Permit {
    slots: Option<Arc<Slots>>,
}

/// A slot held by a poller that waits for messages.
#[derive(Debug)]
pub(in crate::lambda) struct Standby {
    id: u64,
    called_back: oneshot::Receiver<()>,
    /// `None` once taken.
    permit: Option<Permit>,
    slots: Arc<Slots>,
}

/// No room to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lambda) struct Full {
    pub(in crate::lambda) running: usize,
    pub(in crate::lambda) waiting: usize,
}

impl Slots {
    pub(in crate::lambda) fn new(limit: usize, waiting_max: usize) -> Arc<Self> {
        Arc::new(Self { limit, waiting_max, state: Mutex::default() })
    }

    /// A slot for an invocation from outside, which is refused if too many wait already.
    pub(in crate::lambda) async fn acquire(self: &Arc<Self>) -> Result<Permit, Full> {
        let granted = {
            let mut state = self.lock();
            let (running, waiting) = (state.invocations_running(), state.invocations_waiting());
            if running + waiting >= self.limit + self.waiting_max {
                return Err(Full { running, waiting });
            }
            self.enqueue(&mut state, true)
        };
        Ok(granted.await.expect("a waiter in the queue is granted a slot or dropped by its own caller"))
    }

    /// A slot for an event source, of which there are few.
    pub(in crate::lambda) async fn acquire_unbounded(self: &Arc<Self>) -> Permit {
        let granted = self.enqueue(&mut self.lock(), true);
        granted.await.expect("a waiter in the queue is granted a slot or dropped by its own caller")
    }

    /// A slot that is called back when an invocation wants it.
    pub(in crate::lambda) async fn standby(self: &Arc<Self>) -> Standby {
        let granted = self.enqueue(&mut self.lock(), false);
        let permit = granted.await.expect("a waiter in the queue is granted a slot or dropped by its own caller");
        let mut state = self.lock();
        state.last_standby += 1;
        let id = state.last_standby;
        let (call_back, called_back) = oneshot::channel();
        state.standbys.push_back((id, call_back));
        self.settle(&mut state);
        drop(state);
        Standby { id, called_back, permit: Some(permit), slots: Arc::clone(self) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(self: &Arc<Self>, state: &mut State, invocation: bool) -> oneshot::Receiver<Permit> {
        let (grant, granted) = oneshot::channel();
        state.waiting.push_back(Waiter { invocation, grant });
        self.settle(state);
        granted
    }

    /// Gives out what is free, and calls back standbys for the invocations that still wait.
    fn settle(self: &Arc<Self>, state: &mut State) {
        while state.taken < self.limit
            && let Some(waiter) = state.waiting.pop_front()
        {
            match waiter.grant.send(Permit { slots: Some(Arc::clone(self)) }) {
                Ok(()) => state.taken += 1,
                // Its caller left. Nothing was counted yet, and the lock is held: it must not release itself.
                Err(mut permit) => permit.slots = None,
            }
        }
        while state.invocations_waiting() > state.called_back
            && let Some((_, call_back)) = state.standbys.pop_front()
        {
            state.called_back += 1;
            let _ = call_back.send(());
        }
    }
}

impl State {
    /// Without the pollers that hold a slot and have nothing to run: they let go when an invocation wants it.
    fn invocations_running(&self) -> usize {
        self.taken.saturating_sub(self.standbys.len() + self.called_back)
    }

    fn invocations_waiting(&self) -> usize {
        self.waiting.iter().filter(|waiter| waiter.invocation && !waiter.grant.is_closed()).count()
    }

    /// A standby is over: used, called back or given up.
    fn leave_standby(&mut self, id: u64) {
        let before = self.standbys.len();
        self.standbys.retain(|(standby, _)| *standby != id);
        if self.standbys.len() == before {
            self.called_back -= 1;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(slots) = self.slots.take() {
            let mut state = slots.lock();
            state.taken -= 1;
            slots.settle(&mut state);
        }
    }
}

impl Standby {
    /// Resolves when an invocation wants this slot.
    pub(in crate::lambda) async fn called_back(&mut self) {
        let _ = (&mut self.called_back).await;
    }

    /// There is something to run: the slot is no longer called back.
    pub(in crate::lambda) fn take(mut self) -> Permit {
        self.permit.take().expect("a standby has its slot until it is taken, which consumes it")
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        state.leave_standby(self.id);
        if let Some(mut permit) = self.permit.take() {
            // Given back here, under the same lock: else another standby would be called back for the same invocation.
            permit.slots = None;
            state.taken -= 1;
        }
        self.slots.settle(&mut state);
    }
}
