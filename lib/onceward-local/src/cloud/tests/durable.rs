//! Clouds with a data folder: the template is applied to what is there.

use super::*;
use crate::sns::Publication;
use crate::store::tests::Folder;
use crate::template::{Bucket, Subscription, Topic};

/// A stack with one of everything that a later template may no longer declare.
fn rich(account: &Account) -> Stack {
    let schedule = |name: &str, expression: &str| {
        let target =
            json!({"Arn": account.arn("sqs", "inbox"), "RoleArn": "arn:aws:iam::000000000000:role/r", "Input": name});
        let schedule = json!({
            "Name": name,
            "GroupName": "closing",
            "ScheduleExpression": expression,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": target,
        });
        serde_json::from_value(schedule).unwrap()
    };
    let mut stack = stack(account);
    let bus_arn = account.arn("events", "event-bus/bus");
    stack.archives = vec![Archive { name: "all".to_owned(), bus_arn, ..Archive::default() }];
    stack.schedule_groups = vec!["closing".to_owned()];
    let past = (chrono::Utc::now() - chrono::TimeDelta::seconds(20)).format("%Y-%m-%dT%H:%M:%S");
    stack.schedules = vec![schedule("daily", "rate(1 days)"), schedule("once", &format!("at({past})"))];
    stack.topics = vec![Topic {
        logical_id: "News".to_owned(),
        name: "news".to_owned(),
        attributes: [("DisplayName".to_owned(), "News".to_owned())].into(),
    }];
    stack.subscriptions = vec![Subscription {
        topic_arn: account.arn("sns", "news"),
        protocol: "sqs",
        endpoint: account.arn("sqs", "inbox"),
        attributes: [("RawMessageDelivery".to_owned(), "true".to_owned())].into(),
    }];
    stack.buckets = vec![Bucket { logical_id: "Claims".to_owned(), name: "claims".to_owned() }];
    stack
}

async fn drain(cloud: &Cloud) -> Vec<String> {
    let mut bodies = Vec::new();
    let receive = || Receive { max: 10, wait: Duration::ZERO, visibility: None };
    loop {
        let received = cloud.sqs().receive("inbox", receive()).await.unwrap();
        if received.is_empty() {
            return bodies;
        }
        for message in received {
            cloud.sqs().delete("inbox", &message.receipt_handle).unwrap();
            bodies.push(message.body);
        }
    }
}

