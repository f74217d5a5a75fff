//! Archives: events of a bus, kept to be replayed. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html>

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use super::bus::{Buses, bus_name, check_name};
use super::error::EventsError;
use super::event::Event;
use super::pattern::Pattern;
use super::rule::pattern;
use crate::account::Account;

/// Archives of an account. AWS says no number; every list here has one.
const ARCHIVES_MAX: usize = 1000;

/// What one archive holds, in bytes of its events' texts; the oldest makes room. AWS has no limit.
pub const ARCHIVE_SIZE_MAX_BYTES: usize = 256 * 1024 * 1024;

/// Length of a description in characters. <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html>
const DESCRIPTION_MAX_CHARS: usize = 512;

/// Days that fit a calendar: 1,000 years.
const RETENTION_DAYS_MAX: u32 = 365_000;

/// An archive, as [`EventBridge::create_archive`](super::EventBridge::create_archive) takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Archive {
    /// Unique in the account.
    pub name: String,
    /// ARN of the bus whose events it keeps.
    pub bus_arn: String,
    /// What it is for.
    pub description: Option<String>,
    /// Which events it keeps, a JSON text; without, all.
    pub pattern: Option<String>,
    /// How many days it keeps an event; 0 is for ever.
    pub retention_days: u32,
}

/// An archive that was accepted, and what it holds.
#[derive(Debug)]
pub(super) struct StoredArchive {
    pub(super) arn: String,
    pub(super) archive: Archive,
    pattern: Option<Pattern>,
    pub(super) created_at: DateTime<Utc>,
    /// In the order of their arrival.
    events: VecDeque<Arc<Event>>,
    pub(super) size_bytes: usize,
}

impl Archive {
    fn check(&self) -> Result<Option<Pattern>, EventsError> {
        check_name("Archive name", &self.name, 48, "._-")?;
        if self.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX_CHARS) {
            return Err(EventsError::validation(format!(
                "Description must have at most {DESCRIPTION_MAX_CHARS} characters"
            )));
        }
        if self.retention_days > RETENTION_DAYS_MAX {
            return Err(EventsError::validation(format!("RetentionDays must be 0 to {RETENTION_DAYS_MAX}")));
        }
        Ok(self.pattern.as_deref().map(pattern).transpose()?)
    }
}

impl StoredArchive {
    /// Keeps the event, and lets go of what is too old or too much.
    fn keep(&mut self, event: &Arc<Event>, now: DateTime<Utc>) {
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.matches(&event.value)) {
            return;
        }
        self.size_bytes += event.text.len();
        self.events.push_back(Arc::clone(event));
        self.expire(now);
        while self.size_bytes > ARCHIVE_SIZE_MAX_BYTES {
            self.drop_oldest();
        }
    }

    fn expire(&mut self, now: DateTime<Utc>) {
        let days = self.archive.retention_days;
        let too_old = |event: &Arc<Event>| days > 0 && now - event.ingested_at >= TimeDelta::days(i64::from(days));
        while self.events.front().is_some_and(too_old) {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        if let Some(event) = self.events.pop_front() {
            self.size_bytes -= event.text.len();
        }
    }

    /// How many events it holds at `now`.
    pub(super) fn count(&mut self, now: DateTime<Utc>) -> usize {
        self.expire(now);
        self.events.len()
    }

    /// Its events of a time, oldest first. The end is included: an event's time has no more than seconds.
    pub(super) fn between(&mut self, start: DateTime<Utc>, end: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Arc<Event>> {
        self.expire(now);
        let mut events: Vec<_> =
            self.events.iter().filter(|event| start <= event.time && event.time <= end).cloned().collect();
        events.sort_by_key(|event| event.time);
        events
    }
}

impl Buses {
    pub(super) fn create_archive(
        &mut self,
        account: &Account,
        archive: Archive,
        now: DateTime<Utc>,
    ) -> Result<String, EventsError> {
        let pattern = archive.check()?;
        self.bus(account, &archive.bus_arn)?;
        if self.archives.contains_key(&archive.name) {
            return Err(EventsError::AlreadyExists { what: format!("Archive {}", archive.name) });
        }
        if self.archives.len() >= ARCHIVES_MAX {
            return Err(EventsError::LimitExceeded { what: format!("{ARCHIVES_MAX} archives") });
        }
        let arn = account.arn("events", &format!("archive/{}", archive.name));
        let name = archive.name.clone();
        let stored = StoredArchive {
            arn: arn.clone(),
            archive,
            pattern,
            created_at: now,
            events: VecDeque::new(),
            size_bytes: 0,
        };
        self.archives.insert(name, stored);
        Ok(arn)
    }

    /// Changes what `change` changes; what is archived stays, unless it is now too old.
    pub(super) fn update_archive(
        &mut self,
        name: &str,
        change: impl FnOnce(&mut Archive),
    ) -> Result<&mut StoredArchive, EventsError> {
        let stored = self.archive_mut(name)?;
        let mut archive = stored.archive.clone();
        change(&mut archive);
        stored.pattern = archive.check()?;
        stored.archive = archive;
        Ok(stored)
    }

    pub(super) fn archive_mut(&mut self, name: &str) -> Result<&mut StoredArchive, EventsError> {
        self.archives.get_mut(name).ok_or_else(|| EventsError::NotFound { what: format!("Archive {name}") })
    }

    /// Keeps an event of `bus` in the bus's archives. A replayed event is there already.
    pub(super) fn archive(&mut self, account: &Account, bus: &str, event: &Arc<Event>, now: DateTime<Utc>) {
        if event.is_replayed() {
            return;
        }
        let bus = bus_name(account, bus);
        let archives = self.archives.values_mut();
        for archive in archives.filter(|archive| bus_name(account, &archive.archive.bus_arn) == bus) {
            archive.keep(event, now);
        }
    }
}
