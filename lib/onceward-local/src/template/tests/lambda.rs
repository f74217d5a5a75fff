//! What a template says of functions beside their code: concurrency, asynchronous invocation, mappings, CORS.

use std::time::Duration;

use super::{faults, stack};
use crate::{lambda::EVENT_AGE_MAX, template::Trigger};

const SYSTEM: &str = r#"
Resources:
  Q: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  T:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref F
      EventSourceArn: !GetAtt T.StreamArn
      StartingPosition: LATEST
      ParallelizationFactor: 4
      MaximumRecordAgeInSeconds: 60
      TumblingWindowInSeconds: 30
      DestinationConfig: {OnFailure: {Destination: !Ref Topic}}
  Config:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !GetAtt G.Arn
      Qualifier: $LATEST
      MaximumEventAgeInSeconds: 60
  Permission: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: sns.amazonaws.com}}
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration: {AllowOrigins: ["https://a.example"], AllowMethods: [get], AllowHeaders: [X-A], MaxAge: 60}
  F:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: f/
      Handler: bootstrap
      Runtime: provided.al2
      ReservedConcurrentExecutions: 0
      LoggingConfig: {LogFormat: JSON, LogGroup: /shop}
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Q.Arn}
      EventInvokeConfig:
        MaximumRetryAttempts: 1
        DestinationConfig:
          OnSuccess: {Type: Lambda, Destination: !GetAtt G.Arn}
          OnFailure: {Type: SNS, Destination: !Ref Topic}
      Events:
        Any: {Type: HttpApi}
  G: {Type: AWS::Serverless::Function, Properties: {CodeUri: g.zip, Handler: x, Runtime: provided.al2023}}
Outputs:
  Url: {Value: !GetAtt ServerlessHttpApi.ApiEndpoint}
"#;

/// `SYSTEM` with one thing changed, and what is said about it.
fn fault(from: &str, to: &str) -> String {
    assert!(SYSTEM.contains(from), "{from}");
    faults(&SYSTEM.replacen(from, to, 1)).join("\n")
}

#[test]
fn a_function_says_how_it_is_invoked_asynchronously_and_how_often_at_once() {
    let stack = stack(SYSTEM);
    let f = &stack.functions[0];
    assert_eq!((f.reserved_concurrency, f.runtime.as_str()), (Some(0), "provided.al2"));
    assert_eq!((f.logging.group.as_deref(), f.logging.json), (Some("/shop"), true));
    assert!(f.dead_letter_arn.as_deref().unwrap().ends_with(":onceward-Q"));
    assert_eq!((f.asynchronous.maximum_retry_attempts, f.asynchronous.maximum_event_age), (1, EVENT_AGE_MAX));
    assert!(f.asynchronous.on_success_arn.as_deref().unwrap().ends_with(":function:onceward-G"));
    assert!(f.asynchronous.on_failure_arn.as_deref().unwrap().ends_with(":onceward-Topic"));
    let g = &stack.functions[1];
    assert_eq!(g.asynchronous.maximum_event_age, Duration::from_mins(1));
    assert!(g.asynchronous.configured && g.code_uri.ends_with("g.zip"));
    assert_eq!((g.reserved_concurrency, g.handler.as_str()), (None, "x"));
}

#[test]
fn a_mapping_may_be_a_resource_of_its_own() {
    let stack = stack(SYSTEM);
    let [
        http,
        Trigger::Stream { table, parallelization_factor, maximum_record_age, tumbling_window, on_failure_arn, .. },
    ] = stack.functions[0].triggers.as_slice()
    else {
        panic!("{:#?}", stack.functions[0].triggers)
    };
    assert_eq!(*http, Trigger::Http { method: "ANY".to_owned(), path: "$default".to_owned() });
    assert_eq!((table.as_str(), *parallelization_factor), ("onceward-T", 4));
    assert_eq!(*maximum_record_age, Some(Duration::from_mins(1)));
    assert_eq!(*tumbling_window, Some(Duration::from_secs(30)));
    assert!(on_failure_arn.as_deref().unwrap().ends_with(":onceward-Topic"));
    assert_eq!(stack.outputs["Url"], "{http}");
}

#[test]
fn an_api_says_what_other_origins_may_do() {
    let cors = stack(SYSTEM).cors.unwrap();
    assert_eq!(
        (cors.allow_origins, cors.allow_methods),
        (vec!["https://a.example".to_owned()], vec!["GET".to_owned()])
    );
    assert_eq!((cors.allow_headers, cors.max_age), (vec!["x-a".to_owned()], Some(Duration::from_mins(1))));
    let everyone = SYSTEM.replacen("CorsConfiguration: {Allow", "CorsConfiguration: true\n      Tags: {Allow", 1);
    assert_eq!(stack(&everyone).cors.unwrap().allow_origins, ["*"]);
}

