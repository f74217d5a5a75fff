use serde_json::{Value, json};

use super::{faults, stack};
use crate::template::Trigger;

const SYSTEM: &str = r"
Resources:
  Q: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true}}
  Dead: {Type: AWS::SQS::Queue}
  Ordered:
    Type: AWS::SNS::Topic
    Properties:
      FifoTopic: true
      ContentBasedDeduplication: true
      FifoThroughputScope: MessageGroup
      Subscription: [{Protocol: sqs, Endpoint: !GetAtt Q.Arn}]
  Topic: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: lambda, Endpoint: !GetAtt F.Arn}]}}
  Sub:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: lambda
      Endpoint: !GetAtt F.Arn
      FilterPolicy: {kind: [a, {prefix: b}]}
      FilterPolicyScope: MessageBody
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn}
  Allowed: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: f
      Events:
        Told: {Type: SNS, Properties: {Topic: !Ref Topic, FilterPolicy: {n: [{exists: true}]}}}
";

#[test]
fn topics_have_their_attributes_and_subscriptions() {
    let stack = stack(SYSTEM);
    assert_eq!(stack.topics[0].name, "onceward-Ordered.fifo");
    assert_eq!(stack.topics[0].attributes["FifoThroughputScope"], "MessageGroup");
    let [own, inline, declared] = stack.subscriptions.as_slice() else { panic!("{:#?}", stack.subscriptions) };
    assert_eq!((own.protocol, own.endpoint.as_str()), ("sqs", "arn:aws:sqs:eu-central-1:000000000000:onceward-Q.fifo"));
    let function = "arn:aws:lambda:eu-central-1:000000000000:function:onceward-F";
    assert_eq!((inline.protocol, inline.endpoint.as_str()), ("lambda", function));
    assert_eq!(
        (declared.endpoint.as_str(), declared.attributes["FilterPolicyScope"].as_str()),
        (function, "MessageBody")
    );
    let filter: Value = serde_json::from_str(&declared.attributes["FilterPolicy"]).unwrap();
    assert_eq!(filter, json!({"kind": ["a", {"prefix": "b"}]}));
    assert!(declared.attributes["RedrivePolicy"].contains(":onceward-Dead"));
    let [Trigger::Topic(told)] = stack.functions[0].triggers.as_slice() else { panic!("{:#?}", stack.functions) };
    assert_eq!((told.protocol, told.endpoint.as_str()), ("lambda", function));
    assert_eq!(told.attributes["FilterPolicy"], r#"{"n":[{"exists":true}]}"#);
}

/// `SYSTEM` with one thing changed, and what is said about it.
fn fault(from: &str, to: &str) -> String {
    assert!(SYSTEM.contains(from), "{from}");
    faults(&SYSTEM.replacen(from, to, 1)).join("\n")
}

#[test]
fn what_is_wrong_with_a_subscription_is_told_by_name() {
    assert_eq!(
        fault("FifoThroughputScope: MessageGroup", "TopicName: plain"),
        "5: Ordered.TopicName: a FIFO topic, and only that, has `FifoTopic: true` and a name that ends in `.fifo`"
            .replace("5:", "10:")
    );
    assert!(
        fault("Protocol: lambda\n      Endpoint: !GetAtt F.Arn", "Protocol: lambda\n      Endpoint: a:b")
            .ends_with("Sub.Endpoint: `a:b` is not a function of this template")
    );
    assert!(
        fault("deadLetterTargetArn: !GetAtt Dead.Arn", "deadLetterTargetArn: x")
            .ends_with("Sub.RedrivePolicy.deadLetterTargetArn: `x` is not a queue of this template")
    );
    assert!(
        fault("Topic: !Ref Topic, Filter", "SqsSubscription: true, Topic: !Ref Topic, Filter")
            .contains("SqsSubscription: not supported by the local cloud")
    );
    assert!(
        fault("Topic: !Ref Topic, Filter", "Topic: arn, Filter").ends_with("`arn` is not a topic of this template")
    );
    assert!(
        fault("      FifoTopic: true\n", "      ArchivePolicy: {}\n      FifoTopic: true\n")
            .contains("ArchivePolicy: not supported")
    );
}
