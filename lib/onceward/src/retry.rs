use std::{error::Error, time::Duration};

use async_trait::async_trait;

use crate::Randomness;

/// How long to wait before another try: exponential, capped, with full jitter.
///
/// The wait before try `n` is drawn evenly from zero to `base * factor^(n-1)`, but not beyond `cap`; see
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first wait.
    pub base: Duration,
    /// What the bound is multiplied by each time.
    pub factor: u32,
    /// The bound never exceeds this.
    pub cap: Duration,
}

impl Backoff {
    /// For messages: 1 s doubling, at most 15 min.
    pub const MESSAGES: Self = Self { base: Duration::from_secs(1), factor: 2, cap: Duration::from_mins(15) };

    /// For commits that lost a race or met a throttled table: 10 ms doubling, at most 500 ms.
    pub const COMMITS: Self = Self { base: Duration::from_millis(10), factor: 2, cap: Duration::from_millis(500) };

    /// The wait after the `attempt`-th try failed, counted from 1.
    pub fn after(&self, attempt: u32, randomness: &dyn Randomness) -> Duration {
        let bound_ms = u64::try_from(self.bound(attempt).as_millis()).unwrap_or(u64::MAX - 1);
        Duration::from_millis(randomness.next_u64() % (bound_ms + 1))
    }

    /// The longest wait after the `attempt`-th try failed, counted from 1.
    pub(crate) fn bound(&self, attempt: u32) -> Duration {
        let bound = self.factor.checked_pow(attempt.saturating_sub(1)).and_then(|factor| self.base.checked_mul(factor));
        bound.unwrap_or(self.cap).min(self.cap)
    }
}

/// Sets when failed messages are delivered again.
#[async_trait]
pub trait Visibility: Send + Sync {
    /// Best effort: a message that could not be changed comes back after the queue's own visibility timeout.
    async fn postpone(&self, postponements: &[Postponement]) -> Result<(), VisibilityError>;
}

/// One message and when it is to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postponement {
    /// Receipt handle of the failed delivery.
    pub receipt_handle: String,
    /// From now, in whole seconds on the wire; SQS allows up to 12 hours.
    pub delay: Duration,
}

/// After how many receives a queue gives a message up by itself.
#[async_trait]
pub trait ReceiveLimit: Send + Sync {
    /// The receive after which the queue moves the message to its dead-letter queue, without saying why; `None` if
    /// it never does, or if that cannot be known. Asked only after a message has failed.
    async fn receive_count_max(&self) -> Option<u32>;
}

/// Visibility could not be changed for some messages.
#[derive(Debug, thiserror::Error)]
#[error("the visibility of {failed} of {total} failed messages could not be changed")]
pub struct VisibilityError {
    /// How many.
    pub failed: usize,
    /// Of how many.
    pub total: usize,
    /// What the queue says.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u64);

    impl Randomness for Fixed {
        fn next_u64(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn the_bound_doubles_up_to_the_cap_and_any_wait_below_it_is_possible() {
        let seconds = |attempt, random| Backoff::MESSAGES.after(attempt, &Fixed(random)).as_secs();
        assert_eq!((seconds(1, 1_000), seconds(2, 2_000), seconds(3, 4_000)), (1, 2, 4));
        assert_eq!((seconds(30, 900_000), seconds(u32::MAX, 900_000)), (900, 900));
        assert_eq!((seconds(1, 1_001), seconds(3, 0)), (0, 0));
    }

    #[test]
    fn the_longest_wait_there_is_can_be_drawn_too() {
        let longest = Backoff { base: Duration::MAX, factor: 1, cap: Duration::MAX };
        assert_eq!(longest.after(1, &Fixed(u64::MAX - 1)), Duration::from_millis(u64::MAX - 1));
    }
}