async fn until(cloud: &Cloud, visible: usize) {
    let wait = async {
        while cloud.sqs().depth("inbox").unwrap().visible < visible {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(crate::lambda::tests::PATIENCE, wait).await.expect("messages arrive");
}

async fn ask(cloud: &Cloud, action: &str, request: Value) -> String {
    exchange(cloud.aws_url(), "POST /", &format!("AWSEvents.{action}"), &request.to_string()).await.1
}

#[tokio::test]
async fn a_template_that_is_applied_again_leaves_what_it_declares_as_it_is() {
    let folder = Folder::new();
    let durable = async || {
        let config = config().await;
        let stack = rich(config.listeners.account());
        CloudConfig { data: Some(folder.0.clone()), stack, ..config }
    };
    let first = durable().await;
    let declared = first.stack.clone();
    let cloud = Cloud::start(first).unwrap();
    until(&cloud, 2).await;
    let mut due = drain(&cloud).await;
    due.sort_unstable();
    assert_eq!(due, ["daily", "once"], "a rate is due at once, and what was a moment ago");
    cloud.events().put_event(event()).unwrap();
    let body = drain(&cloud).await;
    let id = serde_json::from_str::<Value>(&body[0]).unwrap()["id"].clone();
    cloud.shutdown().await;
    drop(cloud);

    let mut changed = durable().await;
    changed.stack.schedules.clone_from(&declared.schedules);
    changed.stack.archives[0].retention_days = 3;
    changed.stack.topics[0].attributes.insert("DisplayName".to_owned(), "Other news".to_owned());
    changed.stack.subscriptions[0].attributes = BTreeMap::new();
    let cloud = Cloud::start(changed).unwrap();
    let archive = ask(&cloud, "DescribeArchive", json!({"ArchiveName": "all"})).await;
    assert!(archive.contains(r#""EventCount":1"#) && archive.contains(r#""RetentionDays":3"#), "{archive}");
    let publication = Publication {
        topic_arn: cloud.account().arn("sns", "news"),
        message: "text".to_owned(),
        ..Publication::default()
    };
    cloud.sns().publish(publication).unwrap();
    let second = cloud.events().put_event(event()).unwrap();
    assert_ne!(json!(second), id);
    let bodies = drain(&cloud).await;
    assert_eq!(bodies.len(), 2, "no schedule began anew: {bodies:?}");
    assert!(bodies[0].contains(r#""Type""#) && bodies[0].contains("text"), "no longer raw: {bodies:?}");
    assert!(exchange(cloud.aws_url(), "GET /schedules/once?groupName=closing", "", "").await.0.contains("404"));
    cloud.shutdown().await;
}

#[tokio::test]
async fn what_the_template_declares_no_more_goes_unless_it_holds_data() {
    let folder = Folder::new();
    let durable = async || CloudConfig { data: Some(folder.0.clone()), ..config().await };
    let mut first = durable().await;
    first.stack = rich(first.listeners.account());
    let cloud = Cloud::start(first).unwrap();
    let by_hand = json!({"Name": "by-hand", "EventBusName": "bus", "EventPattern": r#"{"source": ["x"]}"#});
    ask(&cloud, "PutRule", by_hand).await;
    cloud.shutdown().await;
    drop(cloud);

    let mut second = durable().await;
    second.stack = Stack::default();
    let cloud = Cloud::start(second).unwrap();
    let rules = ask(&cloud, "ListRules", json!({"EventBusName": "bus"})).await;
    let rules: Value = serde_json::from_str(&rules).unwrap();
    let names: Vec<_> = rules["Rules"].as_array().unwrap().iter().map(|rule| &rule["Name"]).collect();
    assert_eq!(names, ["by-hand"]);
    let archives = ask(&cloud, "ListArchives", json!({})).await;
    assert!(archives.contains(r#""Archives":[]"#), "{archives}");
    let (_, schedules) = exchange(cloud.aws_url(), "GET /schedules", "", "").await;
    assert!(schedules.contains(r#""Schedules":[]"#), "{schedules}");
    assert!(exchange(cloud.aws_url(), "GET /schedule-groups/closing", "", "").await.0.contains("404"));
    drain(&cloud).await;
    let publication = Publication {
        topic_arn: cloud.account().arn("sns", "news"),
        message: "text".to_owned(),
        ..Publication::default()
    };
    cloud.sns().publish(publication).unwrap();
    assert!(drain(&cloud).await.is_empty(), "the topic stays, its subscription does not");
    assert_eq!(cloud.s3().buckets(), ["claims"]);
    cloud.shutdown().await;
}

#[tokio::test]
async fn a_data_folder_holds_queues_and_tables_until_the_next_start() {
    let folder = Folder::new();
    let durable = async || CloudConfig { data: Some(folder.0.clone()), ..config().await };
    let cloud = Cloud::start(durable().await).unwrap();
    cloud.events().put_event(event()).unwrap();
    let item = json!({"TableName": "orders", "Item": {"pk": {"S": "a"}}});
    cloud.dynamodb().execute("PutItem", item.to_string().as_bytes()).unwrap();
    let second = Cloud::start(durable().await).unwrap_err().to_string();
    assert!(second.contains("in use by another process"), "{second}");
    cloud.shutdown().await;
    drop(cloud);

    // The template has changed: attributes, stream and expiry follow it.
    let mut changed = durable().await;
    changed.stack.queues[0].attributes.insert("VisibilityTimeout".to_owned(), "77".to_owned());
    let stream = json!({"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"});
    changed.stack.tables[0].definition["StreamSpecification"] = stream;
    changed.stack.tables[0].ttl_attribute = None;
    let cloud = Cloud::start(changed).unwrap();
    let call = |action: &str, request: Value| -> Value {
        let answer = cloud.dynamodb().execute(action, request.to_string().as_bytes()).unwrap();
        serde_json::from_slice(&answer).unwrap()
    };
    assert_eq!(cloud.sqs().depth("inbox").unwrap().visible, 1);
    let asked = ["VisibilityTimeout".to_owned()];
    assert_eq!(cloud.sqs().queue_attributes("inbox", &asked).unwrap()["VisibilityTimeout"], "77");
    assert_eq!(call("Scan", json!({"TableName": "orders"}))["Count"], 1);
    let described = call("DescribeTable", json!({"TableName": "orders"}));
    assert_eq!(described["Table"]["StreamSpecification"]["StreamViewType"], "NEW_IMAGE");
    let expiry = call("DescribeTimeToLive", json!({"TableName": "orders"}));
    assert_eq!(expiry["TimeToLiveDescription"]["TimeToLiveStatus"], "DISABLED");
}

/// Starts a cloud, and another one in its folder with another table; why that is refused.
async fn refusal(change: impl FnOnce(&mut Value)) -> String {
    let folder = Folder::new();
    let durable = async || CloudConfig { data: Some(folder.0.clone()), ..config().await };
    let cloud = Cloud::start(durable().await).unwrap();
    cloud.shutdown().await;
    drop(cloud);
    let mut changed = durable().await;
    change(&mut changed.stack.tables[0].definition);
    Cloud::start(changed).unwrap_err().to_string()
}

#[tokio::test]
async fn a_table_that_would_have_to_be_made_anew_is_refused() {
    let error = refusal(|table| {
        table["KeySchema"] = json!([{"AttributeName": "sk", "KeyType": "HASH"}]);
        table["AttributeDefinitions"] = json!([{"AttributeName": "sk", "AttributeType": "S"}]);
    });
    let error = error.await;
    assert!(error.starts_with("table orders of the data folder has KeySchema "), "{error}");
    let error = refusal(|table| table["AttributeDefinitions"][0]["AttributeType"] = json!("N")).await;
    assert!(error.starts_with("table orders of the data folder has AttributeDefinitions "), "{error}");
}

#[tokio::test]
async fn what_a_service_refuses_of_the_template_is_told_in_its_words() {
    let mut config = config().await;
    config.stack.tables[0].definition["TableName"] = json!("t");
    let error = Cloud::start(config).unwrap_err().to_string();
    assert!(error.starts_with("table orders: 1 validation error detected: Value 't' at "), "{error}");
}

/// A cloud with a data folder whose next write fails.
async fn broken(folder: &Folder) -> Cloud {
    let cloud = Cloud::start(CloudConfig { data: Some(folder.0.clone()), ..config().await }).unwrap();
    cloud.services.store.break_off();
    cloud
}

#[tokio::test]
async fn whoever_cannot_keep_what_was_changed_does_not_answer_that_it_is_done() {
    let schedule = json!({
        "ScheduleExpression": "rate(1 days)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:sqs:us-east-1:000000000000:inbox", "RoleArn": "arn:aws:iam::000000000000:role/r"},
    });
    let entry = json!({"EventBusName": "bus", "Source": "s", "DetailType": "a.v1", "Detail": "{}"});
    let json_1_1 = json!({"Name": "rule", "EventPattern": r#"{"source": ["s"]}"#}).to_string();
    let requests = [
        ("POST /", "AmazonSQS.CreateQueue", json!({"QueueName": "q"}).to_string(), "InternalFailure"),
        ("POST /", "", "Action=SendMessage&QueueUrl=inbox&MessageBody=m".to_owned(), "InternalFailure"),
        ("POST /", "AWSEvents.PutRule", json_1_1, "InternalException"),
        ("POST /", "AWSEvents.PutEvents", json!({"Entries": [entry]}).to_string(), "InternalException"),
        ("POST /", "", "Action=CreateTopic&Name=t".to_owned(), "InternalError"),
        ("PUT /claims", "", String::new(), "InternalError"),
        ("POST /schedules/s", "", schedule.to_string(), "cannot write to the data folder"),
    ];
    for (line, target, body, code) in requests {
        let folder = Folder::new();
        let cloud = broken(&folder).await;
        let (status, answer) = exchange(cloud.aws_url(), line, target, &body).await;
        assert!(status.contains("500"), "{line} {target} {body}: {status} {answer}");
        assert!(answer.contains(code) && answer.contains("nothing since is kept"), "{line} {target}: {answer}");
        let others = [
            ("GET /claims", ""),
            ("GET /schedules", ""),
            ("GET /2015-03-31/functions", ""),
            ("POST /", "Logs_20140328.X"),
        ];
        let tables = ("POST /", "DynamoDB_20120810.ListTables");
        for (line, target) in others.into_iter().chain([tables]) {
            let (status, answer) = exchange(cloud.aws_url(), line, target, "{}").await;
            assert!(status.contains("500") && answer.contains("nothing since is kept"), "{line} {target}: {answer}");
        }
        cloud.shutdown().await;
    }
}

#[tokio::test]
async fn a_data_folder_that_was_deleted_keeps_nothing() {
    let folder = Folder::new();
    let cloud = Cloud::start(CloudConfig { data: Some(folder.0.clone()), ..config().await }).unwrap();
    let item = json!({"TableName": "orders", "Item": {"pk": {"S": "a"}}}).to_string();
    let put = async || exchange(cloud.aws_url(), "POST /", "DynamoDB_20120810.PutItem", &item).await;
    assert!(put().await.0.contains("200"));
    std::fs::remove_dir_all(&folder.0).unwrap();
    let (status, answer) = put().await;
    assert!(status.contains("500") && answer.contains("was deleted while it was in use"), "{status} {answer}");
    assert!(exchange(cloud.aws_url(), "PUT /claims", "", "").await.0.contains("500"));
    assert!(exchange(cloud.aws_url(), "GET /health", "", "").await.0.contains("200"));
    cloud.shutdown().await;
}
