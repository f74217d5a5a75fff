//! Two builds side by side on one ledger, as while a new one is deployed: an earlier commit's functions and today's.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use libtest_mimic::{Completion, Failed, Trial};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::system::{ROOT, System, binaries, eventually};

/// The last commit whose records have one digest and no source.
const EARLIER: &str = "17b647d";

/// The events of each kind and order.
const EVENTS: usize = 8;

pub(crate) fn trials() -> Vec<Trial> {
    let name = "builds::an_earlier_build_and_this_one_share_a_ledger";
    vec![Trial::ignorable_test(name, || {
        if !git(&["cat-file", "-e", &format!("{EARLIER}^{{commit}}")])? {
            let reason = "the clone is too shallow: it lacks the commit 17b647d, whose functions are built";
            return Ok(Completion::ignored_with(reason));
        }
        build()?;
        Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(side_by_side());
        Ok(Completion::Completed)
    })]
}

fn git(arguments: &[&str]) -> Result<bool, Failed> {
    let output = Command::new("git").args(arguments).current_dir(ROOT).output()?;
    Ok(output.status.success())
}

/// Builds `earlier-builds`, of the same source with the earlier libraries, beside the binaries of this build. It is a
/// package of its own, so that nothing of this build is overwritten and its dependencies are compiled once.
fn build() -> Result<(), Failed> {
    let debug = binaries();
    let target = debug.parent().ok_or("target/debug is in a folder")?;
    let folder = target.join("earlier").join(EARLIER);
    let (sources, package) = (folder.join("sources"), folder.join("package"));
    if !sources.join("Cargo.toml").exists() {
        // A copy that was cut short must not be taken for a whole one.
        let (archive, partial) = (folder.join("sources.tar"), folder.join("partial"));
        drop(fs::remove_dir_all(&partial));
        fs::create_dir_all(&partial)?;
        let archive_text = archive.to_str().ok_or("a path in UTF-8")?;
        if !git(&["archive", "--format=tar", "--output", archive_text, EARLIER])? {
            return Err("git archive failed".into());
        }
        let unpacked = Command::new("tar").arg("-xf").arg(&archive).arg("-C").arg(&partial).status()?;
        if !unpacked.success() {
            return Err("tar failed".into());
        }
        fs::rename(&partial, &sources)?;
    }
    fs::create_dir_all(&package)?;
    write(&package.join("Cargo.toml"), &manifest(&fs::read_to_string(sources.join("Cargo.toml"))?))?;
    write(&package.join("Cargo.lock"), &fs::read_to_string(sources.join("Cargo.lock"))?)?;
    let mut cargo = onceward_local::dev::cargo();
    let built = cargo.args(["build", "--bin", "earlier-builds"]).arg("--target-dir").arg(target).current_dir(&package);
    if built.status()?.success() { Ok(()) } else { Err("the earlier build does not compile".into()) }
}

/// The same profile as its own workspace had.
fn manifest(workspace: &str) -> String {
    let profile = workspace.find("[profile.dev]").zip(workspace.find("[profile.release]"));
    let profile = profile.map_or("", |(from, to)| &workspace[from..to]);
    let source = Path::new(ROOT).join("tests/builds/main.rs");
    format!(
        "[package]\nname = \"earlier-builds\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [[bin]]\nname = \"earlier-builds\"\npath = \"{}\"\n\n[dependencies]\n\
         onceward = {{ path = \"../sources/lib/onceward\" }}\n\
         onceward-aws = {{ path = \"../sources/lib/onceward-aws\" }}\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\n{profile}",
        source.display(),
    )
}

/// Only what changes is written: cargo looks at the time.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) { Ok(()) } else { fs::write(path, text) }
}

const BUILDS: [&str; 2] = ["earlier", "current"];
const KINDS: [&str; 3] = ["transactional", "guarded", "grouped"];

/// An event and what it counts for.
struct Tick {
    name: String,
    body: String,
}

