//! A saved file is built and replaces what was made of it.

use std::{fs, os::unix::fs::PermissionsExt as _};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{
    process::{Dev, READY},
    project::{Folder, project, word},
};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("dev::a_saved_file_replaces_the_functions_made_of_it", a_saved_file_replaces_the_functions_made_of_it),
        trial("dev::a_build_error_is_shown_and_the_last_good_build_runs_on", a_build_error_is_shown),
        trial("dev::build_news_are_json_on_stdout", build_news_are_json_on_stdout),
        trial("dev::a_changed_template_is_said_to_need_a_restart", a_changed_template_is_said),
        trial("dev::a_faulty_template_is_shown_with_its_faults", a_faulty_template_is_shown_with_its_faults),
        trial(
            "dev::a_package_outside_of_the_workspace_is_watched_too",
            a_package_outside_of_the_workspace_is_watched_too,
        ),
        trial("dev::an_error_of_the_linker_is_shown", an_error_of_the_linker_is_shown),
        trial("dev::a_changed_ready_bootstrap_is_picked_up", a_changed_ready_bootstrap_is_picked_up),
        trial("dev::a_changed_archive_is_unpacked_again", a_changed_archive_is_unpacked_again),
        trial("dev::without_the_watch_nothing_is_rebuilt", without_the_watch_nothing_is_rebuilt),
    ]
}

fn start(project: &Folder, arguments: &[&str]) -> Dev {
    let arguments = [&["--no-demo"], arguments].concat();
    Dev::start_with_target(&project.0, &project.0.join("target"), &arguments)
}

fn ready(project: &Folder) -> Dev {
    let mut dev = start(project, &[]);
    dev.out.until("the banner", |line| line.contains(READY));
    dev
}

fn invoke(dev: &Dev, url: &str, function: &str, event: &str) -> Value {
    dev.post(&format!("{url}/2015-03-31/functions/{function}/invocations"), event)
}

/// Also while one of them works, and a message waits in a queue.
fn a_saved_file_replaces_the_functions_made_of_it() {
    let project = project();
    let mut dev = ready(&project);
    let url = dev.out.url("AWS endpoint");
    let queue = format!("{url}/000000000000/inbox");
    dev.post_form(&queue, "Action=SendMessage&MessageBody=kept");
    let (greeted, left) = (invoke(&dev, &url, "greet", "0"), invoke(&dev, &url, "leave", "0"));
    assert_eq!((&greeted["word"], &left["word"]), (&json!("hello"), &json!("bye")));

    let running = Dev::posted(&format!("{url}/2015-03-31/functions/greet/invocations"), "6000");
    project.write("words/src/lib.rs", &word("good morning"));
    let line = dev.out.until("the build", |line| line.starts_with("rebuilt in "));
    assert!(line.ends_with("and replaced: greet"), "{line}");
    let replaced = invoke(&dev, &url, "greet", "0");
    assert_eq!(replaced["word"], "good morning");
    assert_eq!(invoke(&dev, &url, "leave", "0"), left, "the same process");
    let under_way = running.join().expect("it ends");
    assert_eq!(under_way["word"], "hello");
    assert_ne!(under_way["pid"], replaced["pid"]);
    let received = dev.post_form(&queue, "Action=ReceiveMessage");
    assert!(received.contains("<Body>kept</Body>"), "{received}");
}

fn a_build_error_is_shown() {
    let project = project();
    let mut dev = ready(&project);
    let url = dev.out.url("AWS endpoint");
    project.write("words/src/lib.rs", "pub const WORD: &str = 1;\n");
    dev.out.until("the error", |line| line.contains("error[E0308]"));
    dev.out.until("its place", |line| line.contains("words/src/lib.rs:1:"));
    let last = dev.out.until("the end", |line| line.starts_with("the build failed"));
    assert_eq!(last, "the build failed (1 error): still running the last good build");
    assert!(!dev.out.text().contains("Compiling"), "compact: {}", dev.out.text());
    assert_eq!(invoke(&dev, &url, "greet", "0")["word"], "hello");

    project.write("words/src/lib.rs", &word("hello"));
    dev.out.until("the end of it", |line| line == "the build is good again, and no function has changed");
    project.write("words/src/lib.rs", &word("again"));
    dev.out.until("the build", |line| line.starts_with("rebuilt in ") && line.ends_with("replaced: greet"));
    assert_eq!(invoke(&dev, &url, "greet", "0")["word"], "again");
}

