//! `onceward check` as another team runs it: in a folder of its own, with functions that only have to answer what they are.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{
    process::{Dev, READY},
    project::Folder,
};
use crate::{
    system::{ROOT, binaries},
    trial,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("check::a_team_reads_file_line_and_what_to_write", a_team_reads_file_line_and_what_to_write),
        trial(
            "check::what_cannot_be_checked_is_said_and_ends_with_two",
            what_cannot_be_checked_is_said_and_ends_with_two,
        ),
        trial(
            "check::nothing_is_wrong_with_the_repositorys_templates",
            nothing_is_wrong_with_the_repositorys_templates,
        ),
        trial("check::dev_shows_what_does_not_fit_and_starts", dev_shows_what_does_not_fit_and_starts),
        trial("check::dev_enforces_it_if_told_to", dev_enforces_it_if_told_to),
        trial("check::what_is_saved_is_checked_again_and_what_is_new_is_told", what_is_saved_is_checked_again),
        trial("check::two_functions_with_one_name_never_start", two_functions_with_one_name_never_start),
    ]
}

const TEMPLATE: &str = "\
Metadata:
  Onceward: {Events: {FromOutside: [seat.sold.v1]}}
Globals:
  Function: {Runtime: provided.al2023, Handler: bootstrap, Timeout: 5}
Resources:
  Ledger:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Print:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: print
      Policies:
        - DynamoDBCrudPolicy: {TableName: !Ref Ledger}
        - SQSSendMessagePolicy: {QueueName: !GetAtt Dead.QueueName}
        - Statement: [{Effect: Allow, Action: sqs:ChangeMessageVisibility, Resource: !GetAtt Sold.Arn}]
      Environment: {Variables: {LEDGER_TABLE: !Ref Ledger, DEAD_LETTER_QUEUE_URL: !Ref Dead}}
      Events:
        Sold:
          Type: SQS
          Properties:
            Queue: !GetAtt Sold.Arn
            FunctionResponseTypes: [ReportBatchItemFailures]
  Sold:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}}
  Dead: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
  Foreign:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: foreign, Environment: {Variables: {LEDGER_TABLE: !Ref Ledger}}}
";

/// What a function of this name says about itself.
fn description(name: &str) -> Value {
    json!({
        "onceward": {"description": 1}, "name": name, "kind": "function", "mode": "transactional", "source": "tickets",
        "handles": [{"type": "seat.sold.v1"}], "variables": [{"name": "LEDGER_TABLE"}, {"name": "DEAD_LETTER_QUEUE_URL"}],
        "partial_failures": true, "retention_seconds": 1_296_000,
    })
}

/// A project with one function that describes itself and one in another language.
fn team() -> Folder {
    let folder = Folder::new();
    folder.write("template.yaml", TEMPLATE);
    script(&folder, "print", &format!("echo '{}'", description("print")));
    script(&folder, "foreign", "echo 'no runtime' >&2; exit 1");
    folder
}

