//! The demo a template brings in its metadata: events to begin with, and what to try.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::cloud::Cloud;
use crate::escape;
use crate::events::Entry;
use crate::template::Stack;

/// How long after the build the demo's events may take before the banner is printed without waiting for them.
const DEMO_MAX: Duration = Duration::from_millis(1800);
/// How often the queues are looked at while the demo's events are under way.
const BACKLOG_INTERVAL: Duration = Duration::from_millis(5);
/// Stands for the time, in the demo's text.
const NOW: &str = "{now}";
/// Stands for the HTTP API's base URL, in the demo's text.
const HTTP: &str = "{http}";

/// `Metadata.Onceward.Dev.Demo`: the object itself, or the path of a JSON file that holds it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demo {
    /// Put on the template's bus.
    #[serde(default)]
    events: Vec<DemoEvent>,
    /// A command for people to try, printed last.
    #[serde(default, rename = "try")]
    try_line: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DemoEvent {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Value,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("cannot read the demo {}, named by Metadata.Onceward.Dev.Demo of the template: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(
        "the demo (Metadata.Onceward.Dev.Demo of the template) is not {{\"events\": […], \"try\": \"…\"}}: {source}"
    )]
    Malformed { source: serde_json::Error },
}

impl Demo {
    /// The stack's demo, if it has one. Paths are relative to `directory`.
    pub(super) fn read(stack: &Stack, directory: &Path) -> Result<Option<Self>, DemoError> {
        let demo = match &stack.metadata["Onceward"]["Dev"]["Demo"] {
            Value::Null => return Ok(None),
            Value::String(path) => {
                let path = directory.join(path);
                let text =
                    std::fs::read(&path).map_err(|source| DemoError::Unreadable { path: path.clone(), source })?;
                serde_json::from_slice(&text)
            }
            demo => serde_json::from_value(demo.clone()),
        };
        demo.map(Some).map_err(|source| DemoError::Malformed { source })
    }

    /// What to try, on this HTTP API.
    pub(super) fn try_line(&self, http_url: &str) -> Option<String> {
        self.try_line.as_ref().map(|line| line.replace(HTTP, http_url))
    }

    /// Puts the events on the bus and waits until every queue is empty again, or until [`DEMO_MAX`] after `built`.
    /// Answers what there is to say about it.
    pub(super) async fn play(&self, cloud: &Cloud, built: Instant) -> Vec<String> {
        let bus = cloud.stack().buses.first().map_or("default", |bus| bus.name.as_str());
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut notes = Vec::new();
        for event in &self.events {
            let entry = Entry {
                bus: bus.to_owned(),
                source: event.source.clone(),
                detail_type: event.detail_type.clone(),
                detail: event.detail.to_string().replace(NOW, &now).replace(HTTP, cloud.http_url()),
                ..Entry::default()
            };
            if let Err(error) = cloud.events().put_event(entry) {
                let (event_type, error) = (&event.detail_type, error.to_string());
                notes.push(format!(
                    "the demo's event {} was refused: {}",
                    escape::line(event_type),
                    escape::line(&error)
                ));
            }
        }
        while cloud.backlog() > 0 {
            if built.elapsed() > DEMO_MAX {
                notes.push("the demo's events are still under way".to_owned());
                break;
            }
            tokio::time::sleep(BACKLOG_INTERVAL).await;
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(demo: &Value) -> Result<Option<Demo>, DemoError> {
        let metadata = json!({"Onceward": {"Dev": {"Demo": demo}}});
        Demo::read(&Stack { metadata, ..Stack::default() }, Path::new("."))
    }

    #[test]
    fn a_demo_is_an_object_or_a_file_or_missing() {
        assert_eq!(Demo::read(&Stack::default(), Path::new(".")).unwrap(), None);
        let demo = read(&json!({"events": [], "try": "curl {http}/orders"})).unwrap().unwrap();
        assert_eq!(demo.try_line("http://127.0.0.1:3000").unwrap(), "curl http://127.0.0.1:3000/orders");
        let missing = read(&json!("no-such.json")).unwrap_err();
        assert!(missing.to_string().contains("no-such.json"), "{missing}");
        assert!(matches!(read(&json!({"event": []})), Err(DemoError::Malformed { .. })));
    }
}
