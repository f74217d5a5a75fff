//! Rules with a schedule: a task that waits for the next one that is due.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::EventBridge;
use super::bus::Buses;
use super::delivery::Delivery;
use super::event::Event;
use super::rule::StoredRule;

impl EventBridge {
    /// Looks at the rules' schedules again, after one of them changed.
    pub(super) fn reschedule(&self) {
        if self.state.resumed.load(Ordering::Relaxed) && self.buses().next_at().is_some() {
            // Refused if it runs already, or if the cloud is going down.
            let _ = self.state.timetable.spawn(self.clone().keep_time());
        }
        self.state.rescheduled.notify_one();
    }

    async fn keep_time(self) {
        loop {
            let next_at = self.buses().next_at();
            let due = async {
                match next_at {
                    Some(at) => self.clock.until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                () = self.state.rescheduled.notified() => {}
                () = due => self.send_due(),
            }
        }
    }

    fn send_due(&self) {
        let due = self.buses().take_due(self.clock.now());
        for (due_at, deliveries) in due {
            let Some(rule_arn) = deliveries.first().map(|delivery| delivery.rule_arn.clone()) else { continue };
            let event = Event::scheduled(&rule_arn, Uuid::new_v4().to_string(), due_at, &self.account);
            let event = Arc::new(event);
            for delivery in &deliveries {
                self.send(&event, delivery);
            }
        }
    }
}

impl Buses {
    /// When the next rule is due.
    fn next_at(&self) -> Option<DateTime<Utc>> {
        self.by_name.values().flat_map(|bus| bus.rules.values()).filter_map(StoredRule::next_at).min()
    }

    /// Each rule that is due, when it was, and where its event goes. What was missed (the machine slept) comes once.
    fn take_due(&mut self, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Vec<Delivery>)> {
        let mut due = Vec::new();
        for (name, rule) in self.by_name.values_mut().flat_map(|bus| bus.rules.iter_mut()) {
            let Some(at) = rule.next_at().filter(|at| *at <= now) else { continue };
            if let Some(schedule) = &mut rule.schedule {
                schedule.advance(now);
            }
            due.push((at, rule.deliveries(name)));
        }
        due
    }
}
