//! What is said of events that reach nobody. On AWS no more than a metric tells of it.

use std::sync::PoisonError;

use serde_json::{Value, json};

use super::{EventBridge, Undelivered, bus::bus_name, delivery::Delivery, event::Event};
use crate::{
    escape,
    lambda::{Notice, NoticeEvent},
};

impl EventBridge {
    /// No rule took `event` on `bus`.
    pub(super) fn untaken(&self, bus: &str, event: &Event) {
        let (bus, what) = (bus_name(&self.account, bus).unwrap_or(bus), told(event));
        if self.state.outside.read().unwrap_or_else(PoisonError::into_inner).contains(text(&event.value["detail-type"]))
        {
            let message = format!("{what}: no rule took it, as the template says (Metadata.Onceward.Events.ToOutside)");
            return self.log.report(bus, 0, "INFO", &message);
        }
        let message = format!(
            "{what}: no rule took it, and nobody gets it; write a rule whose pattern it matches, or list the type in \
             Metadata.Onceward.Events.ToOutside"
        );
        self.log.notify(bus, "WARN", &message, notice(NoticeEvent::NoRule, event, json!({ "bus": bus })));
    }

    /// A rule took `event`, or its bus is not there, and it is gone.
    pub(super) fn lost(&self, event: &Event, undelivered: Undelivered) {
        let Undelivered { rule_arn, target_arn, reason, .. } = &undelivered;
        let rule = if rule_arn.is_empty() { String::new() } else { format!(" of {rule_arn}") };
        let message = format!("{}: LOST, it did not reach {target_arn}{rule}: {reason}", told(event));
        let fields = json!({ "rule_arn": rule_arn, "target_arn": target_arn, "reason": reason });
        let origin = if rule_arn.is_empty() { target_arn } else { name(rule_arn) };
        self.log.notify(origin, "ERROR", &message, notice(NoticeEvent::Undelivered, event, fields));
        self.remember(undelivered);
    }

    /// A rule took `event`, its target did not.
    pub(super) fn dead_lettered(&self, event: &Event, delivery: &Delivery, dead_letter_arn: &str, reason: &str) {
        let (rule_arn, target_arn) = (&delivery.rule_arn, &delivery.target.arn);
        let message = format!("{}: it did not reach {target_arn} and is in {dead_letter_arn}: {reason}", told(event));
        let fields = json!({
            "rule_arn": rule_arn, "target_arn": target_arn, "dead_letter_arn": dead_letter_arn, "reason": reason
        });
        self.log.notify(name(rule_arn), "ERROR", &message, notice(NoticeEvent::DeadLettered, event, fields));
    }
}

/// Type and subject, and who sends it, each as one line.
fn told(event: &Event) -> String {
    let part = |value: &Value| escape::line(text(value)).into_owned();
    let subject = part(&event.value["detail"]["subject"]);
    let subject = if subject.is_empty() { String::new() } else { format!(" {subject}") };
    format!("{}{subject} from {}", part(&event.value["detail-type"]), part(&event.value["source"]))
}

fn notice(what: NoticeEvent, event: &Event, mut fields: Value) -> Notice {
    fields["event_type"] = event.value["detail-type"].clone();
    fields["source"] = event.value["source"].clone();
    fields["event_id"] = event.id.clone().into();
    // Of a CloudEvents event: as the functions' own lines name it.
    fields["subject"] = event.value["detail"]["subject"].clone();
    fields["detail_id"] = event.value["detail"]["id"].clone();
    Notice { event: what, fields }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The name at the end of an ARN.
fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
