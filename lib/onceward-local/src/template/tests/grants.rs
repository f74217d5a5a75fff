//! From roles, policies and SAM's shorthand to what the local cloud evaluates.

use serde_json::Value;

use super::{faults, stack};
use crate::iam::RolePolicies;

const FUNCTION: &str = "
  F:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: f, CodeUri: ., Handler: bootstrap, Runtime: provided.al2023";

fn template(resources: &str) -> String {
    format!("Transform: AWS::Serverless-2016-10-31\nResources:{resources}")
}

/// Names of a role's policies; those that nobody wrote in brackets.
fn names(role: &RolePolicies) -> Vec<String> {
    let name = |policy: &crate::iam::NamedPolicy| {
        if policy.implicit { format!("({})", policy.name) } else { policy.name.clone() }
    };
    role.policies.iter().map(name).collect()
}

#[test]
fn a_function_without_a_role_has_the_one_that_sam_makes() {
    let text = template(&format!(
        "{FUNCTION}, Tracing: Active,
      Policies: [AmazonSQSFullAccess, {{SQSSendMessagePolicy: {{QueueName: !GetAtt Q.QueueName}}}},
        {{Statement: [{{Effect: Allow, Action: 's3:*', Resource: '*'}}]}}, {{Effect: Allow, Action: 'sns:*', Resource: '*'}}],
      Events: {{Queue: {{Type: SQS, Properties: {{Queue: !GetAtt Q.Arn}}}}}}}}
  Q: {{Type: AWS::SQS::Queue}}"
    ));
    let stack = stack(&text);
    let function = &stack.permissions.functions["f"];
    assert_eq!(function.role_arn, "arn:aws:iam::000000000000:role/onceward-FRole");
    assert_eq!((function.log_group.as_str(), function.log_group_declared), ("/aws/lambda/f", false));
    assert_eq!(
        names(&stack.permissions.roles[&function.role_arn]),
        [
            "(AWSLambdaBasicExecutionRole)",
            "(AWSLambdaSQSQueueExecutionRole)",
            "(AWSXrayWriteOnlyAccess)",
            "AmazonSQSFullAccess",
            "SQSSendMessagePolicy",
            "Policies[2]",
            "Policies[3]"
        ]
    );
}

/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventinvokedestinationconfiguration.html>
#[test]
fn sam_lets_a_function_send_to_its_own_destinations_and_dead_letter_queue() {
    let text = template(&format!(
        "{FUNCTION},
      DeadLetterQueue: {{Type: SNS, TargetArn: !Ref T}},
      EventInvokeConfig: {{DestinationConfig: {{
        OnSuccess: {{Type: EventBridge, Destination: !GetAtt B.Arn}},
        OnFailure: {{Type: SQS, Destination: !GetAtt Q.Arn}}}}}}}}
  Q: {{Type: AWS::SQS::Queue}}
  T: {{Type: AWS::SNS::Topic}}
  B: {{Type: AWS::Events::EventBus, Properties: {{Name: b}}}}"
    ));
    let granted = |text: &str| stack(text).permissions.roles["arn:aws:iam::000000000000:role/onceward-FRole"].clone();
    assert_eq!(
        names(&granted(&text)),
        ["(AWSLambdaBasicExecutionRole)", "(OnSuccess)", "(OnFailure)", "(DeadLetterQueue)"]
    );
    // A resource of its own is CloudFormation's, which grants nothing.
    let apart = template(&format!(
        "{FUNCTION}}}
  C:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref F
      Qualifier: $LATEST
      DestinationConfig: {{OnFailure: {{Destination: !GetAtt Q.Arn}}}}
  Q: {{Type: AWS::SQS::Queue}}"
    ));
    assert_eq!(names(&granted(&apart)), ["(AWSLambdaBasicExecutionRole)"]);
}

