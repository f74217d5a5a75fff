//! Chance that can be repeated.

use std::time::Duration;

/// What decides one matching call of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chance {
    state: u64,
}

/// Independent decisions about one call.
#[derive(Debug, Clone, Copy)]
enum Question {
    Whether,
    HowLong,
    Which,
    Entry(usize),
}

impl Chance {
    /// For the call that `matched` others came before, of the rule at `place`.
    pub(super) fn new(seed: u64, place: usize, matched: u64) -> Self {
        Self { state: mixed(mixed(seed ^ mixed(place as u64)) ^ matched) }
    }

    pub(super) fn happens(self, probability: f64) -> bool {
        self.unit(Question::Whether) < probability
    }

    /// `latency_ms`, give or take up to `jitter_ms`.
    pub(super) fn around(self, latency_ms: u64, jitter_ms: u64) -> Duration {
        let spread = jitter_ms.saturating_mul(2).saturating_add(1);
        Duration::from_millis((latency_ms + self.draw(Question::HowLong) % spread).saturating_sub(jitter_ms))
    }

    /// A number from 0 to `limit` - 1; `limit` is not 0.
    pub(super) fn below(self, limit: u64) -> u64 {
        self.draw(Question::Which) % limit
    }

    /// Which of `count` entries of a batch fail: at least one, and of several never all.
    pub(super) fn some_of(self, count: usize) -> Vec<bool> {
        let mut failing: Vec<_> = (0..count).map(|entry| self.draw(Question::Entry(entry)) % 2 == 0).collect();
        let chosen = usize::try_from(self.below(count.max(1) as u64)).unwrap_or_default();
        if failing.iter().all(|fails| !fails) || (count > 1 && failing.iter().all(|fails| *fails)) {
            failing.iter_mut().skip(chosen).take(1).for_each(|fails| *fails = !*fails);
        }
        failing
    }

    fn draw(self, question: Question) -> u64 {
        mixed(self.state ^ question.salt())
    }

    /// From 0 to 1, without 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
    fn unit(self, question: Question) -> f64 {
        (self.draw(question) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Question {
    fn salt(self) -> u64 {
        match self {
            Self::Whether => 0,
            Self::HowLong => 1,
            Self::Which => 2,
            Self::Entry(entry) => 3 + entry as u64,
        }
    }
}

/// A seed for who did not choose one. Small enough to be typed, and to survive JSON in any language.
pub(super) fn random_seed() -> u64 {
    u64::from(uuid::Uuid::new_v4().as_fields().0)
}

/// The finalizer of `SplitMix64`: every bit of the input changes half of the output.
/// <https://dl.acm.org/doi/10.1145/2714064.2660195>
fn mixed(input: u64) -> u64 {
    let mut bits = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
