//! Schedules and groups, as they are kept.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::error::SchedulerError;
use super::schedule::{DEFAULT_GROUP, Plan, Schedule, State, check_name};
use crate::account::Account;

/// Groups of an account. <https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>
pub const GROUPS_MAX: usize = 500;

/// Schedules of the local cloud; AWS allows more than any machine should simulate.
pub const SCHEDULES_MAX: usize = 100_000;

/// Client tokens that are remembered; the oldest makes room.
const TOKENS_MAX: usize = 10_000;

/// Tags of one group. <https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>
const TAGS_MAX: usize = 50;

/// Characters of a tag's key and of its value.
/// <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Tag.html>
pub(super) const TAG_KEY_CHARS: RangeInclusive<usize> = 1..=128;
const TAG_VALUE_CHARS: RangeInclusive<usize> = 1..=256;

/// A group of schedules.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) modified_at: DateTime<Utc>,
}

/// A schedule that was accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "StoredRecord")]
pub(super) struct Stored {
    pub(super) schedule: Schedule,
    pub(super) arn: String,
    #[serde(skip_serializing)]
    pub(super) plan: Plan,
    pub(super) created_at: DateTime<Utc>,
    pub(super) modified_at: DateTime<Utc>,
    /// When it is due next, and when in its window it will be invoked.
    pub(super) next: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// A schedule as it is stored; what its expression compiles to is not.
#[derive(Deserialize)]
struct StoredRecord {
    schedule: Schedule,
    arn: String,
    created_at: DateTime<Utc>,
    modified_at: DateTime<Utc>,
    next: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

impl TryFrom<StoredRecord> for Stored {
    type Error = SchedulerError;

    fn try_from(record: StoredRecord) -> Result<Self, SchedulerError> {
        let StoredRecord { schedule, arn, created_at, modified_at, next } = record;
        let plan = schedule.check()?;
        Ok(Self { schedule, arn, plan, created_at, modified_at, next })
    }
}

/// Group and name of a schedule.
pub(super) type Key = (String, String);

/// All schedules and groups.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Store {
    pub(super) groups: BTreeMap<String, Group>,
    #[serde(with = "listed")]
    pub(super) schedules: BTreeMap<Key, Stored>,
    tokens: BTreeMap<String, String>,
    tokens_by_age: VecDeque<String>,
}

impl Store {
    pub(super) fn new(account: &Account, now: DateTime<Utc>) -> Self {
        let mut store = Self {
            groups: BTreeMap::new(),
            schedules: BTreeMap::new(),
            tokens: BTreeMap::new(),
            tokens_by_age: VecDeque::new(),
        };
        store.insert_group(account, DEFAULT_GROUP, BTreeMap::new(), now);
        store
    }

    /// Whether `request` was done before under `token`; the token of another request is refused.
    pub(super) fn is_repeated(
        &self,
        operation: &str,
        token: Option<&str>,
        request: &str,
    ) -> Result<bool, SchedulerError> {
        let Some(token) = token else { return Ok(false) };
        match self.tokens.get(&format!("{operation} {token}")) {
            Some(known) if known == request => Ok(true),
            Some(_) => {
                let reason = format!("The client token {token} was used for another request.");
                Err(SchedulerError::Conflict { reason })
            }
            None => Ok(false),
        }
    }

    /// Remembers that `request` was done under `token`.
    pub(super) fn remember(&mut self, operation: &str, token: Option<&str>, request: String) {
        let Some(token) = token else { return };
        if self.tokens_by_age.len() >= TOKENS_MAX {
            let oldest = self.tokens_by_age.pop_front();
            oldest.and_then(|key| self.tokens.remove(&key));
        }
        let key = format!("{operation} {token}");
        self.tokens_by_age.push_back(key.clone());
        self.tokens.insert(key, request);
    }

    fn insert_group(&mut self, account: &Account, name: &str, tags: BTreeMap<String, String>, now: DateTime<Utc>) {
        let arn = account.arn("scheduler", &format!("schedule-group/{name}"));
        let group = Group { name: name.to_owned(), arn, tags, created_at: now, modified_at: now };
        self.groups.insert(name.to_owned(), group);
    }

    pub(super) fn create_group(
        &mut self,
        account: &Account,
        name: &str,
        tags: BTreeMap<String, String>,
        now: DateTime<Utc>,
    ) -> Result<&Group, SchedulerError> {
        check_name("name", name)?;
        check_tags(&tags)?;
        if self.groups.contains_key(name) {
            return Err(SchedulerError::Conflict { reason: format!("Schedule group {name} already exists.") });
        }
        if self.groups.len() >= GROUPS_MAX {
            return Err(SchedulerError::QuotaExceeded { what: format!("{GROUPS_MAX} schedule groups") });
        }
        self.insert_group(account, name, tags, now);
        self.group(name)
    }

    pub(super) fn group(&self, name: &str) -> Result<&Group, SchedulerError> {
        self.groups.get(name).ok_or_else(|| no_group(name))
    }

    /// Deletes the group with its schedules; `default` stays.
    pub(super) fn delete_group(&mut self, name: &str) -> Result<(), SchedulerError> {
        if name == DEFAULT_GROUP {
            return Err(SchedulerError::validation("The default schedule group cannot be deleted."));
        }
        self.groups.remove(name).ok_or_else(|| no_group(name))?;
        self.schedules.retain(|(group, _), _| group != name);
        Ok(())
    }

