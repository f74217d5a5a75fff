//! Schedule expressions: `rate(…)`, `cron(…)`, and `at(…)` of `EventBridge` Scheduler.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html>,
//! <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>

mod cron;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use self::cron::Cron;

/// The longest rate, in days: a number that no calendar overflows with.
const RATE_DAYS_MAX: u32 = 36_500;

/// When something is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expression {
    /// Every so often.
    Rate(TimeDelta),
    /// Whenever the calendar says so.
    Cron(Box<Cron>),
    /// Once, at this time on the schedule's own clock.
    At(NaiveDateTime),
}

impl Expression {
    /// An expression of a rule: `rate(1 minute)`, `rate(5 minutes)`, `cron(…)`. One minute is singular, five are not.
    pub(crate) fn of_rule(text: &str) -> Option<Self> {
        match Self::parts(text)? {
            ("rate", inner) => rate(inner, |value, unit| (value == 1) != unit.ends_with('s')),
            ("cron", inner) => Cron::parse(inner).map(|cron| Self::Cron(Box::new(cron))),
            _ => None,
        }
    }

    /// An expression of a schedule: `at(yyyy-mm-ddThh:mm:ss)` too, and units in either number.
    pub(crate) fn of_schedule(text: &str) -> Option<Self> {
        match Self::parts(text)? {
            ("rate", inner) => rate(inner, |_, _| true),
            ("cron", inner) => Cron::parse(inner).map(|cron| Self::Cron(Box::new(cron))),
            ("at", inner) => NaiveDateTime::parse_from_str(inner, "%Y-%m-%dT%H:%M:%S").ok().map(Self::At),
            _ => None,
        }
    }

    fn parts(text: &str) -> Option<(&str, &str)> {
        text.strip_suffix(')')?.split_once('(')
    }

    /// The first time after `after` at which it is due; rates count from `anchor`.
    pub(crate) fn next(&self, after: DateTime<Utc>, anchor: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        match self {
            Self::Rate(_) if after < anchor => Some(anchor),
            Self::Rate(period) => {
                let period_ms = period.num_milliseconds();
                let periods = (after - anchor).num_milliseconds() / period_ms + 1;
                Some(anchor + TimeDelta::milliseconds(period_ms.checked_mul(periods)?))
            }
            Self::Cron(cron) => cron.next(after, zone),
            Self::At(at) => zone.from_local_datetime(at).earliest().map(|at| at.to_utc()).filter(|at| *at > after),
        }
    }
}

fn rate(inner: &str, agrees: impl Fn(u32, &str) -> bool) -> Option<Expression> {
    let (value, unit) = inner.split_once(' ')?;
    let value: u32 = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok()).flatten()?;
    let one = match unit {
        "minute" | "minutes" => TimeDelta::minutes(1),
        "hour" | "hours" => TimeDelta::hours(1),
        "day" | "days" => TimeDelta::days(1),
        _ => return None,
    };
    let period = one.checked_mul(i32::try_from(value).ok()?)?;
    let fits = value > 0 && period <= TimeDelta::days(i64::from(RATE_DAYS_MAX));
    (fits && agrees(value, unit)).then_some(Expression::Rate(period))
}
