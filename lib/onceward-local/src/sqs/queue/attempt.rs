//! `ReceiveRequestAttemptId`: a receive whose answer was lost, repeated.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-receiverequestattemptid-request-parameter.html>

use super::{Delivery, Queue, State, Take, Taken};
use crate::sqs::error::SqsError;
use crate::sqs::limits;
use crate::sqs::receipt::Receipt;
use std::collections::{HashMap, VecDeque};

/// The receives of the last 5 minutes that named themselves.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    known: HashMap<String, Vec<Hidden>>,
    /// When each of them is forgotten, soonest first.
    endings: VecDeque<(u64, String)>,
}

/// A message as the receive left it.
#[derive(Debug)]
struct Hidden {
    receipt: Receipt,
    until_ms: u64,
}

impl Queue {
    /// Receives, or repeats the receive of the id `attempt`.
    pub(crate) fn take(&mut self, now_ms: u64, take: Take, attempt: Option<&str>) -> Result<Taken, SqsError> {
        let Some(attempt) = attempt else { return self.receive(now_ms, take) };
        if let Some(deliveries) = self.receive_again(now_ms, attempt, take.visibility_ms) {
            return Ok(Taken { deliveries, dead: Vec::new() });
        }
        let taken = self.receive(now_ms, take)?;
        self.remember_attempt(attempt, &taken.deliveries, take.visibility_ms);
        Ok(taken)
    }

    /// The messages of an earlier receive of this id, with their receipts and hidden anew; none if one of them was
    /// deleted, had its visibility changed, or is visible again.
    fn receive_again(&mut self, now_ms: u64, attempt: &str, visibility_ms: u64) -> Option<Vec<Delivery>> {
        self.advance(now_ms);
        while self.attempts.endings.front().is_some_and(|(end_ms, _)| *end_ms <= self.now_ms) {
            if let Some((_, id)) = self.attempts.endings.pop_front() {
                self.attempts.known.remove(&id);
            }
        }
        let hidden = self.attempts.known.get(attempt)?;
        let unchanged = |hidden: &Hidden| {
            self.messages.get(&hidden.receipt.arrival).is_some_and(|stored| {
                let same = matches!(stored.state, State::InFlight { until_ms, .. } if until_ms == hidden.until_ms);
                same && stored.receives == hidden.receipt.receive
            })
        };
        if hidden.is_empty() || !hidden.iter().all(unchanged) {
            return None;
        }
        let receipts: Vec<Receipt> = hidden.iter().map(|hidden| hidden.receipt).collect();
        let until_ms = self.now_ms + visibility_ms;
        let mut deliveries = Vec::new();
        for receipt in receipts {
            let stored = self.messages.get(&receipt.arrival)?;
            let (message, record) = (stored.message.clone(), stored.record.clone());
            deliveries.push(Delivery { message, record, receipt });
            self.turn(receipt.arrival, State::InFlight { until_ms, since_ms: self.now_ms });
        }
        for hidden in self.attempts.known.get_mut(attempt)? {
            hidden.until_ms = until_ms;
        }
        Some(deliveries)
    }

    /// Remembers what a receive of this id brought.
    fn remember_attempt(&mut self, attempt: &str, deliveries: &[Delivery], visibility_ms: u64) {
        if deliveries.is_empty() {
            return;
        }
        let until_ms = self.now_ms + visibility_ms;
        let hidden = deliveries.iter().map(|delivery| Hidden { receipt: delivery.receipt, until_ms }).collect();
        if self.attempts.known.insert(attempt.to_owned(), hidden).is_some() {
            self.attempts.endings.retain(|(_, id)| id != attempt);
        }
        self.attempts.endings.push_back((self.now_ms + limits::RECEIVE_ATTEMPT_MS, attempt.to_owned()));
    }
}
