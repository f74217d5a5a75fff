//! Schedules, groups, tags, and what is refused.

use serde_json::{Value, json};

use super::{Bench, merge, schedule, start};

const NONE: Value = Value::Null;
const NEVER: &str = "at(2030-01-01T00:00:00)";

#[tokio::test]
async fn a_schedule_is_created_told_changed_and_deleted() {
    let bench = Bench::new(&[]);
    let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule/default/s";
    let more = json!({"Description": "d", "EndDate": start().timestamp() + 1});
    let created = bench.ok("POST", "/schedules/s", schedule(NEVER, "work", &more)).await;
    assert_eq!(created, json!({"ScheduleArn": arn}));
    let told = bench.ok("GET", "/schedules/s", NONE).await;
    let mut expected = schedule(NEVER, "work", &more);
    let defaults = json!({
        "Name": "s",
        "Arn": arn,
        "GroupName": "default",
        "State": "ENABLED",
        "ScheduleExpressionTimezone": "UTC",
        "ActionAfterCompletion": "NONE",
        "EndDate": told["EndDate"],
        "CreationDate": told["CreationDate"],
        "LastModificationDate": told["CreationDate"],
        "Target": {"RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}},
    });
    merge(&mut expected, &defaults);
    assert_eq!(told, expected);
    assert_eq!(told["EndDate"].as_f64(), Some(1_767_225_631.0));

    let off = json!({"State": "DISABLED"});
    bench.ok("PUT", "/schedules/s", schedule(NEVER, "work", &off)).await;
    let told = bench.ok("GET", "/schedules/s?groupName=default", NONE).await;
    assert_eq!((&told["State"], told.get("Description")), (&json!("DISABLED"), None), "what is not said is gone");
    bench.ok("DELETE", "/schedules/s?clientToken=t", NONE).await;
    bench.ok("DELETE", "/schedules/s?clientToken=t", NONE).await;
    let gone = (404, "ResourceNotFoundException".to_owned(), "Schedule s does not exist.".to_owned());
    assert_eq!(bench.refused("GET", "/schedules/s", NONE).await, gone);
    assert_eq!(bench.refused("DELETE", "/schedules/s", NONE).await, gone);
    assert_eq!(bench.refused("PUT", "/schedules/s", schedule(NEVER, "work", &off)).await, gone);
}

#[tokio::test]
async fn the_same_request_under_the_same_client_token_is_done_once() {
    let bench = Bench::new(&[]);
    let request = schedule(NEVER, "work", &json!({"ClientToken": "t-1"}));
    let first = bench.ok("POST", "/schedules/s", request.clone()).await;
    assert_eq!(bench.ok("POST", "/schedules/s", request).await, first);
    let other = schedule(NEVER, "other", &json!({"ClientToken": "t-1"}));
    assert_eq!(bench.refused("POST", "/schedules/s", other).await.1, "ConflictException");
    let again = schedule(NEVER, "work", &json!({"ClientToken": "t-2"}));
    let expected = (409, "ConflictException".to_owned(), "Schedule s already exists.".to_owned());
    assert_eq!(bench.refused("POST", "/schedules/s", again).await, expected);
}

#[tokio::test]
async fn groups_hold_schedules_and_tags() {
    let bench = Bench::new(&[]);
    let arn = "arn:aws:scheduler:eu-west-1:000000000000:schedule-group/shop";
    let tags = json!({"Tags": [{"Key": "a", "Value": "1"}], "ClientToken": "t"});
    assert_eq!(bench.ok("POST", "/schedule-groups/shop", tags.clone()).await, json!({"ScheduleGroupArn": arn}));
    bench.ok("POST", "/schedule-groups/shop", tags).await;
    assert_eq!(bench.refused("POST", "/schedule-groups/shop", NONE).await.0, 409);
    let group = bench.ok("GET", "/schedule-groups/shop", NONE).await;
    assert_eq!((&group["Arn"], &group["State"]), (&json!(arn), &json!("ACTIVE")));
    let listed = bench.ok("GET", "/schedule-groups", NONE).await;
    let names: Vec<_> = listed["ScheduleGroups"].as_array().unwrap().iter().map(|group| &group["Name"]).collect();
    assert_eq!(names, ["default", "shop"]);

    let tags_of = "/tags/arn%3Aaws%3Ascheduler%3Aeu-west-1%3A000000000000%3Aschedule-group%2Fshop";
    bench.ok("POST", tags_of, json!({"Tags": [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}]})).await;
    bench.ok("DELETE", &format!("{tags_of}?TagKeys=a&TagKeys=c"), NONE).await;
    assert_eq!(bench.ok("GET", tags_of, NONE).await, json!({"Tags": [{"Key": "b", "Value": "2"}]}));
    assert_eq!(bench.refused("GET", &format!("{tags_of}x"), NONE).await.0, 404);

    let grouped = json!({"GroupName": "shop"});
    bench.ok("POST", "/schedules/a", schedule(NEVER, "work", &grouped)).await;
    bench.ok("POST", "/schedules/b", schedule(NEVER, "work", &grouped)).await;
    bench.ok("POST", "/schedules/a", schedule(NEVER, "work", &json!({"State": "DISABLED"}))).await;
    let names = |answer: &Value| {
        let all = answer["Schedules"].as_array().unwrap();
        all.iter()
            .map(|it| format!("{}/{}", it["GroupName"].as_str().unwrap(), it["Name"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    let cases: [(&str, &[&str]); 4] = [
        ("", &["default/a", "shop/a", "shop/b"]),
        ("?ScheduleGroup=shop", &["shop/a", "shop/b"]),
        ("?NamePrefix=a&State=ENABLED", &["shop/a"]),
        ("?State=DISABLED", &["default/a"]),
    ];
    for (query, expected) in cases {
        assert_eq!(names(&bench.ok("GET", &format!("/schedules{query}"), NONE).await), expected, "{query}");
    }
    let first = bench.ok("GET", "/schedules?MaxResults=2", NONE).await;
    let token = first["NextToken"].as_str().unwrap();
    let second = bench.ok("GET", &format!("/schedules?MaxResults=2&NextToken={token}"), NONE).await;
    assert_eq!((names(&second), second.get("NextToken")), (vec!["shop/b".to_owned()], None));

    bench.ok("DELETE", "/schedule-groups/shop", NONE).await;
    assert_eq!(names(&bench.ok("GET", "/schedules", NONE).await), ["default/a"]);
    assert_eq!(bench.refused("GET", "/schedules?ScheduleGroup=shop", NONE).await.0, 404);
    assert_eq!(bench.refused("DELETE", "/schedule-groups/default", NONE).await.0, 400);
}

#[tokio::test]
async fn what_cannot_be_a_name_is_a_validation_error_not_a_missing_resource() {
    let bench = Bench::new(&[]);
    bench.ok("POST", "/schedule-groups/shop", NONE).await;
    let long = "x".repeat(65);
    let group = "/tags/arn:aws:scheduler:eu-west-1:000000000000:schedule-group/shop";
    let tag = |key: usize, value: usize| json!({"Tags": [{"Key": "k".repeat(key), "Value": "v".repeat(value)}]});
    for (method, path, body) in [
        ("GET", format!("/schedules/{long}"), NONE),
        ("GET", "/schedules/s?groupName=".to_owned(), NONE),
        ("DELETE", "/schedules/a%20b".to_owned(), NONE),
        ("DELETE", "/schedules/s?groupName=a%20b".to_owned(), NONE),
        ("GET", format!("/schedules?ScheduleGroup={long}"), NONE),
        ("GET", "/schedules?NamePrefix=".to_owned(), NONE),
        ("DELETE", format!("/schedule-groups/{long}"), NONE),
        ("GET", "/schedule-groups?NamePrefix=a%20b".to_owned(), NONE),
        ("POST", "/schedule-groups/new".to_owned(), tag(129, 1)),
        ("POST", group.to_owned(), tag(0, 1)),
        ("POST", group.to_owned(), tag(129, 1)),
        ("POST", group.to_owned(), tag(1, 0)),
        ("POST", group.to_owned(), tag(1, 257)),
        ("POST", group.to_owned(), NONE),
        ("DELETE", group.to_owned(), NONE),
        ("DELETE", format!("{group}?TagKeys="), NONE),
        ("GET", "/tags/shop".to_owned(), NONE),
    ] {
        let (status, code, message) = bench.refused(method, &path, body).await;
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{method} {path}: {message}");
    }
    bench.ok("POST", group, tag(128, 256)).await;
}

#[tokio::test]
async fn what_aws_or_the_local_cloud_does_not_take_is_refused() {
    let bench = Bench::new(&[]);
    let arn = |arn: &str| json!({"Target": {"Arn": arn}});
    let rows = [
        (json!({"ScheduleExpression": "rate(10 seconds)"}), "Invalid Schedule Expression rate(10 seconds)."),
        (json!({"ScheduleExpression": "cron(0 1 * * * *)"}), "Invalid Schedule Expression cron(0 1 * * * *)."),
        (json!({"ScheduleExpression": "at(2021-12-31T23:59:59Z)"}), "Invalid Schedule Expression at(2021-12-31"),
        (json!({"ScheduleExpressionTimezone": "Mars/Olympus"}), "Mars/Olympus"),
        (json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}), "MaximumWindowInMinutes"),
        (json!({"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441}}), "1 to 1440"),
        (json!({"ScheduleExpression": "rate(1 days)", "StartDate": start().timestamp() - 301}), "5 minutes ago"),
        (json!({"ScheduleExpression": "rate(1 days)", "EndDate": start().timestamp()}), "EndDate"),
        (json!({"State": "ON"}), "ON"),
        (json!({"KmsKeyArn": "k"}), "KmsKeyArn"),
        (json!({"Target": {"EcsParameters": {}}}), "EcsParameters"),
        (json!({"Target": {"RoleArn": "admin"}}), "RoleArn 'admin'"),
        (json!({"Target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}}), "0 to 185"),
        (
            json!({"Target": {"DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:000000000000:d.fifo"}}}),
            "standard queue",
        ),
        (json!({"Target": {"EventBridgeParameters": {"Source": "s", "DetailType": "t"}}}), "are for buses"),
        (arn("arn:aws:sqs:eu-west-1:000000000000:q.fifo"), "MessageGroupId"),
        (arn("arn:aws:scheduler:::aws-sdk:sqs:sendMessage"), "no universal targets"),
        (arn("arn:aws:states:eu-west-1:000000000000:stateMachine:m"), "do not invoke states"),
        (arn("arn:aws:events:eu-west-1:000000000000:event-bus/default"), "EventBridgeParameters are required"),
        (arn("arn:aws:lambda:eu-west-1:000000000000:function:f"), "Input must be JSON"),
        (arn("queue"), "not in correct format"),
        (json!({"Target": {"Input": ""}}), "1 character or more"),
    ];
    for (more, words) in rows {
        let (status, code, message) = bench.refused("POST", "/schedules/s", schedule(NEVER, "work", &more)).await;
        assert_eq!((status, code.as_str()), (400, "ValidationException"), "{more}: {message}");
        assert!(message.contains(words), "{more}: {message}");
    }
    let in_none = schedule(NEVER, "work", &json!({"GroupName": "none"}));
    let expected = (404, "ResourceNotFoundException".to_owned(), "Schedule group none does not exist.".to_owned());
    assert_eq!(bench.refused("POST", "/schedules/s", in_none).await, expected);
    assert_eq!(bench.refused("POST", "/schedules/a%20b", schedule(NEVER, "work", &json!({}))).await.0, 400);
}