/// <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html>
#[test]
fn globals_are_those_of_every_http_api_and_of_the_one_that_sam_makes() {
    let text = |resources: &str| {
        format!(
            "Globals: {{HttpApi: {{CorsConfiguration: {{AllowOrigins: ['https://a.example'], MaxAge: 60}}}}}}\n\
             Resources:\n  Q: {{Type: AWS::SQS::Queue}}\n{resources}"
        )
    };
    let implicit = stack(&text("")).cors.unwrap();
    assert_eq!(
        (implicit.allow_origins, implicit.max_age),
        (vec!["https://a.example".to_owned()], Some(Duration::from_mins(1)))
    );
    let api = "  Api: {Type: AWS::Serverless::HttpApi, Properties: {CorsConfiguration: {MaxAge: 120, AllowMethods: [get]}}}\n";
    let merged = stack(&text(api)).cors.unwrap();
    assert_eq!(
        (merged.allow_origins, merged.max_age),
        (vec!["https://a.example".to_owned()], Some(Duration::from_mins(2)))
    );
    let own = text("").replace("HttpApi: {", "HttpApi: {StageName: $default, ");
    assert_eq!(faults(&own), ["1: Globals.HttpApi.StageName: SAM takes no such global: state it on each resource"]);
    let unknown = text("").replace("MaxAge", "Age");
    assert!(faults(&unknown)[0].starts_with("1: Globals.HttpApi.CorsConfiguration.Age: "), "{:?}", faults(&unknown));
}

/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>
#[test]
fn names_that_lambda_refuses_are_refused() {
    let told = |properties: &str| {
        faults(&format!(
            "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: .\n      \
             Handler: x\n      Runtime: provided.al2023\n      {properties}\n"
        ))
    };
    assert_eq!(
        told("FunctionName: a b"),
        ["8: F.FunctionName: `a b` is not 1 to 64 letters, digits, hyphens and underscores"]
    );
    assert_eq!(
        told("Environment: {Variables: {AWS_REGION: here, 1A: b}}"),
        [
            "8: F.Environment.Variables: Lambda sets `AWS_REGION` itself, and refuses another value",
            "8: F.Environment.Variables: `1A` is not a letter followed by letters, digits and underscores"
        ]
    );
    assert_eq!(
        told("Events: {Http: {Type: HttpApi, Properties: {Path: /, Method: fetch}}}"),
        ["8: F.Events.Http.Properties.Method: `fetch` is none of ANY, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"]
    );
    let filters = r#"{Pattern: '{"body": ["a"]}'}, "#.repeat(11);
    let event =
        format!("{{Type: SQS, Properties: {{Queue: !GetAtt Q.Arn, FilterCriteria: {{Filters: [{filters}]}}}}}}");
    let told = told(&format!("Events: {{E: {event}}}\n  Q: {{Type: AWS::SQS::Queue}}"));
    assert_eq!(told, ["8: F.Events.E.Properties.FilterCriteria.Filters: a mapping has at most 10 filters, found 11"]);
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (from, to, expected) in [
        (
            "Type: SNS, Destination: !Ref Topic",
            "Type: S3, Destination: !Ref Topic",
            "S3 destinations are not supported",
        ),
        (
            "OnFailure: {Destination: !Ref Topic}",
            "OnFailure: {Destination: 'arn:aws:s3:::b'}",
            "no destination of the local cloud",
        ),
        ("Qualifier: $LATEST", "Qualifier: live", "expected $LATEST, found `live`"),
        ("FunctionName: !Ref F", "FunctionName: nobody", "`nobody` is not a function of this template"),
        ("MaximumRecordAgeInSeconds: 60", "MaximumRecordAgeInSeconds: 59", "expected -1, or from 60 to 604800"),
        ("MaximumRetryAttempts: 1", "MaximumRetryAttempts: 3", "expected a whole number from 0 to 2, found `3`"),
        ("ParallelizationFactor: 4", "ParallelizationFactor: 11", "expected a whole number from 1 to 10, found `11`"),
        ("CorsConfiguration:", "StageName: prod\n      CorsConfiguration:", "expected $default, found `prod`"),
        ("MaxAge: 60", "MaxAge: 60, AllowCredentials: true, ExposeHeaders: ['*']", ""),
        ("[\"https://a.example\"]", "['*'], AllowCredentials: true", "credentials together with the origin `*`"),
    ] {
        if expected.is_empty() {
            stack(&SYSTEM.replacen(from, to, 1));
            continue;
        }
        let told = fault(from, to);
        assert!(told.contains(expected), "{to}: {told}");
    }
}