/// Half of them have ids as Onceward makes them, the others are somebody else's.
fn ticks(kind: &str, order: &str) -> Vec<Tick> {
    let tick = |number: usize| {
        let name = format!("{kind}-{order}-{number}");
        let own = format!("{:08x}-2fa1-4d3b-883f-{:012x}.0", rand::random::<u32>(), rand::random::<u32>());
        let id = if number.is_multiple_of(2) { own } else { format!("no#{name}") };
        let event = json!({
            "specversion": "1.0", "id": id, "source": "urn:clock#1", "type": "clock.ticked.v1",
            "time": chrono::Utc::now().to_rfc3339(), "data": {"tick": name},
        });
        Tick { name, body: event.to_string() }
    };
    (0..EVENTS).map(tick).collect()
}

async fn side_by_side() {
    let system = System::start("tests/builds/template.yaml", BTreeMap::new()).await;
    let mut names = events(&system).await;
    names.extend(commands(&system).await);
    let rows = system.rows("builds-counts").await;
    let counts: BTreeMap<_, _> =
        rows.iter().filter_map(|row| Some((row["tick"]["S"].as_str()?, &row["count"]))).collect();
    for name in &names {
        assert_eq!(counts.get(name.as_str()), Some(&&json!({"N": "1"})), "{name}");
    }
    assert_eq!(counts.len(), names.len());
    let letters = system.depth("builds-dlq").await;
    assert_eq!(letters.backlog(), 0, "{:#?}", system.messages("builds-dlq").await);
    let records = system.rows("builds-ledger").await;
    let of_this_build = records.iter().filter(|record| record.get("jcs").is_some()).count();
    assert!((1..records.len()).contains(&of_this_build), "both builds have written: {of_this_build}");
    system.cloud().shutdown().await;
}

/// Each event to both builds: to the earlier one first, to this one first, and to both at once; then to both again.
async fn events(system: &System) -> Vec<String> {
    let mut all = Vec::new();
    let mut rounds: [Vec<(String, String)>; 3] = Default::default();
    for kind in KINDS {
        let queue = |build: usize| format!("{kind}-{}", BUILDS[build]);
        for (order, first) in [("earlier", 0), ("current", 1), ("both", 2)] {
            for tick in ticks(kind, order) {
                let to = |build| (queue(build), tick.body.clone());
                match first {
                    2 => rounds[0].extend([to(0), to(1), to(1), to(0)]),
                    first => {
                        rounds[0].push(to(first));
                        rounds[1].push(to(1 - first));
                    }
                }
                rounds[2].extend([to(0), to(1)]);
                all.push(tick.name);
            }
        }
    }
    for messages in rounds {
        futures_util::future::join_all(messages.iter().map(|(queue, body)| system.send(queue, body))).await;
        for kind in KINDS {
            for build in BUILDS {
                let queue = format!("{kind}-{build}");
                eventually("the queue is empty", async || system.depth(&queue).await.backlog() == 0).await;
            }
        }
    }
    all
}

/// Each request to both builds, in both orders and at once: one answer.
async fn commands(system: &System) -> Vec<String> {
    let post = async |build: &str, key: &str, body: Value| {
        let request = system.http.post(format!("{}/{build}", system.cloud().http_url())).header("Idempotency-Key", key);
        let response = request.header("Content-Type", "application/json").body(body.to_string()).send().await;
        let response = response.expect("it answers");
        (response.status().as_u16(), response.text().await.expect("a body"))
    };
    let mut names = Vec::new();
    for number in 0..EVENTS {
        let (name, [one, other]) = (format!("command-{number}"), [BUILDS[number % 2], BUILDS[1 - number % 2]]);
        let body = json!({"tick": name});
        let (first, second) = if number < EVENTS / 2 {
            (post(one, &name, body.clone()).await, post(other, &name, body.clone()).await)
        } else {
            tokio::join!(post(one, &name, body.clone()), post(other, &name, body.clone()))
        };
        assert_eq!((first.0, &first), (202, &second), "{name}");
        for build in BUILDS {
            let reused = post(build, &name, json!({"tick": "another"})).await;
            assert_eq!(reused.0, 409, "{name}: {}", reused.1);
        }
        names.push(name);
    }
    names
}
