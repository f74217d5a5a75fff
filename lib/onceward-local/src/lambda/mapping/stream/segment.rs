//! What is left of a batch, and how it goes on when it fails.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{BATCH_RETRY_DELAY_MAX, BATCH_RETRY_DELAY_MIN, discard::Response, source::Record};
use crate::lambda::spec::StreamMapping;

/// Records that are handled together, in order. Never empty while it is worked on.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) records: Vec<Record>,
    /// Failed attempts that count towards `MaximumRetryAttempts`.
    attempts: u32,
    /// Failed attempts in a row; for the pause.
    failures: u32,
    /// Invocations that were told of its first record.
    pub(super) invocations: u32,
    /// The last one's answer.
    pub(super) response: Option<Response>,
}

/// How a segment that failed goes on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// As it is now.
    Retry(Duration),
    /// In two, of which the first has so many records.
    Split(usize, Duration),
    /// Its attempts are used up.
    GiveUp,
}

impl Segment {
    pub(super) fn new(records: Vec<Record>) -> Self {
        Self { records, attempts: 0, failures: 0, invocations: 0, response: None }
    }

    /// An attempt failed; the records before `position` are done and no longer here.
    ///
    /// Splitting does not use up attempts, and a batch that says where it failed is split there.
    /// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
    pub(super) fn failed(&mut self, mapping: &StreamMapping, position: usize) -> Next {
        if position > 0 {
            (self.attempts, self.failures, self.invocations) = (0, 0, 1);
        }
        self.failures += 1;
        let delay = retry_delay(self.failures);
        if mapping.bisect && position > 0 {
            return Next::Retry(delay);
        }
        if mapping.bisect && self.records.len() > 1 {
            return Next::Split(self.records.len() / 2, delay);
        }
        self.attempts += 1;
        if mapping.maximum_retry_attempts.is_some_and(|retries| self.attempts > retries) {
            return Next::GiveUp;
        }
        Next::Retry(delay)
    }

    /// The first `count` records and the others, each with all its attempts before it.
    pub(super) fn split(mut self, count: usize) -> (Self, Self) {
        let rest = Self::new(self.records.split_off(count));
        let (failures, response) = (self.failures, self.response);
        let first = Self { failures, ..Self::new(self.records) };
        (Self { response: response.clone(), ..first }, Self { response, ..rest })
    }

    /// How many records, from the first on, are older than the mapping wants.
    pub(super) fn expired(&self, mapping: &StreamMapping, now: DateTime<Utc>) -> usize {
        let Some(oldest) =
            mapping.maximum_record_age.and_then(|age| now.checked_sub_signed(TimeDelta::from_std(age).ok()?))
        else {
            return 0;
        };
        self.records.iter().take_while(|record| record.written < oldest).count()
    }

    /// How long until its first record is too old.
    pub(super) fn expires_in(&self, mapping: &StreamMapping, now: DateTime<Utc>) -> Option<Duration> {
        let (age, first) = (mapping.maximum_record_age?, self.records.first()?);
        let spent = (now - first.written).to_std().unwrap_or_default();
        Some(age.saturating_sub(spent))
    }
}

fn retry_delay(failures: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    BATCH_RETRY_DELAY_MIN.saturating_mul(doubled).min(BATCH_RETRY_DELAY_MAX)
}
