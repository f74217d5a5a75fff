//! Cron expressions of six fields: minutes, hours, day of month, month, day of week, year.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html>

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const YEAR_MIN: u32 = 1970;
const YEAR_MAX: u32 = 2199;

/// A cron expression that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: BTreeSet<u32>,
    hours: BTreeSet<u32>,
    days: Days,
    months: BTreeSet<u32>,
    years: BTreeSet<u32>,
}

/// Which days of a month: one of the two fields says so, the other is `?`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    OfMonth(BTreeSet<DayOfMonth>),
    /// Days of the week; 1 is Sunday.
    OfWeek(BTreeSet<u32>),
    /// `3#2`: the second Tuesday.
    Nth {
        weekday: u32,
        nth: u32,
    },
    /// `6L`: the last Friday.
    LastOfWeek(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DayOfMonth {
    Day(u32),
    /// `L`
    Last,
    /// `15W`: the weekday nearest to the day, within its month.
    Weekday(u32),
    /// `LW`
    LastWeekday,
}

impl Cron {
    /// What stands between the parentheses; `None` if AWS would not take it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, day_of_month, month, day_of_week, year] = fields.as_slice() else { return None };
        let days = match (*day_of_month, *day_of_week) {
            ("?", "?") => return None,
            (days, "?") => Days::OfMonth(of_month(days)?),
            ("?", days) => of_week(days)?,
            _ => return None,
        };
        Some(Self {
            minutes: set(minutes, 0..=59, &[], true)?,
            hours: set(hours, 0..=23, &[], true)?,
            days,
            months: set(month, 1..=12, &MONTHS, true)?,
            years: set(year, YEAR_MIN..=YEAR_MAX, &[], true)?,
        })
    }

    /// The first due minute after `after`. A local time that a change of clocks skips is skipped; one that comes twice
    /// counts once. <https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time>
    pub(crate) fn next(&self, after: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let mut date = after.with_timezone(&zone).date_naive();
        let last_year = i32::try_from(*self.years.last()?).ok()?;
        while date.year() <= last_year {
            let year = u32::try_from(date.year()).ok()?;
            if !self.years.contains(&year) {
                date = NaiveDate::from_ymd_opt(date.year() + 1, 1, 1)?;
                continue;
            }
            if self.months.contains(&date.month()) && self.days.contains(date) {
                let due = self.times(date, zone).find(|due| *due > after);
                if due.is_some() {
                    return due;
                }
            }
            date = date.succ_opt()?;
        }
        None
    }

    fn times(&self, date: NaiveDate, zone: Tz) -> impl Iterator<Item = DateTime<Utc>> {
        let minutes = self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (*hour, *minute)));
        minutes.filter_map(move |(hour, minute)| {
            let local = date.and_hms_opt(hour, minute, 0)?;
            zone.from_local_datetime(&local).earliest().map(|at| at.to_utc())
        })
    }
}

impl Days {
    fn contains(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday() + 1;
        match self {
            Self::OfMonth(days) => days.iter().any(|day| day.is(date)),
            Self::OfWeek(days) => days.contains(&weekday),
            Self::Nth { weekday: day, nth } => weekday == *day && (date.day() - 1) / 7 + 1 == *nth,
            Self::LastOfWeek(day) => weekday == *day && date.day() + 7 > last_day(date),
        }
    }
}

impl DayOfMonth {
    fn is(self, date: NaiveDate) -> bool {
        let last = last_day(date);
        match self {
            Self::Day(day) => date.day() == day,
            Self::Last => date.day() == last,
            Self::Weekday(day) => day <= last && nearest_weekday(date, day) == Some(date.day()),
            Self::LastWeekday => nearest_weekday(date, last) == Some(date.day()),
        }
    }
}

fn last_day(date: NaiveDate) -> u32 {
    u32::from(date.num_days_in_month())
}

/// The weekday nearest to `day` in the month of `date`, never in another month.
fn nearest_weekday(date: NaiveDate, day: u32) -> Option<u32> {
    let first = day == 1;
    let last = day == last_day(date);
    Some(match date.with_day(day)?.weekday() {
        Weekday::Sat if first => day + 2,
        Weekday::Sat => day - 1,
        Weekday::Sun if last => day - 2,
        Weekday::Sun => day + 1,
        _ => day,
    })
}

fn of_month(text: &str) -> Option<BTreeSet<DayOfMonth>> {
    let mut days = BTreeSet::new();
    for item in text.split(',') {
        match item {
            "L" => drop(days.insert(DayOfMonth::Last)),
            "LW" => drop(days.insert(DayOfMonth::LastWeekday)),
            item => match item.strip_suffix('W') {
                Some(day) => drop(days.insert(DayOfMonth::Weekday(value(day, &(1..=31), &[])?))),
                None => days.extend(set(item, 1..=31, &[], true)?.into_iter().map(DayOfMonth::Day)),
            },
        }
    }
    Some(days)
}

fn of_week(text: &str) -> Option<Days> {
    let weekdays = 1..=7;
    if let Some((day, nth)) = text.split_once('#') {
        let nth = value(nth, &(1..=5), &[])?;
        return Some(Days::Nth { weekday: value(day, &weekdays, &DAYS)?, nth });
    }
    match text.strip_suffix('L') {
        // The last day of the week is a Saturday.
        Some("") => Some(Days::OfWeek(BTreeSet::from([7]))),
        Some(day) => Some(Days::LastOfWeek(value(day, &weekdays, &DAYS)?)),
        None => set(text, weekdays, &DAYS, false).map(Days::OfWeek),
    }
}

/// The values of a list of numbers, names, ranges and, where the field has them, steps.
fn set(text: &str, all: RangeInclusive<u32>, names: &[&str], steps: bool) -> Option<BTreeSet<u32>> {
    let mut found = BTreeSet::new();
    for item in text.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) if steps => (range, Some(value(step, &(1..=*all.end()), &[])?)),
            Some(_) => return None,
            None => (item, None),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (value(first, &all, names)?, value(last, &all, names)?),
            None if range == "*" => (*all.start(), *all.end()),
            None => {
                let first = value(range, &all, names)?;
                (first, if step.is_some() { *all.end() } else { first })
            }
        };
        if first > last {
            return None;
        }
        found.extend((first..=last).step_by(usize::try_from(step.unwrap_or(1)).ok()?));
    }
    Some(found)
}

fn value(text: &str, all: &RangeInclusive<u32>, names: &[&str]) -> Option<u32> {
    let number = match names.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        Some(position) => all.start() + u32::try_from(position).ok()?,
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
        None => return None,
    };
    all.contains(&number).then_some(number)
}
