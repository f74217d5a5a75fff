use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::{DeadLetter, DeadLetterError, DeadLetterQueue, Postponement, ReceiveLimit, Visibility, VisibilityError};

/// The queue that a function's messages come from: its dead letters, what was postponed, and messages of its own.
///
/// A queue that no message was [put](Self::put) into takes any receipt handle. Its time passes by [`pass`](Self::pass).
#[derive(Debug, Default)]
pub struct MemorySourceQueue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    letters: Vec<DeadLetter>,
    refuses: bool,
    postponements: Vec<Postponement>,
    messages: Vec<Message>,
    receive_count_max: Option<u32>,
    limit_reads: u32,
}

#[derive(Debug)]
struct Message {
    body: String,
    group: Option<String>,
    /// How often it was received.
    receives: u32,
    /// How long it stays hidden; zero if it can be received.
    hidden: Duration,
}

impl MemorySourceQueue {
    /// The dead letters so far.
    pub fn letters(&self) -> Vec<DeadLetter> {
        self.state().letters.clone()
    }

    /// From now on no dead letter can be sent, or each can again.
    pub fn refuse_letters(&self, refuses: bool) {
        self.state().refuses = refuses;
    }

    /// From now on a message that was received this often is given up.
    pub fn limit_receives(&self, receive_count_max: u32) {
        self.state().receive_count_max = Some(receive_count_max);
    }

    /// How often it was asked after how many receives a message is given up.
    pub fn limit_reads(&self) -> u32 {
        self.state().limit_reads
    }

    /// All postponements so far.
    pub fn postponements(&self) -> Vec<Postponement> {
        self.state().postponements.clone()
    }

    /// Puts a message into the queue.
    pub fn put(&self, body: impl Into<String>, group: Option<&str>) {
        let group = group.map(str::to_owned);
        self.state().messages.push(Message { body: body.into(), group, receives: 0, hidden: Duration::ZERO });
    }

    /// Receives every message that is not hidden, as receipt handle and body, and hides it for this long.
    ///
    /// None of a group comes while another message of the group is hidden.
    pub fn receive(&self, visibility: Duration) -> Vec<(String, String)> {
        let mut state = self.state();
        let hidden = state.messages.iter().filter(|message| !message.hidden.is_zero());
        let closed: HashSet<_> = hidden.filter_map(|message| message.group.clone()).collect();
        let open = |message: &Message| message.group.as_ref().is_none_or(|group| !closed.contains(group));
        let mut received = Vec::new();
        for (place, message) in state.messages.iter_mut().enumerate() {
            if message.hidden.is_zero() && open(message) {
                message.receives += 1;
                message.hidden = visibility;
                received.push((message.receipt_handle(place), message.body.clone()));
            }
        }
        received
    }

    /// Lets time pass for the hidden messages.
    pub fn pass(&self, duration: Duration) {
        for message in &mut self.state().messages {
            message.hidden = message.hidden.saturating_sub(duration);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Message {
    /// Names the latest delivery.
    fn receipt_handle(&self, place: usize) -> String {
        format!("{place}.{}", self.receives)
    }
}

#[async_trait]
impl DeadLetterQueue for MemorySourceQueue {
    async fn send(&self, letter: &DeadLetter) -> Result<(), DeadLetterError> {
        let mut state = self.state();
        if state.refuses {
            return Err(DeadLetterError { source: "the dead-letter queue refuses".into() });
        }
        state.letters.push(letter.clone());
        Ok(())
    }
}

#[async_trait]
impl Visibility for MemorySourceQueue {
    async fn postpone(&self, postponements: &[Postponement]) -> Result<(), VisibilityError> {
        let mut state = self.state();
        state.postponements.extend_from_slice(postponements);
        if state.messages.is_empty() {
            return Ok(());
        }
        let mut failed = 0;
        for postponement in postponements {
            let named = |(place, message): &(usize, &mut Message)| {
                !message.hidden.is_zero() && message.receipt_handle(*place) == postponement.receipt_handle
            };
            match state.messages.iter_mut().enumerate().find(named) {
                Some((_, message)) => message.hidden = postponement.delay,
                None => failed += 1,
            }
        }
        let source = "the message is not in flight".into();
        if failed == 0 { Ok(()) } else { Err(VisibilityError { failed, total: postponements.len(), source }) }
    }
}

#[async_trait]
impl ReceiveLimit for MemorySourceQueue {
    async fn receive_count_max(&self) -> Option<u32> {
        let mut state = self.state();
        state.limit_reads += 1;
        state.receive_count_max
    }
}
