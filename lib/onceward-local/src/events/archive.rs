//! Archives: events of a bus, kept to be replayed. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html>

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::bus::{Buses, bus_name, check_name};
use super::error::EventsError;
use super::event::Event;
use super::pattern::Pattern;
use super::rule::pattern;
use crate::account::Account;
use crate::store::{Batch, Store, StoreError};

/// Archived events, by their archives' names and their places in them: `{archive}/{sequence:020}`.
const COLLECTION: &str = "events.archived";

/// Archives of an account. AWS says no number; every list here has one.
const ARCHIVES_MAX: usize = 1000;

/// What one archive holds, in bytes of its events' texts; the oldest makes room. AWS has no limit.
pub const ARCHIVE_SIZE_MAX_BYTES: usize = 256 * 1024 * 1024;

/// Length of a description in characters. <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html>
const DESCRIPTION_MAX_CHARS: usize = 512;

/// Days that fit a calendar: 1,000 years.
const RETENTION_DAYS_MAX: u32 = 365_000;

/// An archive, as [`EventBridge::create_archive`](super::EventBridge::create_archive) takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// An archive that was accepted, and what it holds. Its events are records of their own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "ArchiveRecord")]
pub(super) struct StoredArchive {
    pub(super) arn: String,
    pub(super) archive: Archive,
    #[serde(skip_serializing)]
    pattern: Option<Pattern>,
    pub(super) created_at: DateTime<Utc>,
    /// In the order of their arrival, with their places in it.
    #[serde(skip_serializing)]
    events: VecDeque<(u64, Arc<Event>)>,
    #[serde(skip_serializing)]
    size_bytes: usize,
}

/// An archive as it is stored.
#[derive(Deserialize)]
struct ArchiveRecord {
    arn: String,
    archive: Archive,
    created_at: DateTime<Utc>,
}

impl TryFrom<ArchiveRecord> for StoredArchive {
    type Error = EventsError;

    fn try_from(record: ArchiveRecord) -> Result<Self, EventsError> {
        let ArchiveRecord { arn, archive, created_at } = record;
        let pattern = archive.check()?;
        Ok(Self { arn, archive, pattern, created_at, events: VecDeque::new(), size_bytes: 0 })
    }
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
    fn keep(&mut self, event: &Arc<Event>, now: DateTime<Utc>, batch: &mut Batch) {
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.matches(&event.value)) {
            return;
        }
        let place = self.events.back().map_or(0, |(last, _)| last + 1);
        batch.put(COLLECTION, self.key(place), &**event);
        self.push(place, Arc::clone(event));
        self.expire(now, batch);
        while self.size_bytes > ARCHIVE_SIZE_MAX_BYTES {
            self.drop_oldest(batch);
        }
    }

    fn push(&mut self, place: u64, event: Arc<Event>) {
        self.size_bytes += event.text.len();
        self.events.push_back((place, event));
    }

    /// How many of its first events are too old.
    fn expired(&self, now: DateTime<Utc>) -> usize {
        let days = self.archive.retention_days;
        let too_old =
            |(_, event): &(u64, Arc<Event>)| days > 0 && now - event.ingested_at >= TimeDelta::days(i64::from(days));
        self.events.iter().take_while(|event| too_old(event)).count()
    }

    fn expire(&mut self, now: DateTime<Utc>, batch: &mut Batch) {
        for _ in 0..self.expired(now) {
            self.drop_oldest(batch);
        }
    }

    fn drop_oldest(&mut self, batch: &mut Batch) {
        if let Some((place, event)) = self.events.pop_front() {
            self.size_bytes -= event.text.len();
            batch.delete(COLLECTION, self.key(place));
        }
    }

    /// Names of archives have no slash.
    fn key(&self, place: u64) -> String {
        format!("{}/{place:020}", self.archive.name)
    }

    /// How many events it holds at `now`, and the bytes of their texts.
    pub(super) fn holds(&self, now: DateTime<Utc>) -> (usize, usize) {
        let expired = self.expired(now);
        let expired_bytes: usize = self.events.range(..expired).map(|(_, event)| event.text.len()).sum();
        (self.events.len() - expired, self.size_bytes - expired_bytes)
    }

    /// Its events of a time, oldest first. The end is included: an event's time has no more than seconds.
    pub(super) fn between(&self, start: DateTime<Utc>, end: DateTime<Utc>, now: DateTime<Utc>) -> Vec<Arc<Event>> {
        let held = self.events.range(self.expired(now)..).map(|(_, event)| event);
        let mut events: Vec<_> = held.filter(|event| start <= event.time && event.time <= end).cloned().collect();
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
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) -> Result<&StoredArchive, EventsError> {
        let stored = self.archive_mut(name)?;
        let mut archive = stored.archive.clone();
        change(&mut archive);
        let pattern = archive.check()?;
        // What was too old before does not come back.
        stored.expire(now, batch);
        (stored.pattern, stored.archive) = (pattern, archive);
        stored.expire(now, batch);
        Ok(stored)
    }

    pub(super) fn stored_archive(&self, name: &str) -> Result<&StoredArchive, EventsError> {
        self.archives.get(name).ok_or_else(|| no_archive(name))
    }

    fn archive_mut(&mut self, name: &str) -> Result<&mut StoredArchive, EventsError> {
        self.archives.get_mut(name).ok_or_else(|| no_archive(name))
    }

    /// Deletes the archive with its events.
    pub(super) fn delete_archive(&mut self, name: &str, batch: &mut Batch) -> Result<(), EventsError> {
        self.archives.remove(name).ok_or_else(|| no_archive(name))?;
        batch.delete_all(COLLECTION, format!("{name}/"));
        Ok(())
    }

    /// Gives the archives the events that `store` has of them.
    pub(super) fn restore_archived(&mut self, store: &Store) -> Result<(), StoreError> {
        for (key, event) in store.read::<Event>(COLLECTION)? {
            let Some((name, place)) = key.split_once('/') else { continue };
            if let (Some(archive), Ok(place)) = (self.archives.get_mut(name), place.parse()) {
                archive.push(place, Arc::new(event));
            }
        }
        Ok(())
    }

    /// Keeps an event of `bus` in the bus's archives. A replayed event is there already.
    pub(super) fn archive(
        &mut self,
        account: &Account,
        bus: &str,
        event: &Arc<Event>,
        now: DateTime<Utc>,
        batch: &mut Batch,
    ) {
        if event.is_replayed() {
            return;
        }
        let bus = bus_name(account, bus);
        let archives = self.archives.values_mut();
        for archive in archives.filter(|archive| bus_name(account, &archive.archive.bus_arn) == bus) {
            archive.keep(event, now, batch);
        }
    }
}

fn no_archive(name: &str) -> EventsError {
    EventsError::NotFound { what: format!("Archive {name}") }
}
