//! Rules with a schedule.

use std::sync::Arc;

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
        let next_at = self.buses().next_at();
        self.state.timetable.change(next_at, self.clone().keep_time());
    }

    async fn keep_time(self) {
        self.state.timetable.keep(&self.clock, || self.buses().next_at(), || self.send_due()).await;
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