    /// The group of an ARN, with its tags to change.
    pub(super) fn tagged(&mut self, arn: &str) -> Result<&mut Group, SchedulerError> {
        if !(arn.starts_with("arn:aws") && arn.contains(":schedule-group/")) {
            return Err(SchedulerError::validation(format!("ResourceArn '{arn}' is not the ARN of a schedule group.")));
        }
        let group = self.groups.values_mut().find(|group| group.arn == arn);
        group.ok_or_else(|| SchedulerError::NotFound { what: format!("Resource {arn}") })
    }

    /// Creates the schedule.
    pub(super) fn create(
        &mut self,
        account: &Account,
        schedule: Schedule,
        now: DateTime<Utc>,
    ) -> Result<&Stored, SchedulerError> {
        let plan = schedule.check()?;
        schedule.check_dates(&plan, now, true)?;
        self.group(&schedule.group_name)?;
        let key = (schedule.group_name.clone(), schedule.name.clone());
        if self.schedules.contains_key(&key) {
            return Err(SchedulerError::Conflict { reason: format!("Schedule {} already exists.", schedule.name) });
        }
        if self.schedules.len() >= SCHEDULES_MAX {
            return Err(SchedulerError::QuotaExceeded { what: format!("{SCHEDULES_MAX} schedules") });
        }
        let arn = account.arn("scheduler", &format!("schedule/{}/{}", key.0, key.1));
        let mut stored = Stored { schedule, arn, plan, created_at: now, modified_at: now, next: None };
        stored.begin(now);
        Ok(self.schedules.entry(key).or_insert(stored))
    }

    /// Replaces the schedule: what the request does not say is as if it had never been said.
    pub(super) fn update(&mut self, schedule: Schedule, now: DateTime<Utc>) -> Result<&Stored, SchedulerError> {
        let plan = schedule.check()?;
        schedule.check_dates(&plan, now, false)?;
        let stored = self.schedule_mut(&schedule.group_name, &schedule.name)?;
        stored.schedule = schedule;
        stored.plan = plan;
        stored.modified_at = now;
        stored.begin(now);
        Ok(stored)
    }

    pub(super) fn schedule_mut(&mut self, group: &str, name: &str) -> Result<&mut Stored, SchedulerError> {
        let missing = || SchedulerError::NotFound { what: format!("Schedule {name}") };
        self.schedules.get_mut(&(group.to_owned(), name.to_owned())).ok_or_else(missing)
    }

    pub(super) fn schedule(&self, group: &str, name: &str) -> Result<&Stored, SchedulerError> {
        let missing = || SchedulerError::NotFound { what: format!("Schedule {name}") };
        self.schedules.get(&(group.to_owned(), name.to_owned())).ok_or_else(missing)
    }

    pub(super) fn delete(&mut self, group: &str, name: &str) -> Result<(), SchedulerError> {
        self.schedule_mut(group, name)?;
        self.schedules.remove(&(group.to_owned(), name.to_owned()));
        Ok(())
    }

    /// When the next schedule is to be invoked.
    pub(super) fn next_at(&self) -> Option<DateTime<Utc>> {
        self.schedules.values().filter_map(|stored| stored.next).map(|(_, invoked_at)| invoked_at).min()
    }

    /// The schedules to invoke now, with the times at which they were due.
    pub(super) fn take_due(&mut self, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Stored)> {
        let mut taken = Vec::new();
        for stored in self.schedules.values_mut() {
            let Some((due, _)) = stored.next.filter(|(_, invoked_at)| *invoked_at <= now) else { continue };
            // What was missed meanwhile (the machine slept, the cloud was down) comes once.
            stored.plan_next(due.max(now));
            taken.push((due, stored.clone()));
        }
        taken
    }
}

impl Stored {
    fn begin(&mut self, now: DateTime<Utc>) {
        self.next = None;
        if self.schedule.state == State::Enabled {
            let due = self.schedule.first(&self.plan, self.created_at, now);
            self.next = due.map(|due| (due, self.schedule.invoked_at(due)));
        }
    }

    fn plan_next(&mut self, after: DateTime<Utc>) {
        let due = self.schedule.due(&self.plan, self.created_at, after);
        self.next = due.map(|due| (due, self.schedule.invoked_at(due)));
    }
}

pub(super) fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), SchedulerError> {
    if tags.len() > TAGS_MAX {
        return Err(SchedulerError::validation(format!("A schedule group has at most {TAGS_MAX} tags.")));
    }
    tags.iter().try_for_each(|(key, value)| {
        check_length("key", key, TAG_KEY_CHARS)?;
        check_length("value", value, TAG_VALUE_CHARS)
    })
}

pub(super) fn check_length(what: &str, text: &str, chars: RangeInclusive<usize>) -> Result<(), SchedulerError> {
    if chars.contains(&text.chars().count()) {
        return Ok(());
    }
    let (min, max) = chars.into_inner();
    Err(SchedulerError::validation(format!(
        "1 validation error detected: Value '{text}' at '{what}' failed to satisfy constraint: Member must have length \
         greater than or equal to {min} and less than or equal to {max}"
    )))
}

fn no_group(name: &str) -> SchedulerError {
    SchedulerError::NotFound { what: format!("Schedule group {name}") }
}

/// Schedules as a list: keys of two texts are none of JSON.
mod listed {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Key, Stored};

    pub(super) fn serialize<S: Serializer>(
        schedules: &BTreeMap<Key, Stored>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(schedules.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Stored>, D::Error> {
        let schedules = Vec::<Stored>::deserialize(deserializer)?.into_iter();
        let key = |stored: &Stored| (stored.schedule.group_name.clone(), stored.schedule.name.clone());
        Ok(schedules.map(|stored| (key(&stored), stored)).collect())
    }
}
