use std::time::Duration;

use serde_json::json;

use super::{faults, stack};
use crate::events::Input;
use crate::lambda::StartingPosition;
use crate::template::{Build, Trigger};

const SYSTEM: &str = r#"
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Environment: {Variables: {SHARED: everyone, LEVEL: info}}
Resources:
  Q:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: 30
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 1209600}}
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Small: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: n, Type: Number}}}
  Topic: {Type: AWS::SNS::Topic}
  Sub:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Protocol: sqs, Endpoint: !GetAtt Dead.Arn, RawMessageDelivery: true}
  R:
    Type: AWS::Events::Rule
    Properties:
      State: DISABLED
      EventPattern: {detail-type: [a.b.v1], detail: {n: [{numeric: [">", 5]}], ok: [true]}}
      Targets: [{Id: q, Arn: !GetAtt Q.Arn, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}]
  Api: {Type: AWS::Serverless::HttpApi}
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: f}}
    Properties:
      FunctionName: f
      CodeUri: functions/f
      Timeout: 5
      Environment: {Variables: {LEVEL: debug, QUEUE_URL: !Ref Q, API: !GetAtt Api.ApiEndpoint, ZERO: 007}}
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !GetAtt Q.Arn
            BatchSize: 5
            ScalingConfig: {MaximumConcurrency: 2}
            FunctionResponseTypes: [ReportBatchItemFailures]
        Stream:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt T.StreamArn
            StartingPosition: TRIM_HORIZON
            MaximumRetryAttempts: -1
            BisectBatchOnFunctionError: true
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Dead.Arn}}
            FilterCriteria: {Filters: [{Pattern: '{"eventName":["INSERT"]}'}]}
        Http: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: get, Path: "/a/{id}"}}
"#;

#[test]
fn queues_come_after_their_dead_letter_queues() {
    let queues = stack(SYSTEM).queues;
    assert_eq!(queues.iter().map(|queue| queue.name.as_str()).collect::<Vec<_>>(), ["onceward-Dead", "onceward-Q"]);
    assert_eq!(queues[1].attributes["VisibilityTimeout"], "30");
    let policy: serde_json::Value = serde_json::from_str(&queues[1].attributes["RedrivePolicy"]).unwrap();
    let target = "arn:aws:sqs:eu-central-1:000000000000:onceward-Dead";
    assert_eq!(policy, json!({"deadLetterTargetArn": target, "maxReceiveCount": 5}));
}

#[test]
fn tables_are_create_table_requests() {
    let tables = stack(SYSTEM).tables;
    assert_eq!(tables[0].ttl_attribute.as_deref(), Some("expires_at"));
    assert_eq!(
        tables[0].definition,
        json!({
            "TableName": "onceward-T",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        })
    );
    assert_eq!(tables[1].definition["AttributeDefinitions"], json!([{"AttributeName": "n", "AttributeType": "N"}]));
}

#[test]
fn rules_and_subscriptions_are_resolved() {
    let stack = stack(SYSTEM);
    let rule = &stack.rules[0];
    assert_eq!((rule.name.as_str(), rule.bus.as_str(), rule.enabled), ("onceward-R", "default", false));
    let pattern = json!({"detail-type": ["a.b.v1"], "detail": {"n": [{"numeric": [">", 5]}], "ok": [true]}});
    assert_eq!(rule.pattern, pattern);
    let target = &rule.targets[0];
    assert!(target.arn.ends_with(":onceward-Q"), "{target:?}");
    assert!(target.dead_letter_arn.as_ref().unwrap().ends_with(":onceward-Dead"), "{target:?}");
    assert_eq!(stack.subscriptions[0].attributes["RawMessageDelivery"], "true");
}

#[test]
fn functions_have_their_globals_and_triggers() {
    let stack = stack(SYSTEM);
    let function = &stack.functions[0];
    assert_eq!(function.code_uri, std::path::Path::new("/project/functions/f"));
    assert_eq!(function.build, Build::CargoLambda { binary: "f".to_owned() });
    assert_eq!((function.timeout, function.memory_mb), (Duration::from_secs(5), 128));
    let environment: Vec<_> = function.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let queue = "QUEUE_URL=http://127.0.0.1:4566/000000000000/onceward-Q";
    assert_eq!(environment, ["API={http}", "LEVEL=debug", queue, "SHARED=everyone", "ZERO=007"]);
    let [
        Trigger::Sqs { batch_size: 5, maximum_concurrency: Some(2), report_batch_item_failures: true, .. },
        stream,
        http,
    ] = function.triggers.as_slice()
    else {
        panic!("{:#?}", function.triggers)
    };
    assert_eq!(*http, Trigger::Http { method: "GET".to_owned(), path: "/a/{id}".to_owned() });
    let Trigger::Stream { table, starting_position, batch_size, maximum_retry_attempts, filters, bisect, .. } = stream
    else {
        panic!("{stream:#?}")
    };
    assert_eq!((table.as_str(), *batch_size, *bisect), ("onceward-T", 100, true));
    assert_eq!((*starting_position, *maximum_retry_attempts), (StartingPosition::TrimHorizon, None));
    assert_eq!(filters, &[json!({"eventName": ["INSERT"]})]);
}