fn script(folder: &Folder, name: &str, line: &str) {
    let path = folder.write(&format!("{name}/bootstrap"), &format!("#!/bin/sh\n{line}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("executable");
}

fn edit(folder: &Folder, from: &str, to: &str) {
    assert_eq!(TEMPLATE.matches(from).count(), 1, "{from}");
    folder.write("template.yaml", &TEMPLATE.replace(from, to));
}

/// `onceward check`, in the folder.
fn check(folder: &Folder, arguments: &[&str]) -> Output {
    let mut command = Command::new(binaries().join("onceward"));
    command.arg("check").args(arguments).current_dir(&folder.0).output().expect("it runs")
}

fn document(folder: &Folder) -> Value {
    serde_json::from_slice(&check(folder, &["--json"]).stdout).expect("one JSON document")
}

fn a_team_reads_file_line_and_what_to_write() {
    let folder = team();
    let output = check(&folder, &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("note template.yaml:") && text.contains("it ended with exit status: 1"), "{text}");

    let reports = "            FunctionResponseTypes: [ReportBatchItemFailures]\n";
    edit(&folder, reports, "");
    let output = check(&folder, &[]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let line = 1 + TEMPLATE.lines().position(|line| line == "          Properties:").expect("the mapping");
    let expected = format!("  error template.yaml:{line} partial-failures\n");
    assert!(text.contains(&expected), "{expected}: {text}");
    assert!(text.contains("→ write `FunctionResponseTypes: [ReportBatchItemFailures]`"), "{text}");
    assert!(text.trim_end().ends_with("1 error, 1 note: template.yaml and 2 functions held to each other"), "{text}");

    let document = document(&folder);
    let finding = &document["findings"][0];
    assert_eq!((&document["errors"], &document["notes"]), (&json!(1), &json!(1)), "{document}");
    assert_eq!(
        (&finding["rule"], &finding["severity"], &finding["file"], &finding["line"], &finding["resource"]),
        (&json!("partial-failures"), &json!("error"), &json!("template.yaml"), &json!(line), &json!("Print"))
    );
}

fn what_cannot_be_checked_is_said_and_ends_with_two() {
    let folder = team();
    let absent = check(&folder, &["--template", "absent.yaml"]);
    let said = String::from_utf8_lossy(&absent.stderr);
    assert_eq!(absent.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot read the template") && said.contains("absent.yaml"), "{said}");

    edit(&folder, "maxReceiveCount: 5", "maxReceives: 5");
    let faulty = check(&folder, &["--json"]);
    let document: Value = serde_json::from_slice(&faulty.stdout).expect("one JSON document");
    assert_eq!(faulty.status.code(), Some(2), "{document}");
    let line = 1 + TEMPLATE.lines().position(|line| line.contains("maxReceiveCount")).expect("the policy");
    let finding = document["findings"].as_array().expect("findings").first().expect("one");
    assert_eq!((&finding["rule"], &finding["line"]), (&json!("template"), &json!(line)), "{document}");

    fs::create_dir(folder.0.join("src")).expect("made");
    folder.write("Cargo.toml", "[package]\nname = \"broken\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    folder.write("src/main.rs", "fn main() { no such thing }\n");
    let built =
        "Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: broken}}\n    Properties: {CodeUri: .,";
    edit(&folder, "Properties: {CodeUri: foreign,", built);
    let failed = check(&folder, &[]);
    let said = String::from_utf8_lossy(&failed.stderr);
    assert_eq!(failed.status.code(), Some(2), "{said}");
    assert!(said.contains("the build of ") && said.contains("mend what cargo says above and run this again"), "{said}");
}

fn nothing_is_wrong_with_the_repositorys_templates() {
    for template in ["template.yaml", "docs/guide/points/template.yaml"] {
        let mut command = Command::new(binaries().join("onceward"));
        let output = command.args(["check", "--template", template]).current_dir(ROOT).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{template}: {text}");
    }
}

fn dev(folder: &Folder, arguments: &[&str]) -> Dev {
    Dev::start_in(&folder.0, arguments)
}

fn dev_shows_what_does_not_fit_and_starts() {
    let folder = team();
    edit(&folder, "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "");
    let mut dev = dev(&folder, &["--no-watch"]);
    dev.out
        .until("the finding", |line| line.starts_with("error template.yaml:") && line.ends_with(" partial-failures"));
    dev.out.until("where to read more", |line| line.ends_with("`onceward check` says what to write"));
    dev.out.until("the banner", |line| line.contains("AWS endpoint"));
}

fn dev_enforces_it_if_told_to() {
    let folder = team();
    edit(&folder, "            FunctionResponseTypes: [ReportBatchItemFailures]\n", "");
    let mut dev = dev(&folder, &["--check", "enforce"]);
    assert_eq!(dev.ended().code(), Some(1), "{}", dev.err.text());
    assert!(dev.err.text().contains("partial-failures"), "{}", dev.err.text());
    assert!(
        dev.err.text().contains("nothing was started: mend this, or run with `--check report`"),
        "{}",
        dev.err.text()
    );
}

fn what_is_saved_is_checked_again() {
    let folder = team();
    let old = TEMPLATE.replace("            FunctionResponseTypes: [ReportBatchItemFailures]\n", "");
    folder.write("template.yaml", &old);
    let mut dev = dev(&folder, &[]);
    dev.out.until("the banner", |line| line.contains(READY));

    folder.write("template.yaml", &old.replace("maxReceiveCount: 5", "maxReceiveCount: 4"));
    dev.out.until("the template's", |line| line.starts_with("warning ") && line.ends_with(" dead-letter-queue"));
    let mut said = description("print");
    said["publishes"] = json!([{"type": "ticket.printed.v1"}]);
    script(&folder, "print", &format!("echo '{said}'"));
    dev.out.until("the function's", |line| line.starts_with("error ") && line.ends_with(" unconsumed-type"));
    let again = dev.out.seen.iter().filter(|line| line.ends_with(" partial-failures"));
    assert_eq!(again.count(), 1, "{}", dev.out.text());
}

fn two_functions_with_one_name_never_start() {
    let folder = team();
    script(&folder, "foreign", &format!("echo '{}'", description("print")));
    for mode in ["enforce", "report", "off"] {
        let mut dev = dev(&folder, &["--check", mode]);
        assert_eq!(dev.ended().code(), Some(1), "{mode}: {}", dev.err.text());
        assert!(dev.err.text().contains("Foreign: its binary and Print's (line "), "{mode}: {}", dev.err.text());
        assert!(dev.err.text().contains("nothing was started: what one of these functions handles"), "{mode}");
    }
}
