//! The samples that others have of what Lambda sends: none panics, each is handled or refused by name.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use libtest_mimic::Trial;
use serde_json::Value;

use super::{invoke, process};
use crate::{
    on_the_probe,
    system::{ROOT, System},
};

/// What a function may say of an invocation that it did not handle.
const REJECTIONS: [&str; 4] = ["MalformedInvocation", "MalformedEvent", "UnknownEventType", "BatchFailed"];

/// Prints a JSON object of all samples that `sam local generate-event` has, with its defaults.
const GENERATE: &str = "
import json
from samcli.lib.generated_sample_events.events import Events
library, samples = Events(), {}
for service, events in library.event_mapping.items():
    for event, definition in events.items():
        values = {name: tag['default'] for name, tag in definition.get('tags', {}).items()}
        samples[service + ' ' + event] = json.loads(library.generate_event(service, event, values))
print(json.dumps(samples))
";

pub(super) fn trials() -> Vec<Trial> {
    let sam = Command::new("python3").args(["-c", "import samcli"]).output();
    let missing = !sam.is_ok_and(|output| output.status.success());
    let generated = "sources::what_sam_generates_for_each_service_is_handled_or_refused";
    vec![
        on_the_probe("sources::every_fixture_of_the_events_crate_is_handled_or_refused", of_the_events_crate),
        on_the_probe(generated, of_sam).with_kind("needs aws-sam-cli").with_ignored_flag(missing),
    ]
}

async fn of_the_events_crate(system: System) {
    let mut samples = BTreeMap::new();
    for entry in fs::read_dir(fixtures()).expect("the crate ships fixtures") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let sample = serde_json::from_str(&fs::read_to_string(&path).expect("text")).expect("JSON");
            samples.insert(path.file_name().expect("a name").to_string_lossy().into_owned(), sample);
        }
    }
    assert!(samples.len() > 100, "only {} fixtures", samples.len());
    check(&system, samples).await;
}

async fn of_sam(system: System) {
    let output = Command::new("python3").args(["-c", GENERATE]).output().expect("python3 starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let samples: BTreeMap<String, Value> = serde_json::from_slice(&output.stdout).expect("an object of samples");
    assert!(samples.len() > 20, "only {} samples", samples.len());
    check(&system, samples).await;
}

/// The crate's folder, from cargo itself.
fn fixtures() -> PathBuf {
    let metadata = onceward_local::dev::cargo().args(["metadata", "--format-version", "1"]).current_dir(ROOT).output();
    let metadata: Value = serde_json::from_slice(&metadata.expect("cargo runs").stdout).expect("JSON");
    let mut packages = metadata["packages"].as_array().expect("packages").iter();
    let package = packages.find(|package| package["name"] == "aws_lambda_events").expect("a dependency");
    let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
    manifest.with_file_name("src").join("fixtures")
}

async fn check(system: &System, samples: BTreeMap<String, Value>) {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (name, sample) in &samples {
        let verdict = match invoke(system, sample).await {
            // Every record is no event of the probe: it is in the dead-letter queue, or there was none.
            Ok(Value::Null) => "handled".to_owned(),
            Ok(answer) => {
                assert_eq!(answer, serde_json::json!({"batchItemFailures": []}), "{name}");
                "handled".to_owned()
            }
            Err((kind, message)) => {
                assert!(REJECTIONS.contains(&kind.as_str()), "{name}: {kind}: {message}");
                assert!(!message.contains("panicked"), "{name}: {message}");
                kind
            }
        };
        *counts.entry(verdict).or_default() += 1;
    }
    println!("{} samples: {counts:?}", samples.len());
    assert_eq!(process(system).len(), 1, "the process that began is still there, and alone");
}
