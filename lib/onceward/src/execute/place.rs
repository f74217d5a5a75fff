//! Under which key the record of an event is: its place in the ledger.
//!
//! Somebody else's event is told by source and id. Its record still has the place of its id alone, where earlier builds
//! write it and look for it: a conditional write there settles every race, with theirs too. Only where the completed
//! record of another source's event has that place, the event has one of its own, named by source and id.

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Execution, Failure, Outcome};
use crate::{LedgerError, LedgerKey, LedgerRecord, Reason, context::Call, error::chain};

/// Which of its places an event is at.
#[derive(Debug, Default)]
pub(super) struct Place {
    own: AtomicBool,
}

/// The key under which an event's record is, unless it was [displaced].
pub(crate) fn of_id(function: &str, call: &Call) -> LedgerKey {
    let key = call.identity.as_ref().map_or(&call.idempotency_key, |identity| &identity.id);
    LedgerKey { function: function.to_owned(), idempotency_key: key.clone() }
}

/// The key under which a displaced event's record is.
pub(crate) fn of_identity(function: &str, call: &Call) -> LedgerKey {
    LedgerKey { function: function.to_owned(), idempotency_key: call.idempotency_key.clone() }
}

/// Whether the record at the place of its id displaces an event: it is of another one, and stays. A claim may still be
/// given back, and then the place is free for whoever comes next.
pub(crate) fn displaced(call: &Call, record: &LedgerRecord) -> bool {
    let (Some(own), Some(event)) = (&call.identity, &record.origin().event) else { return false };
    own != event && matches!(record, LedgerRecord::Completed(_))
}

impl Execution<'_> {
    /// The key of the place that the event is at.
    pub(super) fn key(&self) -> LedgerKey {
        let of = if self.at_own_place() { of_identity } else { of_id };
        of(self.settings.name, &self.call)
    }

    fn at_own_place(&self) -> bool {
        self.place.own.load(Ordering::Relaxed)
    }

    /// Goes to the event's own place if this record displaces it.
    pub(super) fn moves_from(&self, record: &LedgerRecord) -> bool {
        let moves = !self.at_own_place() && displaced(&self.call, record);
        if moves {
            self.place.own.store(true, Ordering::Relaxed);
        }
        moves
    }

    /// Before anything is written at the event's own place: what displaces it must be remembered for as long. Otherwise
    /// a duplicate would find the place of the id free. If it is forgotten by now, so is all that was written at the own
    /// place, and the event begins again at the place of its id.
    pub(super) async fn hold_place(&self) -> Result<(), LedgerError> {
        if !self.at_own_place() {
            return Ok(());
        }
        let ports = &self.call.ports;
        // Nothing is committed after the deadline.
        let until = ports.clock.now().max(self.call.invocation.deadline()) + self.retention();
        let record = ports.ledger.keep(&of_id(self.settings.name, &self.call), until).await?;
        let stays = record.is_some_and(|record| displaced(&self.call, &record));
        self.place.own.store(stays, Ordering::Relaxed);
        Ok(())
    }

    /// The record of this event, in whichever place.
    pub(super) async fn find(&self) -> Result<Option<LedgerRecord>, LedgerError> {
        loop {
            let key = self.key();
            let mut found = self.call.ports.ledger.find(std::slice::from_ref(&key)).await?;
            match found.remove(&key) {
                // It moves once at most.
                Some(record) if self.moves_from(&record) => {}
                record => return Ok(record),
            }
        }
    }

    /// What to do about a record that is not of this event, if it is not.
    pub(super) fn of_another_event(&self, record: &LedgerRecord) -> Option<Outcome> {
        let own = self.call.identity.as_ref()?;
        let event = record.origin().event.as_ref();
        // Earlier builds do not say whose a record is, but they write none at an event's own place.
        let other = event.map_or(self.at_own_place(), |event| event != own);
        if !other {
            return None;
        }
        let key = self.key();
        let of = event.map_or_else(|| "something else".to_owned(), |event| format!("an event of {:?}", event.source));
        let failure = match record {
            LedgerRecord::Completed(_) if self.at_own_place() => {
                let error =
                    format!("the key {key} is that of this event's source and id, and was used before for {of}");
                Failure::terminal(Reason::IdempotencyKeyReused, error)
            }
            LedgerRecord::Completed(_) => {
                let error = format!("the lease of {key} ended, and {of} has completed there");
                Failure::Retry { error, after: None }
            }
            LedgerRecord::InProgress(lease) => {
                let error = format!("{key} is being handled for {of} with the same id");
                Failure::Retry { error, after: Some(self.lease_left(lease)) }
            }
        };
        Some(Outcome::Failed(failure))
    }

    /// A handler may fail because the effects of the first delivery are there: then it says nothing about the event.
    pub(crate) async fn unless_duplicate(&self, failure: Failure) -> Outcome {
        match self.find().await {
            Ok(Some(record @ LedgerRecord::Completed(_))) => self.duplicate(record),
            Ok(_) => Outcome::Failed(failure),
            Err(error) if error.transient => Outcome::Failed(Failure::retry(&error)),
            Err(error) => {
                tracing::warn!(key = %self.key(), error = chain(&error), "whether this is a duplicate cannot be read");
                Outcome::Failed(failure)
            }
        }
    }
}
