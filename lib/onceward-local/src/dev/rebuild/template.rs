//! What there is to say when the template is saved.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{DONE, FAILED, NOTE};
use crate::cloud::Cloud;
use crate::dev::console::News;
use crate::template::Stack;

/// The template that runs.
#[derive(Debug)]
pub(in crate::dev) struct Template {
    path: PathBuf,
    overrides: BTreeMap<String, String>,
    stack_name: String,
    /// What runs, and what was saved last. None: it cannot be read.
    running: Option<Vec<u8>>,
    saved: Option<Vec<u8>>,
}

impl Template {
    /// The template as it is now.
    pub(in crate::dev) fn read(path: &Path, overrides: &BTreeMap<String, String>, stack_name: &str) -> Self {
        let running = fs::read(path).ok();
        let (path, stack_name) = (path.to_owned(), stack_name.to_owned());
        Self { path, overrides: overrides.clone(), stack_name, saved: running.clone(), running }
    }

    /// What a change of the file means, and what it says if that is something else than what runs; none if it says what
    /// it said before.
    pub(super) fn changed(&mut self, cloud: &Cloud) -> Option<(News, Option<Stack>)> {
        let text = fs::read(&self.path).ok();
        if text == self.saved {
            return None;
        }
        self.saved = text;
        if self.saved == self.running {
            let text = format!("{DONE}the template is as it was{DONE:#}: this is what runs");
            return Some((News { event: "template_restored", text, fields: json!({}) }, None));
        }
        let read = cloud.read_template(&self.path, &self.overrides, &self.stack_name);
        let news = match &read {
            Ok(_) => News {
                event: "template_changed",
                text: format!("{NOTE}the template has changed{NOTE:#}: restart `onceward dev` to apply it"),
                fields: json!({}),
            },
            Err(error) => News {
                event: "template_faulty",
                text: format!(
                    "{error}\n\n{FAILED}the template cannot be applied{FAILED:#}: what it was before runs on"
                ),
                fields: json!({"error": error.to_string()}),
            },
        };
        Some((news, read.ok()))
    }
}
