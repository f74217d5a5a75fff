use super::{faults, parse_with, queue_named, stack};

const HEAD: &str = "
Parameters:
  Name: {Type: String, Default: orders}
  Names: {Type: CommaDelimitedList, Default: 'a, b'}
  Size: {Type: Number, Default: 4}
Mappings:
  Sizes: {small: {queue: tiny}}
Conditions:
  IsOrders: !Equals [!Ref Name, orders]
  IsOther: !Not [{Condition: IsOrders}]
  Both: !And [!Condition IsOrders, !Condition IsOther]
  Either: {Fn::Or: [{Condition: IsOrders}, {Condition: IsOther}]}
";

/// The name the queue gets.
fn name(value: &str) -> String {
    stack(&format!("{HEAD}{}", queue_named(value))).queues[0].name.clone()
}

#[test]
fn functions_make_text() {
    assert_eq!(name("!Ref Name"), "orders");
    assert_eq!(name("{Ref: Name}"), "orders");
    assert_eq!(name("!Sub '${AWS::StackName}-${Name}'"), "onceward-orders");
    assert_eq!(name("!Sub ['${x}-${!y}-${AWS::Region}', {x: !Ref Size}]"), "4-${y}-eu-central-1");
    assert_eq!(name("{Fn::Join: ['-', [x, !Ref Name, !Select [1, !Ref Names]]]}"), "x-orders-b");
    assert_eq!(name("!Select [1, !Split ['/', 'a/b/c']]"), "b");
    assert_eq!(name("!Select [0, [!If [IsOther, a, !Ref 'AWS::NoValue'], c]]"), "c");
    assert_eq!(name("!FindInMap [Sizes, small, queue]"), "tiny");
}

#[test]
fn conditions_choose() {
    assert_eq!(name("!If [IsOrders, yes, no]"), "yes");
    assert_eq!(name("!If [IsOther, yes, no]"), "no");
    assert_eq!(name("!If [Both, yes, no]"), "no");
    assert_eq!(name("!If [Either, yes, no]"), "yes");
    let other = parse_with(&format!("{HEAD}{}", queue_named("!If [IsOther, yes, no]")), &[("Name", "x")]);
    assert_eq!(other.unwrap().queues[0].name, "yes");
}

#[test]
fn references_to_resources_are_local() {
    let text = r"
Resources:
  Q: {Type: AWS::SQS::Queue}
  F: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  T: {Type: AWS::SNS::Topic}
  B: {Type: AWS::Events::EventBus, Properties: {Name: bus}}
  R:
    Type: AWS::Events::Rule
    Properties: {EventBusName: !GetAtt B.Arn, EventPattern: {source: [a]}, Targets: [{Id: q, Arn: !GetAtt Q.Arn}]}
  D:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
Outputs:
  QueueUrl: {Value: !Ref Q}
  FifoArn: {Value: !GetAtt F.Arn}
  Topic: {Value: !Ref T}
  Bus: {Value: !Sub '${B} ${B.Arn}'}
  Rule: {Value: !GetAtt R.Arn}
  Table: {Value: !GetAtt [D, Arn]}
  Stream: {Value: {Fn::GetAtt: D.StreamArn}}
";
    let outputs = stack(text).outputs;
    let value = |name: &str| outputs[name].as_str();
    assert_eq!(value("QueueUrl"), "http://127.0.0.1:4566/000000000000/onceward-Q");
    assert_eq!(value("FifoArn"), "arn:aws:sqs:eu-central-1:000000000000:onceward-F.fifo");
    assert_eq!(value("Topic"), "arn:aws:sns:eu-central-1:000000000000:onceward-T");
    assert_eq!(value("Bus"), "bus arn:aws:events:eu-central-1:000000000000:event-bus/bus");
    assert_eq!(value("Rule"), "arn:aws:events:eu-central-1:000000000000:rule/bus/onceward-R");
    assert_eq!(value("Table"), "arn:aws:dynamodb:eu-central-1:000000000000:table/onceward-D");
    assert_eq!(value("Stream"), "arn:aws:dynamodb:eu-central-1:000000000000:table/onceward-D/stream/latest");
}

