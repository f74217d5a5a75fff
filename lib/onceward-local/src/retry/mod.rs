//! How the targets of rules and schedules are tried again: the policy, and what waits.

mod retries;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub(crate) use self::retries::Retries;

/// `MaximumRetryAttempts`: 0 to this, and this if nothing is said.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html>
pub const RETRY_ATTEMPTS_MAX: u32 = 185;

/// `MaximumEventAgeInSeconds`, at least.
pub const EVENT_AGE_MIN_SECONDS: u32 = 60;

/// `MaximumEventAgeInSeconds`, at most, and if nothing is said: 24 hours.
pub const EVENT_AGE_MAX_SECONDS: u32 = 86_400;

/// First delay of the exponential backoff. AWS says that there is one, with jitter, but no numbers.
pub const RETRY_DELAY_MIN: Duration = Duration::from_secs(1);

/// The backoff grows no further: 185 retries fit in 24 hours.
pub const RETRY_DELAY_MAX: Duration = Duration::from_mins(7);

/// How often and how long a target is tried again. `None` is AWS's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// `MaximumRetryAttempts`.
    pub attempts_max: Option<u32>,
    /// `MaximumEventAgeInSeconds`.
    pub age_max_seconds: Option<u32>,
}

/// `EXHAUSTED_RETRY_CONDITION`: which limit ended the retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    Attempts,
    Age,
}

impl Exhausted {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Attempts => "MaximumRetryAttempts",
            Self::Age => "MaximumEventAgeInSeconds",
        }
    }
}

impl RetryPolicy {
    /// What is wrong with it.
    pub(crate) fn fault(self) -> Option<String> {
        if self.attempts_max.is_some_and(|attempts| attempts > RETRY_ATTEMPTS_MAX) {
            return Some(format!("MaximumRetryAttempts must be 0 to {RETRY_ATTEMPTS_MAX}"));
        }
        let ages = EVENT_AGE_MIN_SECONDS..=EVENT_AGE_MAX_SECONDS;
        if self.age_max_seconds.is_some_and(|age| !ages.contains(&age)) {
            return Some(format!(
                "MaximumEventAgeInSeconds must be {EVENT_AGE_MIN_SECONDS} to {EVENT_AGE_MAX_SECONDS}"
            ));
        }
        None
    }

    /// When to try again after `retries` retries of what began at `since`; else why never again.
    pub(crate) fn next(
        self,
        retries: u32,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Exhausted> {
        if retries >= self.attempts_max.unwrap_or(RETRY_ATTEMPTS_MAX) {
            return Err(Exhausted::Attempts);
        }
        let age_max = self.age_max_seconds.unwrap_or(EVENT_AGE_MAX_SECONDS);
        let at = now + delay(retries);
        if at - since > TimeDelta::seconds(i64::from(age_max)) { Err(Exhausted::Age) } else { Ok(at) }
    }
}

/// Between half and all of a delay that doubles.
fn delay(retries: u32) -> Duration {
    let longest = RETRY_DELAY_MIN.saturating_mul(2_u32.saturating_pow(retries)).min(RETRY_DELAY_MAX);
    longest.mul_f64(rand::random_range(0.5..=1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_with_jitter_up_to_a_limit() {
        for (retries, longest) in [(0, RETRY_DELAY_MIN), (3, RETRY_DELAY_MIN * 8), (40, RETRY_DELAY_MAX)] {
            let delay = delay(retries);
            assert!(longest / 2 <= delay && delay <= longest, "{retries}: {delay:?}");
        }
    }

    #[test]
    fn retries_end_by_number_or_by_age() {
        let since = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let policy = RetryPolicy { attempts_max: Some(2), age_max_seconds: Some(60) };
        assert!(policy.next(0, since, since).is_ok());
        assert_eq!(policy.next(2, since, since), Err(Exhausted::Attempts));
        assert_eq!(policy.next(1, since, since + TimeDelta::seconds(60)), Err(Exhausted::Age));
        let default = RetryPolicy::default();
        assert!(default.next(184, since, since + TimeDelta::hours(23)).is_ok());
        assert_eq!(default.next(185, since, since), Err(Exhausted::Attempts));
        assert_eq!(default.next(3, since, since + TimeDelta::hours(24)), Err(Exhausted::Age));
    }

    #[test]
    fn limits_are_those_of_the_documentation() {
        let policy = |attempts_max, age_max_seconds| RetryPolicy { attempts_max, age_max_seconds };
        for fine in [policy(None, None), policy(Some(0), Some(60)), policy(Some(185), Some(86_400))] {
            assert_eq!(fine.fault(), None);
        }
        for wrong in [policy(Some(186), None), policy(None, Some(59)), policy(None, Some(86_401))] {
            assert!(wrong.fault().is_some());
        }
    }
}
