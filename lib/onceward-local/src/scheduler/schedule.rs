//! A schedule, as it is created and told.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::error::SchedulerError;
use super::target::Target;
use crate::schedule::Expression;

/// The group of schedules that name none.
pub const DEFAULT_GROUP: &str = "default";

/// Length of a name. <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>
const NAME_MAX_CHARS: usize = 64;

/// Length of a description, by the same page.
const DESCRIPTION_MAX_CHARS: usize = 512;

/// `MaximumWindowInMinutes`, by the same page.
const WINDOW_MAX_MINUTES: u32 = 1440;

/// How far in the past a `StartDate` may lie, in minutes.
const START_DATE_AGE_MAX_MINUTES: i64 = 5;

/// Schedules are invoked with a precision of 60 seconds: a one-time schedule may be that late.
const PRECISION_SECONDS: i64 = 60;

/// A schedule, as `CreateSchedule` takes it; the names are AWS's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Schedule {
    /// Unique in its group.
    #[serde(default)]
    pub name: String,
    /// Its group.
    #[serde(default = "default_group")]
    pub group_name: String,
    /// `at(…)`, `rate(…)` or `cron(…)`.
    pub schedule_expression: String,
    /// Name of the time zone whose clock the expression means.
    #[serde(default = "utc")]
    pub schedule_expression_timezone: String,
    /// Not before; a rate counts from it.
    #[serde(default, with = "time", skip_serializing_if = "Option::is_none")]
    pub start_date: Option<DateTime<Utc>>,
    /// Not after.
    #[serde(default, with = "time", skip_serializing_if = "Option::is_none")]
    pub end_date: Option<DateTime<Utc>>,
    /// How much later than due the target may be invoked.
    pub flexible_time_window: FlexibleTimeWindow,
    /// `ENABLED` or `DISABLED`.
    #[serde(default)]
    pub state: State,
    /// Whether it stays after its last invocation.
    #[serde(default)]
    pub action_after_completion: ActionAfterCompletion,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What is invoked.
    pub target: Target,
}

/// How much later than due the target may be invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct FlexibleTimeWindow {
    /// Whether at all.
    pub mode: WindowMode,
    /// 1 to 1,440 minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_window_in_minutes: Option<u32>,
}

/// `Mode` of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WindowMode {
    /// When due.
    Off,
    /// Within the window.
    Flexible,
}

/// `State` of a schedule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// On.
    #[default]
    Enabled,
    /// Off: nothing is invoked.
    Disabled,
}

/// What becomes of a schedule after its last invocation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ActionAfterCompletion {
    /// It stays.
    #[default]
    None,
    /// It is deleted.
    Delete,
}

fn default_group() -> String {
    DEFAULT_GROUP.to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

/// When a checked schedule is due.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    expression: Expression,
    zone: Tz,
}

impl Schedule {
    /// Why it would be refused, whenever it were created.
    pub(crate) fn fault(&self) -> Option<String> {
        self.check().err().map(|error| error.to_string())
    }

