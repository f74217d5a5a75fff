use super::{faults, parse_with, queue_named};

#[test]
fn every_fault_is_reported_at_once_in_the_order_of_lines() {
    let text = "
Hooks: {}
Resources:
  Q:
    Type: AWS::SQS::Queue
    CreationPolicy: {}
    Properties:
      VisibilityTimeout: 90000
      Colour: green
  Vpc:
    Type: AWS::EC2::VPC
Outputs:
  A: {Value: !Ref Nothing}
";
    let faults = faults(text);
    assert_eq!(faults.len(), 6, "{faults:#?}");
    assert_eq!(faults[0], "2: the section `Hooks` is not supported by the local cloud: remove it");
    assert_eq!(faults[1], "6: Q: the attribute `CreationPolicy` is not supported by the local cloud: remove it");
    assert_eq!(faults[2], "8: Q.VisibilityTimeout: expected a whole number from 0 to 43200, found `90000`");
    assert!(
        faults[3].starts_with("9: Q.Colour: the local cloud does not know this property; here it knows:"),
        "{faults:#?}"
    );
    assert!(faults[4].starts_with("10: Vpc: the local cloud has no AWS::EC2::VPC; it has AWS::"), "{faults:#?}");
    assert_eq!(faults[5], "13: Outputs.A.Value: `Nothing` is neither a parameter nor a resource of this template");
}

#[test]
fn yaml_faults_have_a_line() {
    assert_eq!(faults(""), ["1: the file is empty; a template needs at least Resources"]);
    assert_eq!(faults("Resources: {}"), ["1: Resources: the template declares no resources"]);
    assert!(faults("a: [1, 2\nb: 3\n")[0].contains("not YAML"), "{:?}", faults("a: [1, 2\nb: 3\n"));
    let twice = format!("{}      QueueName: b\n", queue_named("a"));
    assert_eq!(faults(&twice), ["6: `QueueName` is already given on line 5: keep one"]);
    assert_eq!(
        faults("Metadata: {a: &x 1, b: *x}\nResources: {}"),
        ["1: CloudFormation does not know YAML aliases: repeat the value"]
    );
    let deep = format!("Metadata: {}{}\n", "[".repeat(100), "]".repeat(100));
    assert_eq!(faults(&deep), ["1: values are nested more than 64 deep"]);
}

#[test]
fn another_transform_is_refused() {
    let text = |transform: &str| format!("Transform: {transform}\n{}", queue_named("q"));
    assert!(parse_with(&text("AWS::Serverless-2016-10-31"), &[]).is_ok());
    assert_eq!(
        faults(&text("[AWS::Serverless-2016-10-31, AWS::LanguageExtensions]")),
        ["1: Transform: `AWS::LanguageExtensions` is not a transform the local cloud applies; it knows \
          AWS::Serverless-2016-10-31"]
    );
    assert_eq!(
        faults(&format!("Globals:\n  Api: {{}}\n{}", queue_named("q"))),
        [
            "2: Globals: the local cloud has globals of `Function`, `HttpApi` and `SimpleTable`: state those of `Api` on \
          the resource"
        ]
    );
}

#[test]
fn a_logical_id_has_letters_and_digits_only() {
    let text = queue_named("q").replace("  Q:", "  My-Queue:");
    assert_eq!(faults(&text), ["2: My-Queue: CloudFormation takes letters and digits only in a logical id"]);
}

/// `CloudFormation`: "Unresolved resource dependencies in the Resources block of the template".
#[test]
fn a_dependency_must_be_a_resource() {
    let text =
        |depends_on: &str| format!("{}    DependsOn: {depends_on}\n  T: {{Type: AWS::SNS::Topic}}\n", queue_named("q"));
    assert!(parse_with(&text("T"), &[]).is_ok() && parse_with(&text("[T, Q]"), &[]).is_ok());
    assert_eq!(faults(&text("[T, Topic]")), ["6: Q.DependsOn: `Topic` is not a resource of this template"]);
}

#[test]
fn a_resource_whose_condition_is_false_is_not_there() {
    let text = "
Parameters: {Inbox: {Type: String, Default: 'false'}}
Conditions: {HasInbox: !Equals [!Ref Inbox, 'true']}
Resources:
  Q: {Type: AWS::SQS::Queue}
  Inbox2: {Type: AWS::SQS::Queue, Condition: HasInbox}
Outputs:
  Url: {Condition: HasInbox, Value: !Ref Inbox2}
";
    let without = parse_with(text, &[]).unwrap();
    assert_eq!((without.queues.len(), without.outputs.len()), (1, 0));
    let with = parse_with(text, &[("Inbox", "true")]).unwrap();
    assert_eq!((with.queues.len(), with.outputs.len()), (2, 1));
    let dangling = text.replace("Condition: HasInbox, Value", "Value");
    assert_eq!(
        faults(&dangling),
        ["8: Outputs.Url.Value: `Inbox2` does not exist: its condition HasInbox is false; use Fn::If here"]
    );
}

#[test]
fn what_is_wrong_in_globals_is_told_once() {
    let function = |id: &str| {
        format!("  {id}:\n    Type: AWS::Serverless::Function\n    Properties: {{CodeUri: a, Handler: bootstrap}}\n")
    };
    let text = format!(
        "Globals:\n  Function:\n    Runtime: nodejs22.x\n    Layers: []\nResources:\n{}{}",
        function("A"),
        function("B")
    );
    let faults = faults(&text);
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert_eq!(faults[0], "3: A.Runtime: expected provided.al2023 or provided.al2, found `nodejs22.x`");
    assert!(faults[1].starts_with("4: A.Layers: the local cloud does not know this property"), "{faults:#?}");
}

/// As `sam deploy` does, with a `DuplicateLogicalIdException`.
#[test]
fn an_event_whose_resource_is_declared_already_is_refused() {
    let text = |queue: &str, event: &str| {
        format!(
            "
Resources:
  {queue}: {{Type: AWS::SQS::Queue}}
  Confirm:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: a
      Handler: bootstrap
      Runtime: provided.al2023
      Events:
        {event}
"
        )
    };
    let sqs = |queue: &str| format!("Queue: {{Type: SQS, Properties: {{Queue: !GetAtt {queue}.Arn}}}}");
    assert_eq!(
        faults(&text("ConfirmQueue", &sqs("ConfirmQueue"))),
        [
            "11: Confirm.Events.Queue: SAM makes a resource `ConfirmQueue` of this event, and the template declares one of \
          that name: name the event otherwise"
        ]
    );
    assert!(parse_with(&text("Orders", &sqs("Orders")), &[]).is_ok());
    let http = "Http: {Type: HttpApi, Properties: {Method: GET, Path: /}}";
    assert!(parse_with(&text("ConfirmHttp", http), &[]).is_ok(), "a route is part of its API");
    assert_eq!(faults(&text("ConfirmHttpPermission", http)).len(), 1, "its permission is a resource");
}
