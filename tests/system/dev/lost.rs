//! What is lost, or would be on AWS, is said: for people, and for programs as news.

use std::{collections::BTreeMap, path::Path};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{process::Dev, project::Folder};
use crate::{
    system::{ROOT, binaries, envelope, order},
    trial,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        trial("dev::a_failure_that_its_mapping_ignores_is_said_with_the_message", a_failure_that_its_mapping_ignores),
        trial("dev::an_outbox_that_its_mapping_passes_over_is_said_with_the_records", an_outbox_passed_over),
        trial("dev::an_event_that_no_rule_takes_is_said", an_event_that_no_rule_takes_is_said),
        trial("dev::an_event_that_its_target_refuses_is_said", an_event_that_its_target_refuses_is_said),
    ]
}

const SETTING: &str = "            FunctionResponseTypes: [ReportBatchItemFailures]\n";

/// The probe, reading its queue with these lines in place of its mapping's setting.
pub(super) fn probe(folder: &Folder, changes: &BTreeMap<&str, &str>) -> String {
    let mut template = std::fs::read_to_string(Path::new(ROOT).join("tests/probe/template.yaml")).expect("there");
    template = template.replace("CodeUri: ..", &format!("CodeUri: {ROOT}/tests"));
    for (old, new) in changes {
        assert_eq!(template.matches(old).count(), 1, "{old}");
        template = template.replace(old, new);
    }
    folder.write("template.yaml", &template)
}

/// An event of the probe as a queue's message.
pub(super) fn wish(id: &str, wish: &str) -> String {
    let event = envelope("wish.made.v1", id, &json!({ "wish": wish }));
    json!({ "version": "0", "detail-type": "wish.made.v1", "detail": event }).to_string()
}

pub(super) fn send(dev: &Dev, url: &str, queue: &str, body: &str) -> String {
    let request = json!({ "QueueUrl": format!("{url}/000000000000/{queue}"), "MessageBody": body });
    let sent = dev.aws(url, "AmazonSQS.SendMessage", &request);
    sent["MessageId"].as_str().unwrap_or_else(|| panic!("sent: {sent}")).to_owned()
}

/// The news of this kind that has been printed or is next, from stdout of `--log json`.
pub(super) fn news(dev: &mut Dev, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let line = dev.out.until(event, |line| {
        let news = parse(line);
        news["target"] == "onceward::dev" && news["event"] == event && wanted(&news)
    });
    parse(&line)
}

fn a_failure_that_its_mapping_ignores() {
    let folder = Folder::new();
    let template = probe(&folder, &BTreeMap::from([(SETTING, "")]));
    let mut dev = Dev::start(&["--template", &template, "--log", "json"]);
    let url = dev.err.url("AWS endpoint");
    let id = send(&dev, &url, "wishes", &wish("w-1", "fail"));

    dev.out.until("the function reports it", |line| line.contains("onceward::delivery") && line.contains("retried"));
    let news = news(&mut dev, "failures_ignored", |_| true);
    let arn = "arn:aws:sqs:us-east-1:000000000000:wishes";
    let expected = json!({"function": "probe", "source_arn": arn, "lost": [id]});
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(news[name], *value, "{news}");
    }
    for told in
        [news["message"].as_str().expect("a text").to_owned(), dev.err.until("it", |line| line.contains("LOST"))]
    {
        for part in ["DELETED", &id, "probe", arn, "FunctionResponseTypes: [ReportBatchItemFailures]"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    let request = json!({"QueueUrl": format!("{url}/000000000000/wishes"), "AttributeNames": ["All"]});
    let attributes = dev.aws(&url, "AmazonSQS.GetQueueAttributes", &request);
    let counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
    assert_eq!(counts.map(|count| attributes["Attributes"][count].clone()), [json!("0"), json!("0")], "as on AWS");
}

/// The reference system, but the relay's mapping lacks the setting and the bus does not answer.
fn an_outbox_passed_over() {
    let folder = Folder::new();
    let template = std::fs::read_to_string(Path::new(ROOT).join("template.yaml")).expect("the template");
    let relay = template.find("  OutboxRelay:").expect("the relay");
    let (before, after) = template.split_at(relay);
    assert!(after.contains(SETTING));
    let template = format!("{before}{}", after.replacen(SETTING, "", 1));
    let template = template.replace("CodeUri: functions/", &format!("CodeUri: {ROOT}/functions/"));
    let template = folder.write("template.yaml", &template);
    let fault = "events.PutEvents:error,function=onceward-outbox-relay";
    let mut dev = Dev::start(&["--template", &template, "--no-demo", "--log", "json", "--fault", fault]);
    let api = dev.err.url("HTTP API");
    let placed = dev.post(&format!("{api}/orders"), &order("p-1", 1).to_string());
    assert_eq!(placed["status"], "placed", "{placed}");

    let news = news(&mut dev, "failures_ignored", |news| news["function"] == "onceward-outbox-relay");
    assert_eq!(news["lost"].as_array().map(Vec::len), Some(1), "{news}");
    let sequence_number = news["lost"][0].as_str().expect("a number").to_owned();
    assert!(news["source_arn"].as_str().is_some_and(|arn| arn.contains(":table/onceward-ledger/stream/")), "{news}");
    let told = dev.err.until("it", |line| line.contains("LOST"));
    for part in ["PASSED OVER", &sequence_number, "onceward-outbox-relay", "ReportBatchItemFailures"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// A bus, a rule for one type, and one type for somebody outside.
const BUS: &str = "\
Metadata: {Onceward: {Events: {ToOutside: [invoice.sent.v1]}}}
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: billing}}
  Inbox: {Type: AWS::SQS::Queue, Properties: {QueueName: inbox}}
  Letters: {Type: AWS::SQS::Queue, Properties: {QueueName: letters}}
  LettersPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Letters]
      PolicyDocument:
        Version: \"2012-10-17\"
        Statement:
          - {Effect: Allow, Principal: {Service: events.amazonaws.com}, Action: sqs:SendMessage, Resource: !GetAtt Letters.Arn}
  Lost:
    Type: AWS::Events::Rule
    Properties:
      Name: lost
      EventBusName: !Ref Bus
      EventPattern: {detail-type: [invoice.issued.v1]}
      Targets: [{Id: queue, Arn: !GetAtt Inbox.Arn}]
  Kept:
    Type: AWS::Events::Rule
    Properties:
      Name: kept
      EventBusName: !Ref Bus
      EventPattern: {detail-type: [invoice.paid.v1]}
      Targets: [{Id: queue, Arn: !GetAtt Inbox.Arn, DeadLetterConfig: {Arn: !GetAtt Letters.Arn}}]