#[test]
fn a_role_has_its_own_policies_and_those_that_are_attached() {
    let text = template(&format!(
        "{FUNCTION}, Role: !GetAtt R.Arn, LoggingConfig: {{LogGroup: !Ref Logs}}}}
  Logs: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: /shared}}}}
  R:
    Type: AWS::IAM::Role
    Properties:
      RoleName: r
      AssumeRolePolicyDocument: &document
        Version: 2012-10-17
        Statement: {{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}
      PermissionsBoundary: !Ref M
      ManagedPolicyArns: [!Ref M, 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole']
      Policies:
        - PolicyName: inline
          PolicyDocument: {{Version: 2012-10-17, Statement: [{{Effect: Allow, Action: 's3:*', Resource: '*'}}]}}
  M:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {{Version: 2012-10-17, Statement: [{{Effect: Allow, Action: 'sqs:*', Resource: '*'}}]}}
  P:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: attached
      Roles: [!Ref R]
      PolicyDocument: {{Version: 2012-10-17, Statement: [{{Effect: Allow, Action: 'sns:*', Resource: '*'}}]}}"
    ));
    let stack = stack(&text.replace("&document", ""));
    let function = &stack.permissions.functions["f"];
    assert_eq!(function.role_arn, "arn:aws:iam::000000000000:role/r");
    assert_eq!((function.log_group.as_str(), function.log_group_declared), ("/shared", true));
    let role = &stack.permissions.roles[&function.role_arn];
    assert_eq!(names(role), ["inline", "onceward-M", "AWSLambdaBasicExecutionRole", "attached"]);
    assert!(role.boundary.is_some());
}

#[test]
fn policies_of_queues_topics_and_functions_are_theirs() {
    let text = template(&format!(
        "{FUNCTION}}}
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: q}}}}
  T: {{Type: AWS::SNS::Topic, Properties: {{TopicName: t}}}}
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Q]
      PolicyDocument: {{Version: 2012-10-17, Statement: [{{Effect: Allow, Principal: '*', Action: sqs:SendMessage, Resource: !GetAtt Q.Arn}}]}}
  TopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Properties:
      Topics: [!Ref T]
      PolicyDocument: {{Version: 2012-10-17, Statement: [{{Effect: Allow, Principal: '*', Action: sns:Publish, Resource: !Ref T}}]}}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {{FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com, SourceArn: !Ref T}}"
    ));
    let stack = stack(&text);
    let policy: Value = serde_json::from_str(&stack.queues[0].attributes["Policy"]).unwrap();
    assert_eq!(policy["Statement"][0]["Resource"], "arn:aws:sqs:eu-central-1:000000000000:q");
    assert!(stack.permissions.topic_policies.contains_key("arn:aws:sns:eu-central-1:000000000000:t"));
    assert!(stack.permissions.function_policies.contains_key("arn:aws:lambda:eu-central-1:000000000000:function:f"));
    assert_eq!(stack.permissions.declared.len(), 2);
}

#[test]
fn what_is_not_known_is_refused_with_its_line() {
    let refused = |policies: &str| faults(&template(&format!("{FUNCTION},\n      Policies: {policies}}}")));
    for (policies, expected) in [
        (
            "[KinesisCrudPolicy: {StreamName: s}]",
            "6: F.Policies[0]: the local cloud does not know the policy template KinesisCrudPolicy",
        ),
        ("[SQSPollerPolicy: {}]", "6: F.Policies[0].SQSPollerPolicy: `QueueName` is required"),
        ("PowerUserAccess", "6: F.Policies[0]: the local cloud does not know the managed policy `PowerUserAccess`"),
        (
            "{Effect: Allow, Action: '*', Resource: '*', Condition: {StringMatches: {aws:userid: a}}}",
            "6: F.Policies[0]: the condition operator `StringMatches` is not supported by the local cloud",
        ),
    ] {
        let [fault] = refused(policies).try_into().unwrap();
        assert!(fault.starts_with(expected), "{fault}");
    }
    let role = "
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}
      Policies:
        - PolicyName: p
          PolicyDocument: {Version: 2012-10-17, Statement: {Effect: Allow, Action: '*'}, Id: 1, Sid: x}";
    assert_eq!(
        faults(&template(role)),
        ["9: R.Policies[0].PolicyDocument: the policy element `Sid` is not supported by the local cloud"]
    );
}