#[test]
fn a_target_can_shape_what_it_receives() {
    let input = |given: &str| {
        let text = SYSTEM.replacen("Targets: [{Id: q,", &format!("Targets: [{{Id: q, {given},"), 1);
        stack(&text).rules[0].targets[0].input.clone().unwrap()
    };
    assert_eq!(input("Input: '{}'"), Input::Constant("{}".to_owned()));
    assert_eq!(input("InputPath: $.detail"), Input::Path("$.detail".to_owned()));
    let transformer = input("InputTransformer: {InputPathsMap: {id: $.id}, InputTemplate: '{\"id\": <id>}'}");
    let paths = [("id".to_owned(), "$.id".to_owned())].into();
    assert_eq!(transformer, Input::Transformer { paths, template: "{\"id\": <id>}".to_owned() });
    assert_eq!(
        fault("Targets: [{Id: q,", "Targets: [{Id: q, Input: a, InputPath: $.b,"),
        "32: R.Targets[0].Id: a target takes one of Input, InputPath and InputTransformer"
    );
}

#[test]
fn a_table_keeps_its_tags_and_its_protection() {
    let text = "
Globals: {SimpleTable: {SSESpecification: {SSEEnabled: true}}}
Resources:
  S: {Type: AWS::Serverless::SimpleTable, Properties: {Tags: {team: shop}}}
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      ProvisionedThroughput: {ReadCapacityUnits: 1, WriteCapacityUnits: 1}
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      DeletionProtectionEnabled: true
      Tags: [{Key: cost, Value: 7}]
";
    let tables = stack(text).tables;
    assert_eq!(tables[0].definition["Tags"], json!([{"Key": "team", "Value": "shop"}]));
    assert_eq!(tables[1].definition["Tags"], json!([{"Key": "cost", "Value": "7"}]));
    assert_eq!(tables[1].definition["DeletionProtectionEnabled"], json!(true));
}

/// `SYSTEM` with one thing changed, and what is said about it.
fn fault(from: &str, to: &str) -> String {
    assert!(SYSTEM.contains(from), "{from}");
    faults(&SYSTEM.replacen(from, to, 1)).join("\n")
}

#[test]
fn what_aws_would_refuse_is_refused_here() {
    assert_eq!(
        fault("VisibilityTimeout: 30", "VisibilityTimeout: 4"),
        "46: F.Events.Queue.Properties.Queue: the queue's VisibilityTimeout of 4 s is shorter than the function's \
         Timeout of 5 s: AWS refuses this, and advises six times the timeout"
    );
    assert_eq!(
        fault("BatchSize: 5", "BatchSize: 11"),
        "47: F.Events.Queue.Properties.BatchSize: more than 10 messages a batch need MaximumBatchingWindowInSeconds of \
         at least 1"
    );
    assert_eq!(
        fault("StreamSpecification: {StreamViewType: NEW_IMAGE}", ""),
        "53: F.Events.Stream.Properties.Stream: \
         `arn:aws:dynamodb:eu-central-1:000000000000:table/onceward-T/stream/latest` is not the stream of a table of \
         this template that has a StreamSpecification"
    );
    assert_eq!(
        fault("BillingMode: PAY_PER_REQUEST", "BillingMode: PROVISIONED"),
        "17: T.ProvisionedThroughput: required, unless BillingMode is PAY_PER_REQUEST"
    );
    assert_eq!(
        fault("MessageRetentionPeriod: 1209600", "QueueName: a.fifo"),
        "13: Dead.QueueName: a FIFO queue, and only that, has `FifoQueue: true` and a name that ends in `.fifo`"
    );
    assert_eq!(
        fault("'{\"eventName\":[\"INSERT\"]}'", "'{'"),
        "58: F.Events.Stream.Properties.FilterCriteria.Filters[0].Pattern: not JSON: EOF while parsing an object at \
         line 1 column 1"
    );
    assert_eq!(
        fault("'{\"eventName\":[\"INSERT\"]}'", "'{\"eventName\":\"INSERT\"}'"),
        "58: F.Events.Stream.Properties.FilterCriteria.Filters[0].Pattern: \"eventName\" must be an object or an array"
    );
    assert_eq!(
        fault("            StartingPosition: TRIM_HORIZON\n", ""),
        "53: F.Events.Stream.Properties: `StartingPosition` is required"
    );
    assert_eq!(
        fault("MaximumConcurrency: 2", "MaximumConcurrency: 1").split(", found").next().unwrap(),
        "48: F.Events.Queue.Properties.ScalingConfig.MaximumConcurrency: expected a whole number from 2 to 1000"
    );
}

#[test]
fn what_the_local_cloud_lacks_is_refused() {
    assert_eq!(
        fault("Arn: !GetAtt Q.Arn, Dead", "Arn: !GetAtt T.Arn, Dead"),
        "32: R.Targets[0].Arn: `arn:aws:dynamodb:eu-central-1:000000000000:table/onceward-T` is not a queue, function, \
         topic or bus of this template"
    );
    assert_eq!(fault("Protocol: sqs", "Protocol: email"), "26: Sub.Protocol: expected sqs or lambda, found `email`");
    assert_eq!(
        fault("BuildMethod: rust-cargolambda", "BuildMethod: makefile"),
        "36: F.Metadata.BuildMethod: `makefile` is not a build method the local cloud knows: use rust-cargolambda, or \
         leave it out if CodeUri holds a ready `bootstrap`"
    );
    assert_eq!(
        fault(", BuildProperties: {Binary: f}", ""),
        "36: F.Metadata: name the binary: `BuildProperties: {Binary: …}`"
    );
    assert_eq!(
        fault("Type: HttpApi", "Type: MSK"),
        "59: F.Events.Http.Type: expected SQS or SNS or DynamoDB or HttpApi or EventBridgeRule or CloudWatchEvent or \
         Schedule or ScheduleV2, found `MSK`"
    );
    assert_eq!(
        fault("ApiId: !Ref Api", "ApiId: !Ref Q"),
        "59: F.Events.Http.Properties.ApiId: expected `!Ref` of an AWS::Serverless::HttpApi of this template"
    );
}