    /// Checks everything that does not depend on the time.
    pub(super) fn check(&self) -> Result<Plan, SchedulerError> {
        check_name("name", &self.name)?;
        check_name("groupName", &self.group_name)?;
        if self.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX_CHARS) {
            let reason = format!("Description must have at most {DESCRIPTION_MAX_CHARS} characters");
            return Err(SchedulerError::validation(reason));
        }
        let text = &self.schedule_expression;
        let expression = Expression::of_schedule(text)
            .ok_or_else(|| SchedulerError::validation(format!("Invalid Schedule Expression {text}.")))?;
        let zone = self.schedule_expression_timezone.parse::<Tz>().map_err(|_| {
            let zone = &self.schedule_expression_timezone;
            SchedulerError::validation(format!("Invalid ScheduleExpressionTimezone {zone}."))
        })?;
        let window = self.flexible_time_window;
        let minutes = window.maximum_window_in_minutes;
        if window.mode == WindowMode::Flexible && !minutes.is_some_and(|it| (1..=WINDOW_MAX_MINUTES).contains(&it)) {
            return Err(SchedulerError::validation(format!(
                "A flexible time window needs MaximumWindowInMinutes of 1 to {WINDOW_MAX_MINUTES}"
            )));
        }
        self.target.check()?;
        Ok(Plan { expression, zone })
    }

    /// Checks its dates, which a schedule that is due once ignores.
    pub(super) fn check_dates(&self, plan: &Plan, now: DateTime<Utc>, created: bool) -> Result<(), SchedulerError> {
        if plan.is_once() {
            return Ok(());
        }
        let earliest = now - TimeDelta::minutes(START_DATE_AGE_MAX_MINUTES);
        if created && self.start_date.is_some_and(|start| start < earliest) {
            return Err(SchedulerError::validation(format!(
                "The StartDate you specify cannot be earlier than {START_DATE_AGE_MAX_MINUTES} minutes ago."
            )));
        }
        match (self.start_date, self.end_date) {
            (Some(start), Some(end)) if end <= start => {
                Err(SchedulerError::validation("The EndDate you specify must come after the StartDate."))
            }
            (_, Some(end)) if end <= now => {
                Err(SchedulerError::validation("The EndDate you specify must be in the future."))
            }
            _ => Ok(()),
        }
    }

    /// When it is due first, created at `created`, looking from `now` on.
    pub(super) fn first(&self, plan: &Plan, created: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let anchor = self.start_date.unwrap_or(created);
        let moment = TimeDelta::milliseconds(1);
        let after = match &plan.expression {
            Expression::At(_) => now - TimeDelta::seconds(PRECISION_SECONDS),
            // Without a start date, a rate is due at once.
            Expression::Rate(_) if now <= anchor => anchor - moment,
            Expression::Rate(_) | Expression::Cron(_) => self.start_date.map_or(now, |start| now.max(start - moment)),
        };
        self.due(plan, created, after)
    }

    /// When it is due next after `after`.
    pub(super) fn due(&self, plan: &Plan, created: DateTime<Utc>, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let due = plan.expression.next(after, self.start_date.unwrap_or(created), plan.zone)?;
        let ended = !plan.is_once() && self.end_date.is_some_and(|end| due > end);
        (!ended).then_some(due)
    }

    /// A moment in the window that begins at `due`.
    pub(super) fn invoked_at(&self, due: DateTime<Utc>) -> DateTime<Utc> {
        let window = self.flexible_time_window;
        let minutes = window.maximum_window_in_minutes.filter(|_| window.mode == WindowMode::Flexible).unwrap_or(0);
        due + TimeDelta::seconds(rand::random_range(0..=i64::from(minutes) * 60))
    }
}

impl Plan {
    fn is_once(&self) -> bool {
        matches!(self.expression, Expression::At(_))
    }
}

pub(super) fn check_name(what: &str, name: &str) -> Result<(), SchedulerError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > NAME_MAX_CHARS || !name.chars().all(allowed) {
        return Err(SchedulerError::validation(format!(
            "1 validation error detected: Value '{name}' at '{what}' failed to satisfy constraint: Member must satisfy \
             regular expression pattern: ^[0-9a-zA-Z-_.]+$ and have length less than or equal to {NAME_MAX_CHARS}"
        )));
    }
    Ok(())
}

/// Times are told as epoch seconds; templates write them as RFC 3339.
pub(super) mod time {
    use chrono::{DateTime, Utc};
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    const MILLIS_PER_SECOND: f64 = 1000.0;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Time {
        Seconds(f64),
        Text(DateTime<Utc>),
    }

    /// Epoch seconds.
    pub(in crate::scheduler) fn seconds(time: DateTime<Utc>) -> f64 {
        // Milliseconds since 1970 are far below the 2^53 that an f64 holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let millis = time.timestamp_millis() as f64;
        millis / MILLIS_PER_SECOND
    }

    // The signature is what serde asks for.
    #[allow(clippy::ref_option)]
    pub(super) fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        time.map(seconds).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        match Option::<Time>::deserialize(deserializer)? {
            None => Ok(None),
            Some(Time::Text(time)) => Ok(Some(time)),
            // Milliseconds of any time a calendar has fit an i64; beyond, the cast saturates and is refused.
            #[allow(clippy::cast_possible_truncation)]
            Some(Time::Seconds(seconds)) => DateTime::from_timestamp_millis((seconds * MILLIS_PER_SECOND) as i64)
                .map(Some)
                .ok_or_else(|| D::Error::custom(format!("{seconds} is not a time"))),
        }
    }
}
