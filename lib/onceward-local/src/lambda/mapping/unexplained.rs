//! Messages that SQS gives up without a reason: why they failed is put together from what is known here.
//!
//! A function that runs sends its letters itself, with a reason. One that was killed, timed out or throttled at a message's
//! last receive cannot: SQS moves the message, and its dead-letter queue says nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use crate::{
    escape,
    lambda::{Notice, NoticeEvent},
    sqs::Moved,
};

/// Failures that are remembered of one function; the oldest is forgotten first.
const FAILURES_MAX: usize = 10_000;

/// Characters of a failure.
const FAILURE_CHARS_MAX: usize = 500;

/// Marks the lines in which a function says what came of a delivery.
const DELIVERY: &str = "onceward::delivery";

/// The last failure of each message, and the last that the function logged of each event.
#[derive(Debug, Default)]
pub(in crate::lambda) struct LastFailures {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_id: HashMap<Id, String>,
    oldest_first: VecDeque<Id>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Id {
    Message(String),
    Event(String),
}

impl LastFailures {
    /// The invocation that had the message failed.
    pub(in crate::lambda) fn of_message(&self, message_id: &str, failure: &str) {
        self.keep(Id::Message(message_id.to_owned()), failure);
    }

    /// Takes note if the line that the function printed tells of a delivery that failed.
    pub(in crate::lambda) fn printed(&self, line: &str) {
        if !line.contains(DELIVERY) {
            return;
        }
        let Ok(line) = serde_json::from_str::<Value>(line) else { return };
        let field = |name: &str| line.get(name).or_else(|| line["fields"].get(name)).and_then(Value::as_str);
        if line["target"] == DELIVERY
            && field("outcome") == Some("retried")
            && let (Some(event_id), Some(reason)) = (field("event_id"), field("reason"))
        {
            self.keep(Id::Event(event_id.to_owned()), reason);
        }
    }

    fn keep(&self, id: Id, failure: &str) {
        let failure = failure.chars().take(FAILURE_CHARS_MAX).collect();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.by_id.insert(id.clone(), failure).is_none() {
            kept.oldest_first.push_back(id);
        }
        if kept.oldest_first.len() > FAILURES_MAX
            && let Some(oldest) = kept.oldest_first.pop_front()
        {
            kept.by_id.remove(&oldest);
        }
    }

    fn find(&self, id: &Id) -> Option<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).by_id.get(id).cloned()
    }

    /// What is said of a message that SQS has moved: for people, and for programs.
    pub(super) fn notice(&self, function: &str, moved: &Moved) -> (String, Notice) {
        let body = serde_json::from_str::<Value>(&moved.body).unwrap_or_default();
        let event = if body["detail"]["id"].is_string() { &body["detail"] } else { &body };
        let event_id = event["id"].as_str();
        let failure = self.find(&Id::Message(moved.message_id.clone()));
        let logged = event_id.and_then(|id| self.find(&Id::Event(id.to_owned())));
        let what = match (event["type"].as_str(), event["subject"].as_str()) {
            (Some(event_type), Some(subject)) => format!("{event_type} {subject}"),
            (Some(event_type), None) => event_type.to_owned(),
            (None, _) => format!("message {}", moved.message_id),
        };
        let mut message = format!(
            "{}: received {} times, SQS moved it to {}, where nothing says why",
            escape::line(&what),
            moved.receives,
            moved.dead_letter_arn
        );
        for (label, text) in [("its last failure", &failure), ("the function logged last", &logged)] {
            if let Some(text) = text {
                message = format!("{message}; {label}: {}", escape::line(text));
            }
        }
        let fields = json!({
            "function": function, "source_arn": moved.source_arn, "dead_letter_arn": moved.dead_letter_arn,
            "message_id": moved.message_id, "event_id": event_id, "event_type": event["type"],
            "subject": event["subject"], "receives": moved.receives, "last_failure": failure, "last_logged": logged,
        });
        (message, Notice { event: NoticeEvent::MovedWithoutReason, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(body: &Value) -> Moved {
        Moved {
            message_id: "m-1".to_owned(),
            body: body.to_string(),
            receives: 5,
            source_arn: "arn:q".to_owned(),
            dead_letter_arn: "arn:dlq".to_owned(),
        }
    }

    #[test]
    fn what_is_known_of_a_message_is_said() {
        let failures = LastFailures::default();
        let event = json!({"id": "e-1", "type": "order.placed.v1", "subject": "o\n1"});
        let line = |outcome: &str, reason: &str| {
            let fields = json!({"event_id": "e-1", "outcome": outcome, "reason": reason});
            json!({"target": DELIVERY, "fields": fields}).to_string()
        };
        failures.printed(&line("retried", "no stock"));
        failures.printed(&line("committed", "nothing"));
        failures.printed("onceward::delivery in another's words");
        failures.of_message("m-1", "timed out");
        for body in [event.clone(), json!({"detail-type": "order.placed.v1", "detail": event})] {
            let (message, notice) = failures.notice("f", &moved(&body));
            let expected = "order.placed.v1 o\\n1: received 5 times, SQS moved it to arn:dlq, where nothing says why; its last \
                            failure: timed out; the function logged last: no stock";
            assert_eq!(message, expected);
            assert_eq!(notice.fields["last_failure"], "timed out");
            assert_eq!(
                (&notice.fields["event_id"], &notice.fields["last_logged"]),
                (&json!("e-1"), &json!("no stock"))
            );
        }
    }

    #[test]
    fn a_message_of_which_nothing_is_known_is_named() {
        let (message, notice) = LastFailures::default().notice("f", &moved(&json!("no event")));
        assert_eq!(message, "message m-1: received 5 times, SQS moved it to arn:dlq, where nothing says why");
        assert_eq!((notice.event, &notice.fields["last_failure"]), (NoticeEvent::MovedWithoutReason, &Value::Null));
    }

    #[test]
    fn the_oldest_failure_is_forgotten_first_and_each_is_short() {
        let failures = LastFailures::default();
        failures.of_message("0", &"x".repeat(FAILURE_CHARS_MAX + 1));
        assert_eq!(failures.find(&Id::Message("0".to_owned())).unwrap().len(), FAILURE_CHARS_MAX);
        (1..=FAILURES_MAX).for_each(|id| failures.of_message(&id.to_string(), "y"));
        assert_eq!(failures.find(&Id::Message("0".to_owned())), None);
        assert!(failures.find(&Id::Message("1".to_owned())).is_some());
    }
}