fn build_news_are_json_on_stdout() {
    let project = project();
    let mut dev = start(&project, &["--log", "json"]);
    dev.err.until("the banner", |line| line.contains(READY));
    let news = |dev: &mut Dev, event: &str| {
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let news = read(&dev.out.until(event, |line| read(line)["event"] == event));
        assert_eq!(news["target"], "onceward::dev");
        assert!(chrono::DateTime::parse_from_rfc3339(news["timestamp"].as_str().expect("text")).is_ok());
        news
    };
    project.write("words/src/lib.rs", "pub const WORD: &str = 1;\n");
    let failed = news(&mut dev, "build_failed");
    assert_eq!(failed["count"], 1);
    let error = failed["errors"][0].as_str().expect("text");
    assert!(error.starts_with("error[E0308]: mismatched types\n"), "without colours: {error}");
    dev.err.until("people can read it too", |line| line.contains("still running the last good build"));
    project.write("words/src/lib.rs", &word("good evening"));
    let rebuilt = news(&mut dev, "rebuilt");
    assert_eq!(rebuilt["functions"], json!(["greet"]));
    assert!(rebuilt["duration_ms"].is_u64());
}

fn a_changed_template_is_said() {
    let project = project();
    let mut dev = ready(&project);
    let template = fs::read_to_string(project.0.join("template.yaml")).expect("it is there");
    project.write("template.yaml", &template.replace("inbox", "outbox"));
    dev.out.until("the news", |line| line == "the template has changed: restart `onceward dev` to apply it");
}

fn a_faulty_template_is_shown_with_its_faults() {
    let project = project();
    let mut dev = ready(&project);
    let template = fs::read_to_string(project.0.join("template.yaml")).expect("it is there");
    // Saved as it is: no news, or it would come before the next.
    project.write("template.yaml", &template);
    let path = project.write("template.yaml", &template.replace("QueueName: inbox", "QueueNam: inbox"));
    let fault = dev.out.until("the fault", |line| line.starts_with(&format!("{path}:")));
    assert!(fault.contains("Inbox.QueueNam: "), "{fault}");
    dev.out.until("the news", |line| line == "the template cannot be applied: what it was before runs on");
    project.write("template.yaml", &template);
    dev.out.until("the end of it", |line| line == "the template is as it was: this is what runs");
    assert!(!dev.out.text().contains("the template has changed"), "{}", dev.out.text());
}

/// Named by a path in a manifest, directly or by another such package.
fn a_package_outside_of_the_workspace_is_watched_too() {
    let (project, outside) = (project(), Folder::new());
    let package = |name: &str, more: &str| {
        let text = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
        outside.write(&format!("{name}/Cargo.toml"), &text);
    };
    package("near", "[dependencies]\nfar = { path = \"../far\" }\n");
    package("far", "");
    outside.write("near/src/lib.rs", "pub use far::WORD;\n");
    outside.write("far/src/lib.rs", &word("hello"));
    let near = outside.0.join("near").display().to_string();
    let manifest = fs::read_to_string(project.0.join("words/Cargo.toml")).expect("it is there");
    project.write("words/Cargo.toml", &format!("{manifest}[dependencies]\nnear = {{ path = \"{near}\" }}\n"));
    project.write("words/src/lib.rs", "pub use near::WORD;\n");
    let mut dev = ready(&project);
    let url = dev.out.url("AWS endpoint");
    assert_eq!(invoke(&dev, &url, "greet", "0")["word"], "hello");
    outside.write("far/src/lib.rs", &word("good night"));
    dev.out.until("the build", |line| line.starts_with("rebuilt in ") && line.ends_with("replaced: greet"));
    assert_eq!(invoke(&dev, &url, "greet", "0")["word"], "good night");
}

