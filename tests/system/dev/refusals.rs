//! What keeps `onceward dev` from running is said in a way that can be acted on.

use std::{net::TcpListener, os::unix::fs::symlink};

use libtest_mimic::Trial;

use super::{
    process::{Dev, READY},
    project::Folder,
};
use crate::{system::binaries, trial};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("dev::a_port_in_use_is_named_with_its_flag", a_port_in_use_is_named_with_its_flag),
        trial("dev::faults_of_a_template_name_line_and_resource", faults_of_a_template_name_line_and_resource),
        trial("dev::an_unreadable_template_is_named", an_unreadable_template_is_named),
        trial(
            "dev::what_keeps_a_function_from_starting_is_said_last",
            what_keeps_a_function_from_starting_is_said_last,
        ),
    ]
}

/// What it printed on stderr, colours aside, after it refused to run.
fn refusal(arguments: &[&str]) -> Vec<String> {
    let mut dev = Dev::start(arguments);
    assert_eq!(dev.ended().code(), Some(1), "{}", dev.err.text());
    assert_eq!(dev.out.seen, [""; 0], "errors belong on stderr");
    std::mem::take(&mut dev.err.seen)
}

fn a_port_in_use_is_named_with_its_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port().to_string();
    for (flag, purpose) in [("--aws-port", "the AWS endpoint"), ("--http-port", "the HTTP API")] {
        let expected = format!(
            "error: port {port}, for {purpose}, is in use: stop what listens there or choose another port with {flag}"
        );
        assert_eq!(refusal(&[flag, &port]), [expected]);
    }
}

fn faults_of_a_template_name_line_and_resource() {
    let folder = Folder::new();
    for (template, line, needles) in [
        (
            "Resources:\n  Feed:\n    Type: AWS::Kinesis::Stream\n",
            "2: Feed: ",
            ["the local cloud has no AWS::Kinesis::Stream", "it has AWS::Serverless::Function"],
        ),
        (
            "Resources:\n  Inbox:\n    Type: AWS::SQS::Queue\n    Properties:\n      VisibilityTimeOut: 1\n",
            "5: Inbox.VisibilityTimeOut: ",
            ["does not know this property", "VisibilityTimeout"],
        ),
        ("Resources:\n  Inbox: {Type: AWS::SQS::Queue\n  Other: [\n", "3: ", ["not YAML", "expected ',' or '}'"]),
        (
            "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref B}}\n",
            "2: A: ",
            ["`B` is neither a parameter", "nor a resource"],
        ),
    ] {
        let path = folder.write("template.yaml", template);
        let error = refusal(&["--template", &path]).join("\n");
        assert!(error.starts_with(&format!("error: {path}:{line}")), "{error}");
        assert!(needles.iter().all(|needle| error.contains(needle)), "{error}");
    }
}

fn an_unreadable_template_is_named() {
    let folder = Folder::new();
    let missing = folder.0.join("missing.yaml").display().to_string();
    for (path, reason) in [(missing, "No such file"), (folder.0.display().to_string(), "Is a directory")] {
        let error = refusal(&["--template", &path]);
        assert_eq!(error.len(), 1, "one line: {error:?}");
        assert!(error[0].starts_with(&format!("error: cannot read the template {path}: {reason}")), "{error:?}");
        assert!(error[0].contains("--template FILE"), "{error:?}");
    }
}

/// The others run on: the cloud is of use without it.
fn what_keeps_a_function_from_starting_is_said_last() {
    let folder = Folder::new();
    symlink(binaries().join("confirm-order"), folder.0.join("bootstrap")).expect("a link");
    let template = "\
Resources:
  ConfirmOrder:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: confirm-order
      CodeUri: .
      Runtime: provided.al2023
      Handler: bootstrap
      Environment: {Variables: {LEDGER_TABLE: ledger}}
";
    let path = folder.write("template.yaml", template);
    let mut dev = Dev::start(&["--template", &path]);
    dev.out.until("the banner", |line| line.contains(READY));
    let before = dev.out.seen.len();
    dev.out.until("the function's reason", |line| line.starts_with("function confirm-order did not start"));
    dev.out.until("what to do", |line| {
        line.starts_with(
            "  the function stopped: the environment variable DEAD_LETTER_QUEUE_URL is not set: give it to the function",
        )
    });
    assert!(dev.out.seen.len() > before, "after the banner");
    assert!(!dev.out.text().contains("{\"timestamp\""), "for people: {}", dev.out.text());
}
