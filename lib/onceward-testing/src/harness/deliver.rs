use std::time::Duration;

use onceward::{DeadLetter, Event, Function};

use super::{Harness, Message};

/// What became of a message.
#[derive(Debug)]
#[must_use = "a message that failed has no effects: say what is expected"]
pub enum Delivered {
    /// It was handled now or before: the queue forgets it.
    Acknowledged,
    /// It was given up: it is in the dead-letter queue.
    DeadLettered(Box<DeadLetter>),
    /// It failed and comes back after this long.
    Retried(Duration),
}

impl Harness {
    /// Delivers an event for the first time.
    pub async fn deliver<E: Event, D: Send + Sync + 'static>(&self, function: &Function<D>, event: &E) -> Delivered {
        self.deliver_message(function, &self.message(event)).await
    }

    /// Delivers an event, and the same event again as EventBridge may: in a message of its own, so that the handler
    /// runs twice and the ledger refuses its second commit.
    ///
    /// # Panics
    /// If one of the deliveries is not acknowledged.
    pub async fn deliver_twice<E: Event, D: Send + Sync + 'static>(&self, function: &Function<D>, event: &E) {
        let first = self.message(event);
        let second = self.message_of(first.delivery.body.clone());
        self.deliver_message(function, &first).await.acknowledged();
        self.deliver_message(function, &second).await.acknowledged();
    }

    /// Delivers a message, alone in its batch. The same message can be delivered again.
    pub async fn deliver_message<D: Send + Sync + 'static>(
        &self,
        function: &Function<D>,
        message: &Message,
    ) -> Delivered {
        let (letters, postponements) = (self.dead_letters().len(), self.postponements().len());
        let batch = vec![message.delivery.clone()];
        let failed = function.handle_batch(&self.ports, &self.queue, self.invocation(), batch).await;
        if !failed.is_empty() {
            let delay = self.postponements().get(postponements).map(|postponement| postponement.delay);
            return Delivered::Retried(delay.unwrap_or_default());
        }
        let letter = self.dead_letters().into_iter().nth(letters);
        letter.map_or(Delivered::Acknowledged, |letter| Delivered::DeadLettered(Box::new(letter)))
    }
}

impl Delivered {
    /// # Panics
    /// If the message was not acknowledged.
    #[track_caller]
    pub fn acknowledged(self) {
        assert!(matches!(self, Self::Acknowledged), "expected an acknowledgement, got {self:?}");
    }

    /// The letter.
    ///
    /// # Panics
    /// If the message was not given up.
    #[track_caller]
    pub fn dead_lettered(self) -> DeadLetter {
        match self {
            Self::DeadLettered(letter) => *letter,
            other => panic!("expected a dead letter, got {other:?}"),
        }
    }

    /// How long it is kept back.
    ///
    /// # Panics
    /// If the message was not kept for a retry.
    #[track_caller]
    pub fn retried(self) -> Duration {
        match self {
            Self::Retried(delay) => delay,
            other => panic!("expected a retry, got {other:?}"),
        }
    }
}
