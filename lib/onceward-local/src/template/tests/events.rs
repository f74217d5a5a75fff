//! Archives, rules of every kind, schedules, and the events of functions that become them.

use serde_json::{Value, json};

use super::{faults, stack};
use crate::{events::Archive, retry::RetryPolicy, scheduler::ActionAfterCompletion};

const SYSTEM: &str = r#"
Globals:
  Function: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: shop}}
  Q: {Type: AWS::SQS::Queue}
  Dead: {Type: AWS::SQS::Queue}
  Topic: {Type: AWS::SNS::Topic}
  Archive:
    Type: AWS::Events::Archive
    Properties:
      ArchiveName: orders
      SourceArn: !GetAtt Bus.Arn
      Description: d
      EventPattern: {source: [shop.orders]}
      RetentionDays: 7
  Tick:
    Type: AWS::Events::Rule
    Properties:
      ScheduleExpression: rate(5 minutes)
      Targets:
        - {Id: queue, Arn: !GetAtt Q.Arn, Input: '{}', RetryPolicy: {MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60}}
        - {Id: function, Arn: !GetAtt F.Arn}
        - {Id: topic, Arn: !Ref Topic}
        - {Id: bus, Arn: !GetAtt Bus.Arn, RoleArn: !GetAtt Role.Arn}
  Group: {Type: AWS::Scheduler::ScheduleGroup, Properties: {Name: closing}}
  Night:
    Type: AWS::Scheduler::Schedule
    Properties:
      GroupName: !Ref Group
      ScheduleExpression: cron(0 22 * * ? *)
      ScheduleExpressionTimezone: Europe/Berlin
      StartDate: 2026-01-01T00:00:00Z
      FlexibleTimeWindow: {Mode: FLEXIBLE, MaximumWindowInMinutes: 15}
      ActionAfterCompletion: DELETE
      Target:
        Arn: !GetAtt Q.Arn
        RoleArn: !GetAtt Role.Arn
        Input: night
        DeadLetterConfig: {Arn: !GetAtt Dead.Arn}
  Role: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: scheduler.amazonaws.com}, Action: sts:AssumeRole}]}}}
  Grant: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: events.amazonaws.com}}
  F:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: f
      Events:
        Hourly:
          Type: Schedule
          Properties: {Schedule: rate(1 hour), Name: hourly, Enabled: false, Input: '{"a":1}'}
        Placed:
          Type: EventBridgeRule
          Properties:
            EventBusName: !Ref Bus
            Pattern: {detail-type: [order.placed.v1]}
            InputPath: $.detail
            RetryPolicy: {MaximumRetryAttempts: 2}
            DeadLetterConfig: {Type: SQS, QueueLogicalId: Lost}
            Target: {Id: own}
        Older:
          Type: CloudWatchEvent
          Properties: {Pattern: {source: [s]}, State: DISABLED, DeadLetterConfig: {Arn: !GetAtt Dead.Arn}}
        Daily:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(1 days)
            GroupName: !Ref Group
            Input: '{"b":2}'
            RetryPolicy: {MaximumRetryAttempts: 5}
            DeadLetterConfig: {Arn: !GetAtt Dead.Arn}
Outputs:
  Archive: {Value: !Sub "${Archive} ${Archive.Arn}"}
  Group: {Value: !Sub "${Group} ${Group.Arn}"}
  Night: {Value: !Sub "${Night} ${Night.Arn}"}
  Tick: {Value: !Sub "${Tick} ${Tick.Arn}"}
"#;

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:000000000000:function:f";
const DEAD: &str = "arn:aws:sqs:eu-central-1:000000000000:onceward-Dead";

#[test]
fn archives_schedules_and_groups_have_names_and_arns() {
    let outputs = stack(SYSTEM).outputs;
    assert_eq!(outputs["Archive"], "orders arn:aws:events:eu-central-1:000000000000:archive/orders");
    assert_eq!(outputs["Group"], "closing arn:aws:scheduler:eu-central-1:000000000000:schedule-group/closing");
    let night = "onceward-Night arn:aws:scheduler:eu-central-1:000000000000:schedule/closing/onceward-Night";
    assert_eq!(outputs["Night"], night);
    assert_eq!(outputs["Tick"], "onceward-Tick arn:aws:events:eu-central-1:000000000000:rule/onceward-Tick");
}

