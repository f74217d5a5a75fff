//! Replays: archived events, sent to their bus again.
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html>

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::EventBridge;
use super::bus::Buses;
use super::error::EventsError;
use super::event::Event;

/// Replays that run at a time. <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html>
pub const REPLAYS_RUNNING_MAX: usize = 10;

/// Replays that are remembered; of those that are over, the first by name makes room.
pub const REPLAYS_MAX: usize = 1000;

/// How long a replay takes to start: somebody may cancel it. On AWS it is minutes.
const START_DELAY: Duration = Duration::from_millis(500);

/// The pause between one minute's events and the next minute's.
const INTERVAL_DELAY: Duration = Duration::from_millis(50);

/// `State` of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ReplayState {
    Starting,
    Running,
    Cancelling,
    Completed,
    Cancelled,
    Failed,
}

impl ReplayState {
    pub(super) const ALL: [Self; 6] =
        [Self::Starting, Self::Running, Self::Cancelling, Self::Completed, Self::Cancelled, Self::Failed];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Cancelling => "CANCELLING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }

    pub(super) const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Failed)
    }
}

/// A replay: what was asked, and how far it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Replay {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) archive_arn: String,
    pub(super) bus_arn: String,
    /// Rules that take part; none for all.
    pub(super) filter_arns: Vec<String>,
    pub(super) event_start: DateTime<Utc>,
    pub(super) event_end: DateTime<Utc>,
    pub(super) state: ReplayState,
    pub(super) state_reason: Option<String>,
    pub(super) last_replayed: Option<DateTime<Utc>>,
    pub(super) started_at: DateTime<Utc>,
    pub(super) ended_at: Option<DateTime<Utc>>,
}

impl EventBridge {
    /// Begins the replay that was checked and named in the buses before.
    pub(super) fn begin_replay(&self, name: &str) -> Result<(), EventsError> {
        let replay = self.clone().replay(name.to_owned());
        self.state.replays.spawn(replay).map_err(|_| {
            self.buses().replays.remove(name);
            EventsError::LimitExceeded { what: format!("{REPLAYS_RUNNING_MAX} replays at a time") }
        })
    }

    async fn replay(self, name: String) {
        sleep(START_DELAY).await;
        let Some((replay, events)) = self.buses().run_replay(&name, self.clock.now()) else {
            return self.end_replay(&name);
        };
        let minute = |event: &Arc<Event>| event.time.timestamp() / 60;
        for events in events.chunk_by(|first, second| minute(first) == minute(second)) {
            for event in events {
                if !self.buses().unsaved().replay_goes_on(&name, event.time) {
                    return self.end_replay(&name);
                }
                let again = event.replayed(&name, self.clock.now());
                if let Err(error) = self.accept(&replay.bus_arn, &Arc::new(again), &replay.filter_arns) {
                    self.buses().fail_replay(&name, error.to_string());
                    return self.end_replay(&name);
                }
            }
            sleep(INTERVAL_DELAY).await;
        }
        self.end_replay(&name);
    }

    fn end_replay(&self, name: &str) {
        if let Some(replay) = self.buses().replays.get_mut(name) {
            replay.ended_at = Some(self.clock.now());
            replay.state = match replay.state {
                ReplayState::Cancelling => ReplayState::Cancelled,
                ReplayState::Starting | ReplayState::Running => ReplayState::Completed,
                over => over,
            };
        }
    }
}

impl Buses {
    pub(super) fn replay(&self, name: &str) -> Result<&Replay, EventsError> {
        self.replays.get(name).ok_or_else(|| EventsError::NotFound { what: format!("Replay {name}") })
    }

    pub(super) fn add_replay(&mut self, replay: Replay) -> Result<(), EventsError> {
        if self.replays.contains_key(&replay.name) {
            return Err(EventsError::AlreadyExists { what: format!("Replay {}", replay.name) });
        }
        if self.replays.len() >= REPLAYS_MAX {
            let over = self.replays.values().find(|replay| replay.state.is_over()).map(|replay| replay.name.clone());
            over.and_then(|name| self.replays.remove(&name));
        }
        self.replays.insert(replay.name.clone(), replay);
        Ok(())
    }

    /// Asks a replay to stop.
    pub(super) fn cancel_replay(&mut self, name: &str) -> Result<&Replay, EventsError> {
        let not_found = || EventsError::NotFound { what: format!("Replay {name}") };
        let replay = self.replays.get_mut(name).ok_or_else(not_found)?;
        if !matches!(replay.state, ReplayState::Starting | ReplayState::Running) {
            let reason = format!("Replay {name} is not in a valid state for this operation.");
            return Err(EventsError::IllegalStatus { reason });
        }
        replay.state = ReplayState::Cancelling;
        Ok(replay)
    }

    /// The events of a replay that nobody has cancelled meanwhile.
    fn run_replay(&mut self, name: &str, now: DateTime<Utc>) -> Option<(Replay, Vec<Arc<Event>>)> {
        let replay = self.replays.get_mut(name).filter(|replay| replay.state == ReplayState::Starting)?;
        let archive = self.archives.values().find(|archive| archive.arn == replay.archive_arn);
        let Some(archive) = archive else {
            replay.state = ReplayState::Failed;
            replay.state_reason = Some("The archive was deleted.".to_owned());
            return None;
        };
        replay.state = ReplayState::Running;
        Some((replay.clone(), archive.between(replay.event_start, replay.event_end, now)))
    }

    /// Whether the replay still runs; it is at an event of that time.
    fn replay_goes_on(&mut self, name: &str, time: DateTime<Utc>) -> bool {
        let Some(replay) = self.replays.get_mut(name).filter(|replay| replay.state == ReplayState::Running) else {
            return false;
        };
        replay.last_replayed = time.with_nanosecond(0);
        true
    }

    /// Those that ran when the cloud went down.
    pub(super) fn fail_interrupted(&mut self, now: DateTime<Utc>) {
        for replay in self.replays.values_mut().filter(|replay| !replay.state.is_over()) {
            replay.state = ReplayState::Failed;
            replay.state_reason = Some("The local cloud went down.".to_owned());
            replay.ended_at = Some(now);
        }
    }

    fn fail_replay(&mut self, name: &str, reason: String) {
        if let Some(replay) = self.replays.get_mut(name) {
            replay.state = ReplayState::Failed;
            replay.state_reason = Some(reason);
        }
    }
}