/// It has no place in the source.
fn an_error_of_the_linker_is_shown() {
    let project = project();
    let mut dev = ready(&project);
    project.write(
        "functions/src/bin/greet.rs",
        "unsafe extern \"C\" { fn nowhere_to_be_found(); }\nfn main() { unsafe { nowhere_to_be_found() } }\n",
    );
    dev.out.until("the error", |line| line.starts_with("error: linking with "));
    dev.out.until("what is missing", |line| line.contains("nowhere_to_be_found"));
    dev.out.until("the end", |line| line == "the build failed (1 error): still running the last good build");
}

const READY_MADE: &str = "\
Resources:
  Ready:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: ready, CodeUri: package, Runtime: provided.al2023, Handler: bootstrap}
";

/// Whatever language it is written in: here the project's own executables, copied.
fn a_changed_ready_bootstrap_is_picked_up() {
    let project = project();
    drop(ready(&project));
    let package = Folder::new();
    package.write("template.yaml", READY_MADE);
    let install = |binary: &str| {
        let (from, new) = (project.0.join("target/debug").join(binary), package.0.join("new"));
        fs::create_dir_all(package.0.join("package")).expect("made");
        fs::copy(from, &new).expect("copied");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("it is ours");
        fs::rename(new, package.0.join("package/bootstrap")).expect("in place");
    };
    install("greet");
    let mut dev = ready(&package);
    let url = dev.out.url("AWS endpoint");
    assert_eq!(invoke(&dev, &url, "ready", "0")["word"], "hello");
    install("leave");
    dev.out.until("the news", |line| line == "replaced ready: its package has changed");
    assert_eq!(invoke(&dev, &url, "ready", "0")["word"], "bye");
}

/// A `.zip` file, which may be written slowly: what it was before runs until it can be read.
fn a_changed_archive_is_unpacked_again() {
    let project = project();
    drop(ready(&project));
    let package = Folder::new();
    package.write("template.yaml", &READY_MADE.replace("CodeUri: package", "CodeUri: package.zip"));
    let archive = package.0.join("package.zip");
    let install = |binary: &str| {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
        writer.start_file("bootstrap", options).expect("a new entry");
        let executable = fs::read(project.0.join("target/debug").join(binary)).expect("it was built");
        std::io::Write::write_all(&mut writer, &executable).expect("in memory");
        fs::write(&archive, writer.finish().expect("in memory").into_inner()).expect("written");
    };
    install("greet");
    let mut dev = ready(&package);
    let url = dev.out.url("AWS endpoint");
    assert_eq!(invoke(&dev, &url, "ready", "0")["word"], "hello");
    fs::write(&archive, "half of it").expect("written");
    dev.out.until("what is wrong", |line| line.starts_with("function ready: its package "));
    dev.out.until("the end", |line| line == "the package cannot be used: what it was before runs on");
    assert_eq!(invoke(&dev, &url, "ready", "0")["word"], "hello");
    install("leave");
    dev.out.until("the news", |line| line == "replaced ready: its package has changed");
    assert_eq!(invoke(&dev, &url, "ready", "0")["word"], "bye");
}

fn without_the_watch_nothing_is_rebuilt() {
    let project = project();
    let mut dev = start(&project, &["--no-watch"]);
    dev.out.until("the banner", |line| line.contains(READY));
    assert!(!project.0.join("target/debug/onceward-dev").exists(), "it runs what cargo built");
    project.write("words/src/lib.rs", &word("good morning"));
    let url = dev.out.url("AWS endpoint");
    assert_eq!(invoke(&dev, &url, "greet", "1000")["word"], "hello");
    assert!(!dev.out.text().contains("rebuilt"), "{}", dev.out.text());
}
