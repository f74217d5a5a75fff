//! A function that is left to a debugger.

use std::process::{Child, Command, Stdio};

use libtest_mimic::Trial;
use serde_json::Value;

use super::{
    process::{Dev, READY},
    project::project,
};
use crate::trial;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "dev::an_attached_function_is_started_by_what_is_printed",
            an_attached_function_is_started_by_what_is_printed,
        ),
        trial("dev::the_environment_of_an_attached_function_is_json_too", the_environment_is_json_too),
        trial("dev::attaching_to_no_function_is_refused", attaching_to_no_function_is_refused),
    ]
}

/// A process in place of a debugger; it ends with its handle.
struct Debugger(Child);

impl Drop for Debugger {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn an_attached_function_is_started_by_what_is_printed() {
    let project = project();
    let target = project.0.join("target");
    let mut dev = Dev::start_with_target(&project.0, &target, &["--no-demo", "--attach", "Greet"]);
    dev.out.until("the banner", |line| line.contains(READY));
    assert!(!dev.out.text().contains("started greet"), "{}", dev.out.text());
    dev.out.until("what it waits for", |line| line == "greet is left to you. Its invocations wait for:");
    let program = dev.out.until("the last line", |line| line.starts_with('/') && line.ends_with("/greet"));
    let script: Vec<_> = dev.out.seen.iter().skip_while(|line| !line.starts_with("cd ")).cloned().collect();
    assert!(script.iter().any(|line| line.starts_with("export AWS_LAMBDA_RUNTIME_API=127.0.0.1:")), "{script:?}");

    let url = dev.out.url("AWS endpoint");
    let waiting = Dev::posted(&format!("{url}/2015-03-31/functions/greet/invocations"), "0");
    dev.out.until("who is missing", |line| line.contains("an invocation waits until a process of greet asks"));
    // A shell reads it, and becomes the program.
    let script = script.join("\n").replace(&program, &format!("exec {program}"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).stdin(Stdio::null()).stdout(Stdio::null());
    let debugger = Debugger(shell.spawn().expect("a shell"));
    let answer = waiting.join().expect("an answer");
    assert_eq!((&answer["word"], answer["pid"].as_u64()), (&Value::from("hello"), Some(u64::from(debugger.0.id()))));
    dev.out.until("it is said", |line| line.ends_with("greet: a process is attached"));
    drop(debugger);
    dev.out.until("that it left", |line| line.contains("the attached process has gone"));
}

fn the_environment_is_json_too() {
    let project = project();
    let arguments = ["--no-demo", "--no-watch", "--log", "json", "--attach", "greet"];
    let mut dev = Dev::start_with_target(&project.0, &project.0.join("target"), &arguments);
    let line = dev.out.until("the news", |line| line.contains("\"event\":\"attach\""));
    let news: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&news["target"], &news["function"]), (&Value::from("onceward::dev"), &Value::from("greet")));
    assert_eq!(news["environment"]["AWS_LAMBDA_FUNCTION_NAME"], "greet");
    assert_eq!(news["environment"]["AWS_ENDPOINT_URL"], dev.err.url("AWS endpoint"));
    assert!(news["executable"].as_str().expect("a path").ends_with("/greet"), "{news}");
}

fn attaching_to_no_function_is_refused() {
    let project = project();
    let mut dev = Dev::start_with_target(&project.0, &project.0.join("target"), &["--attach", "Nobody"]);
    assert_eq!(dev.ended().code(), Some(1));
    let error = dev.err.text();
    let expected =
        "error: --attach Nobody: the template has no function of this name or logical id; it has Greet, Leave";
    assert!(error.contains(expected), "{error}");
}
