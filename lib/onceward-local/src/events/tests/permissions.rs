//! Descriptions and policies of buses.

use serde_json::{Value, json};

use super::{call, cloud, refused};
use crate::events::EventBridge;

async fn policy(events: &EventBridge) -> Option<Value> {
    let described = call(events, "DescribeEventBus", json!({"Name": "shop"})).await.unwrap();
    described["Policy"].as_str().map(|policy| serde_json::from_str(policy).unwrap())
}

#[tokio::test]
async fn a_bus_has_a_policy_of_statements() {
    let (events, _sqs) = cloud(&[]);
    let bus = events.create_bus("shop").unwrap();
    assert_eq!(policy(&events).await, None);
    let put = |id: &str, principal: &str| json!({"EventBusName": "shop", "Action": "events:PutEvents", "Principal": principal, "StatementId": id});
    call(&events, "PutPermission", put("one", "111111111111")).await.unwrap();
    let mut all = put("all", "*");
    all["Condition"] = json!({"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1"});
    call(&events, "PutPermission", all.clone()).await.unwrap();
    call(&events, "PutPermission", all).await.unwrap();
    let statement = |id: &str, principal: Value| json!({"Sid": id, "Effect": "Allow", "Principal": principal, "Action": "events:PutEvents", "Resource": bus});
    let mut conditional = statement("all", json!("*"));
    conditional["Condition"] = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}});
    let one = statement("one", json!({"AWS": "arn:aws:iam::111111111111:root"}));
    let expected = json!({"Version": "2012-10-17", "Statement": [one, conditional]});
    assert_eq!(policy(&events).await, Some(expected));

    let remove = |id: &str| json!({"EventBusName": "shop", "StatementId": id});
    call(&events, "RemovePermission", remove("all")).await.unwrap();
    assert_eq!(refused(&events, "RemovePermission", remove("all")).await.0, "ResourceNotFoundException");
    call(&events, "RemovePermission", remove("one")).await.unwrap();
    assert_eq!(policy(&events).await, None);

    let whole = json!({"Version": "2012-10-17", "Statement": []});
    call(&events, "PutPermission", json!({"EventBusName": "shop", "Policy": whole.to_string()})).await.unwrap();
    assert_eq!(policy(&events).await, Some(whole));
    call(&events, "RemovePermission", json!({"EventBusName": "shop", "RemoveAllPermissions": true})).await.unwrap();
    assert_eq!(policy(&events).await, None);
}

#[tokio::test]
async fn a_permission_that_cannot_be_is_refused() {
    let (events, _sqs) = cloud(&[]);
    let long = json!({"Statement": ["x".repeat(10_240)]}).to_string();
    let rows = [
        (json!({"EventBusName": "none", "Policy": "{}"}), "ResourceNotFoundException"),
        (json!({"Policy": "{"}), "ValidationException"),
        (json!({"Action": "events:PutEvents", "Principal": "*"}), "ValidationException"),
        (json!({"Policy": long}), "PolicyLengthExceededException"),
    ];
    for (request, code) in rows {
        assert_eq!(refused(&events, "PutPermission", request).await.0, code);
    }
}

#[tokio::test]
async fn a_bus_is_updated() {
    let (events, _sqs) = cloud(&[]);
    let bus = events.create_bus("shop").unwrap();
    let updated = call(&events, "UpdateEventBus", json!({"Name": "shop", "Description": "d"})).await.unwrap();
    assert_eq!(updated, json!({"Name": "shop", "Arn": bus, "Description": "d"}));
    let described = call(&events, "DescribeEventBus", json!({"Name": "shop"})).await.unwrap();
    assert_eq!(described["Description"], "d");
    assert!(described["LastModifiedTime"].as_f64() >= described["CreationTime"].as_f64());
    assert_eq!(refused(&events, "UpdateEventBus", json!({"Name": "none"})).await.0, "ResourceNotFoundException");
}