#[test]
fn an_archive_is_resolved() {
    let expected = Archive {
        name: "orders".to_owned(),
        bus_arn: "arn:aws:events:eu-central-1:000000000000:event-bus/shop".to_owned(),
        description: Some("d".to_owned()),
        pattern: Some(r#"{"source":["shop.orders"]}"#.to_owned()),
        retention_days: 7,
    };
    assert_eq!(stack(SYSTEM).archives, [expected]);
}

#[test]
fn a_scheduled_rule_has_targets_of_every_kind() {
    let stack = stack(SYSTEM);
    let rule = stack.rules.iter().find(|rule| rule.logical_id == "Tick").unwrap();
    assert_eq!((rule.schedule.as_deref(), &rule.pattern, rule.enabled), (Some("rate(5 minutes)"), &Value::Null, true));
    let kinds: Vec<_> = rule.targets.iter().map(|target| target.arn.split(':').nth(2).unwrap()).collect();
    assert_eq!(kinds, ["sqs", "lambda", "sns", "events"]);
    assert_eq!(rule.targets[0].retry_policy, RetryPolicy { attempts_max: Some(3), age_max_seconds: Some(60) });
    assert_eq!(rule.targets[1].retry_policy, RetryPolicy::default());
}

#[test]
fn a_schedule_is_resolved() {
    let stack = stack(SYSTEM);
    assert_eq!(stack.schedule_groups, ["closing"]);
    let schedule = stack.schedules.iter().find(|schedule| schedule.name == "onceward-Night").unwrap();
    assert_eq!(
        (schedule.group_name.as_str(), schedule.schedule_expression_timezone.as_str()),
        ("closing", "Europe/Berlin")
    );
    assert_eq!(schedule.flexible_time_window.maximum_window_in_minutes, Some(15));
    assert_eq!(schedule.start_date.unwrap().timestamp(), 1_767_225_600);
    assert_eq!(schedule.action_after_completion, ActionAfterCompletion::Delete);
    assert_eq!(schedule.target.dead_letter_config.as_ref().unwrap().arn.as_deref(), Some(DEAD));
}

#[test]
fn events_of_a_function_are_rules_and_schedules_with_it_as_their_target() {
    let stack = stack(SYSTEM);
    assert!(stack.functions[0].triggers.is_empty());
    let rule = |id: &str| stack.rules.iter().find(|rule| rule.logical_id == id).unwrap();

    let hourly = rule("FHourly");
    assert_eq!(
        (hourly.name.as_str(), hourly.schedule.as_deref(), hourly.enabled),
        ("hourly", Some("rate(1 hour)"), false)
    );
    assert_eq!((hourly.targets[0].id.as_str(), hourly.targets[0].arn.as_str()), ("FHourlyLambdaTarget", FUNCTION));

    let placed = rule("FPlaced");
    assert_eq!((placed.name.as_str(), placed.bus.as_str(), placed.enabled), ("onceward-FPlaced", "shop", true));
    assert_eq!(placed.pattern, json!({"detail-type": ["order.placed.v1"]}));
    assert_eq!((placed.targets[0].id.as_str(), placed.targets[0].retry_policy.attempts_max), ("own", Some(2)));
    assert!(placed.targets[0].dead_letter_arn.as_ref().unwrap().ends_with(":onceward-Lost"));
    assert!(stack.queues.iter().any(|queue| queue.logical_id == "Lost"), "SAM makes the queue");

    let older = rule("FOlder");
    assert_eq!((older.enabled, older.targets[0].dead_letter_arn.as_deref()), (false, Some(DEAD)));

    let daily = stack.schedules.iter().find(|schedule| schedule.name == "FDaily").unwrap();
    assert_eq!((daily.target.arn.as_str(), daily.group_name.as_str()), (FUNCTION, "closing"));
    assert_eq!(
        (daily.target.input.as_deref(), daily.target.retry_policy.maximum_retry_attempts),
        (Some(r#"{"b":2}"#), 5)
    );
}

#[test]
fn what_aws_would_refuse_has_a_line() {
    let rows = [
        ("rate(5 minutes)", "rate(5 minute)", "Tick.ScheduleExpression: `rate(5 minute)` is not a schedule expression"),
        ("ScheduleExpression: rate(5 minutes)", "State: ENABLED", "Tick: `EventPattern` is required"),
        (
            "Tick:\n    Type: AWS::Events::Rule\n    Properties:",
            "Tick:\n    Type: AWS::Events::Rule\n    Properties:\n      EventBusName: shop",
            "only rules of the bus `default`",
        ),
        ("MaximumRetryAttempts: 3", "MaximumRetryAttempts: 186", "expected a whole number from 0 to 185"),
        (
            "Arn: !Ref Topic",
            "Arn: arn:aws:sns:eu-central-1:000000000000:other",
            "is not a queue, function, topic or bus",
        ),
        ("SourceArn: !GetAtt Bus.Arn", "SourceArn: arn:aws:events:x:0:event-bus/b", "is not a bus of this template"),
        ("cron(0 22 * * ? *)", "cron(0 22 * * * *)", "Night: Invalid Schedule Expression cron(0 22 * * * *)."),
        ("Mode: FLEXIBLE,", "Mode: SOMETIMES,", "Night: unknown variant `SOMETIMES`"),
        (
            "      GroupName: !Ref Group\n      Sch",
            "      GroupName: none\n      Sch",
            "`none` is not a schedule group of this template",
        ),
        ("Schedule: rate(1 hour)", "Schedule: rate(1 hours)", "F.Events.Hourly.Properties.Schedule: `rate(1 hours)`"),
        ("Pattern: {source: [s]}, ", "", "F.Events.Older.Properties: `Pattern` is required"),
        ("InputPath: $.detail", "InputPath: $.detail\n            Input: a", "a target takes one of"),
        (
            "ScheduleExpression: rate(1 days)",
            "ScheduleExpression: rate(1 days)\n            Colour: red",
            "F.Events.Daily.Properties.Colour",
        ),
    ];
    for (from, to, words) in rows {
        assert!(SYSTEM.contains(from), "{from}");
        let found = faults(&SYSTEM.replacen(from, to, 1)).join("\n");
        assert!(found.contains(words), "{to}: {found}");
    }
}