#[test]
fn what_a_function_cannot_do_is_named_with_its_line() {
    let fault = |value: &str| faults(&queue_named(value)).join("\n");
    assert_eq!(
        fault("!ImportValue x"),
        "5: Q: the function Fn::ImportValue is not supported by the local cloud: it knows Ref, Fn::GetAtt, Fn::Sub, \
         Fn::Join, Fn::Split, Fn::Select, Fn::FindInMap and Fn::If"
    );
    assert_eq!(fault("!Ref Missing"), "5: Q: `Missing` is neither a parameter nor a resource of this template");
    assert_eq!(fault("!Sub 'a-${Q}'"), "5: Q: the name of Q refers to itself");
    assert_eq!(fault("!GetAtt Q.Colour"), "5: Q: the name of Q refers to itself");
    assert_eq!(fault("!Sub 'a-${Q'"), "5: Q: a `${` in Fn::Sub has no `}`");
    assert_eq!(fault("!If [Missing, a, b]"), "5: Q: there is no condition `Missing` in Conditions");
    assert_eq!(fault("!Select [3, [a, b]]"), "5: Q: Fn::Select asks for item 3 of 2 (the first is 0)");
    assert_eq!(fault("!FindInMap [A, b, c]"), "5: Q: Mappings has no A.b.c");
}

#[test]
fn a_condition_that_nothing_uses_is_read_too() {
    let text = |condition: &str| format!("Conditions:\n  C: {condition}\n{}", queue_named("q"));
    assert!(parse_with(&text("!Equals [a, !Ref AWS::Region]"), &[]).is_ok());
    assert_eq!(
        faults(&text("!Equals [!Ref Nothing, a]")),
        ["2: Conditions.C: `Nothing` is neither a parameter nor a resource of this template"]
    );
    assert_eq!(faults(&text("!Equals [a]")).len(), 1);
}

#[test]
fn conditions_that_go_round_in_a_circle_are_told() {
    let text =
        format!("Conditions:\n  A: !Not [!Condition B]\n  B: !Not [!Condition A]\n{}", queue_named("!If [A, a, b]"));
    assert_eq!(
        faults(&text),
        ["2: Conditions.A: condition B refers to itself", "3: Conditions.B: condition A refers to itself"]
    );
}

#[test]
fn parameters_are_checked() {
    let text = |parameter: &str| format!("Parameters:\n  P: {parameter}\n{}", queue_named("q"));
    let fault = |parameter: &str, given: &[(&str, &str)]| {
        let faults = parse_with(&text(parameter), given).unwrap_err();
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(fault("{Type: String}", &[]), "2: Parameters.P: has no default: give it a value with `--parameter P=…`");
    assert_eq!(
        fault("{Type: String, Default: a, AllowedValues: [a, b]}", &[("P", "c")]),
        "2: Parameters.P: `c` is not allowed: use one of a, b"
    );
    assert_eq!(fault("{Type: Number, Default: 1}", &[("P", "x")]), "2: Parameters.P: `x` is not a number");
    assert_eq!(
        fault("{Type: Number, Default: 1, MaxValue: 9}", &[("P", "10")]),
        "2: Parameters.P: `10` breaks MaxValue: 9"
    );
    assert_eq!(fault("{Type: String, Default: a, MinLength: 2}", &[]), "2: Parameters.P: `a` breaks MinLength: 2");
    assert_eq!(
        fault("{Type: String, Default: a}", &[("Q", "x")]),
        "1: Parameters: `Q` is not a parameter of this template; it declares: P"
    );
    assert_eq!(
        fault("{Type: 'AWS::SSM::Parameter::Value<String>', Default: a}", &[]),
        "2: Parameters.P: the type `AWS::SSM::Parameter::Value<String>` needs an AWS account: use String, Number, \
         CommaDelimitedList or List<Number>"
    );
    assert_eq!(parse_with(&text("{Type: String, Default: a}"), &[("P", "z")]).unwrap().parameters["P"].value, "z");
}