";

fn put(dev: &Dev, url: &str, event_type: &str, subject: &str) -> String {
    let mut detail = envelope(event_type, "e-1", &json!({}));
    detail["subject"] = json!(subject);
    let entry =
        json!({"EventBusName": "billing", "Source": "shop", "DetailType": event_type, "Detail": detail.to_string()});
    let answer = dev.aws(url, "AWSEvents.PutEvents", &json!({ "Entries": [entry] }));
    answer["Entries"][0]["EventId"].as_str().unwrap_or_else(|| panic!("put: {answer}")).to_owned()
}

fn billing(arguments: &[&str]) -> (Folder, Dev) {
    let folder = Folder::new();
    let template = folder.write("template.yaml", BUS);
    let arguments: Vec<_> = ["--template", &template].into_iter().chain(arguments.iter().copied()).collect();
    let dev = Dev::start_with_target(&folder.0, &binaries(), &arguments);
    (folder, dev)
}

/// A rule for `invoice.issued` in place of `invoice.issued.v1` loses every event in silence.
fn an_event_that_no_rule_takes_is_said() {
    let (_folder, mut dev) = billing(&["--log", "json"]);
    let url = dev.err.url("AWS endpoint");
    put(&dev, &url, "invoice.sent.v1", "inv-0");
    let id = put(&dev, &url, "invoice.issued", "inv-1");
    let untaken = news(&mut dev, "no_rule", |_| true);
    let expected = json!({
        "event_type": "invoice.issued", "subject": "inv-1", "bus": "billing", "source": "shop", "event_id": id,
        "detail_id": "e-1",
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(untaken[name], *value, "{untaken}: the first of its kind: invoice.sent.v1 goes outside");
    }
    let told = dev.err.until("it", |line| line.contains("no rule took it"));
    for part in ["billing", "invoice.issued inv-1", "Metadata.Onceward.Events.ToOutside"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!dev.err.text().contains("invoice.sent.v1"), "no alarm: {}", dev.err.text());
}

fn an_event_that_its_target_refuses_is_said() {
    let (_folder, mut dev) = billing(&["--log", "json"]);
    let url = dev.err.url("AWS endpoint");
    let inbox = "arn:aws:sqs:us-east-1:000000000000:inbox";
    for (event_type, event, rule) in
        [("invoice.issued.v1", "undelivered", "lost"), ("invoice.paid.v1", "dead_lettered", "kept")]
    {
        let id = put(&dev, &url, event_type, "inv-1");
        let news = news(&mut dev, event, |_| true);
        assert_eq!((&news["event_id"], &news["target_arn"]), (&json!(id), &json!(inbox)), "{news}");
        assert!(news["rule_arn"].as_str().is_some_and(|arn| arn.ends_with(rule)), "{news}");
        let told = dev.err.until("it", |line| line.contains("it did not reach") && line.contains(event_type));
        assert!(told.contains(inbox) && told.contains("not authorized to perform: sqs:"), "why: {told}");
    }
    let news: Vec<Value> = dev.out.seen.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(news.iter().all(|news| news["event"] != "no_rule"), "a rule took each: {news:#?}");
}
