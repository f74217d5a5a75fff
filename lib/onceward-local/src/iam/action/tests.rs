//! Which permissions requests need.

use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::account::Account;
use crate::lambda::LogSink;

fn services() -> Services {
    Services::new(Account::new("eu-west-1", "http://127.0.0.1:4566"), LogSink::discard()).unwrap()
}

fn json_request(action: &str, body: &Value) -> AwsRequest {
    AwsRequest {
        protocol: Protocol::Json { content_type: "application/x-amz-json-1.0" },
        action: action.to_owned(),
        path: "/".to_owned(),
        body: Bytes::from(body.to_string()),
    }
}

fn query_request(action: &str, path: &str, form: &str) -> AwsRequest {
    AwsRequest {
        protocol: Protocol::Query,
        action: action.to_owned(),
        path: path.to_owned(),
        body: Bytes::copy_from_slice(form.as_bytes()),
    }
}

/// `action resource`, the resource without `arn:aws:{service}:eu-west-1:000000000000:`.
fn told(needs: &[Need]) -> Vec<String> {
    let short = |need: &Need| {
        let bare = need.resource.splitn(6, ':').nth(5).unwrap_or(&need.resource).to_owned();
        format!("{} {bare}", need.action)
    };
    let mut told: Vec<_> = needs.iter().map(short).collect();
    told.sort();
    told
}

fn of(service: &str, action: &str, body: &Value) -> Vec<String> {
    told(&needs(&services(), service, &json_request(action, body)))
}

#[test]
fn batches_of_sqs_need_the_permission_for_one() {
    let url = json!({"QueueUrl": "http://127.0.0.1:4566/000000000000/q"});
    for (action, expected) in [
        ("SendMessage", "sqs:SendMessage q"),
        ("SendMessageBatch", "sqs:SendMessage q"),
        ("DeleteMessageBatch", "sqs:DeleteMessage q"),
        ("ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility q"),
        ("GetQueueAttributes", "sqs:GetQueueAttributes q"),
    ] {
        assert_eq!(of("sqs", action, &url), [expected]);
    }
    assert_eq!(of("sqs", "GetQueueUrl", &json!({"QueueName": "q"})), ["sqs:GetQueueUrl q"]);
    assert_eq!(of("sqs", "ListQueues", &json!({})), ["sqs:ListQueues *"]);
    let by_path = query_request("ReceiveMessage", "/000000000000/q", "Action=ReceiveMessage");
    assert_eq!(told(&needs(&services(), "sqs", &by_path)), ["sqs:ReceiveMessage q"]);
    let arn = |name: &str| format!("arn:aws:sqs:eu-west-1:000000000000:{name}");
    assert_eq!(
        of("sqs", "StartMessageMoveTask", &json!({"SourceArn": arn("dlq"), "DestinationArn": arn("q")})),
        [
            "sqs:DeleteMessage dlq",
            "sqs:GetQueueAttributes dlq",
            "sqs:ReceiveMessage dlq",
            "sqs:SendMessage q",
            "sqs:StartMessageMoveTask dlq"
        ]
    );
}

#[test]
fn each_entry_of_put_events_needs_its_bus() {
    let entries = json!({"Entries": [
        {"EventBusName": "orders", "Source": "shop", "DetailType": "a"},
        {"EventBusName": "arn:aws:events:eu-west-1:000000000000:event-bus/orders", "Source": "shop", "DetailType": "a"},
        {"Source": "shop", "DetailType": "b"},
    ]});
    let needed = needs(&services(), "events", &json_request("PutEvents", &entries));
    assert_eq!(told(&needed), ["events:PutEvents event-bus/default", "events:PutEvents event-bus/orders"]);
    assert!(needed[0].keys.contains(&("events:detail-type", vec!["a".to_owned()])));
    let rule = json!({"Name": "r", "EventBusName": "orders"});
    assert_eq!(of("events", "PutRule", &rule), ["events:PutRule rule/orders/r"]);
    assert_eq!(of("events", "PutTargets", &json!({"Rule": "r"})), ["events:PutTargets rule/r"]);
}

#[test]
fn permissions_of_sns_are_on_topics() {
    let of = |action: &str, form: &str| told(&needs(&services(), "sns", &query_request(action, "/", form)));
    let topic = "arn:aws:sns:eu-west-1:000000000000:t";
    assert_eq!(of("PublishBatch", &format!("TopicArn={topic}")), ["sns:Publish t"]);
    assert_eq!(of("Publish", &format!("TargetArn={topic}")), ["sns:Publish t"]);
    assert_eq!(of("Unsubscribe", &format!("SubscriptionArn={topic}:4f-1")), ["sns:Unsubscribe t"]);
    assert_eq!(of("CreateTopic", "Name=t"), ["sns:CreateTopic t"]);
}

/// A table with a global index, keyed by `id` and by `day`.
fn tables() -> Services {
    let services = services();
    let definition = json!({
        "TableName": "orders",
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
            {"AttributeName": "day", "AttributeType": "N"},
        ],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-day",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    services.dynamodb.execute("CreateTable", definition.to_string().as_bytes()).unwrap();
    services
}

/// What a request on [`tables`] needs, with the leading keys.
fn on_tables(action: &str, body: &Value) -> Vec<String> {
    let needed = needs(&tables(), "dynamodb", &json_request(action, body));
    let with_keys = |need: &Need| {
        let keys = need.keys.iter().find(|(key, _)| *key == "dynamodb:leadingkeys").map(|(_, values)| values.join(","));
        let [need] = told(std::slice::from_ref(need)).try_into().unwrap();
        keys.map_or(need.clone(), |keys| format!("{need} [{keys}]"))
    };
    let mut told: Vec<_> = needed.iter().map(with_keys).collect();
    told.sort();
    told
}

#[test]
fn item_actions_need_their_table_and_tell_the_partition_key() {
    let key = json!({"id": {"S": "o-1"}, "sk": {"S": "x"}});
    let put = json!({"TableName": "orders", "Item": {"id": {"S": "o-1"}, "sk": {"S": "x"}, "map": {"M": {}}}});
    assert_eq!(on_tables("PutItem", &put), ["dynamodb:PutItem table/orders [o-1]"]);
    for action in ["GetItem", "DeleteItem", "UpdateItem"] {
        let told = on_tables(action, &json!({"TableName": "orders", "Key": key}));
        assert_eq!(told, [format!("dynamodb:{action} table/orders [o-1]")]);
    }
    let by_arn = json!({"TableName": "arn:aws:dynamodb:eu-west-1:000000000000:table/orders", "Key": key});
    assert_eq!(on_tables("GetItem", &by_arn), ["dynamodb:GetItem table/orders [o-1]"]);
    assert_eq!(on_tables("Scan", &json!({"TableName": "orders"})), ["dynamodb:Scan table/orders"]);
    assert_eq!(on_tables("DescribeTable", &json!({"TableName": "orders"})), ["dynamodb:DescribeTable table/orders"]);
    assert_eq!(on_tables("ListTables", &json!({})), ["dynamodb:ListTables *"]);
}

#[test]
fn a_query_is_on_its_index_and_tells_the_key_it_asks_for() {
    let query = json!({
        "TableName": "orders",
        "KeyConditionExpression": "(#i = :i) AND begins_with(sk, :s)",
        "ExpressionAttributeNames": {"#i": "id"},
        "ExpressionAttributeValues": {":i": {"S": "o-1"}, ":s": {"S": "x"}},
    });
    assert_eq!(on_tables("Query", &query), ["dynamodb:Query table/orders [o-1]"]);
    let by_index = json!({
        "TableName": "orders", "IndexName": "by-day", "KeyConditionExpression": "day=:d",
        "ExpressionAttributeValues": {":d": {"N": "7"}},
    });
    assert_eq!(on_tables("Query", &by_index), ["dynamodb:Query table/orders/index/by-day [7]"]);
    let legacy = json!({
        "TableName": "orders",
        "KeyConditions": {"id": {"AttributeValueList": [{"S": "o-1"}], "ComparisonOperator": "EQ"}},
    });
    assert_eq!(on_tables("Query", &legacy), ["dynamodb:Query table/orders [o-1]"]);
}

#[test]
fn transactions_need_the_permission_of_each_entry() {
    let key = json!({"id": {"S": "o-1"}, "sk": {"S": "x"}});
    let write = json!({"TransactItems": [
        {"Put": {"TableName": "orders", "Item": {"id": {"S": "o-2"}, "sk": {"S": "x"}}}},
        {"Update": {"TableName": "orders", "Key": key, "UpdateExpression": "SET a = :a"}},
        {"Delete": {"TableName": "other", "Key": key}},
        {"ConditionCheck": {"TableName": "orders", "Key": key, "ConditionExpression": "attribute_exists(id)"}},
    ]});
    assert_eq!(
        on_tables("TransactWriteItems", &write),
        [
            "dynamodb:ConditionCheckItem table/orders [o-1]",
            "dynamodb:DeleteItem table/other",
            "dynamodb:PutItem table/orders [o-2]",
            "dynamodb:UpdateItem table/orders [o-1]",
        ]
    );
    let read = json!({"TransactItems": [{"Get": {"TableName": "orders", "Key": key}}]});
    assert_eq!(on_tables("TransactGetItems", &read), ["dynamodb:GetItem table/orders [o-1]"]);
}

#[test]
fn batches_need_their_own_permission_on_each_table() {
    let read = json!({"RequestItems": {
        "orders": {"Keys": [{"id": {"S": "o-1"}, "sk": {"S": "x"}}, {"id": {"S": "o-2"}, "sk": {"S": "x"}}]},
        "other": {"Keys": [{"pk": {"S": "1"}}]},
    }});
    let expected = ["dynamodb:BatchGetItem table/orders [o-1,o-2]", "dynamodb:BatchGetItem table/other"];
    assert_eq!(on_tables("BatchGetItem", &read), expected);
    let write = json!({"RequestItems": {"orders": [
        {"PutRequest": {"Item": {"id": {"S": "o-1"}, "sk": {"S": "x"}}}},
        {"DeleteRequest": {"Key": {"id": {"S": "o-2"}, "sk": {"S": "x"}}}},
    ]}});
    assert_eq!(on_tables("BatchWriteItem", &write), ["dynamodb:BatchWriteItem table/orders [o-1,o-2]"]);
}

#[test]
fn partiql_statements_need_permissions_of_their_own() {
    for (statement, expected) in [
        ("SELECT * FROM orders WHERE id = 'from x'", "dynamodb:PartiQLSelect table/orders"),
        (r#"select id from "orders"."by-day" where day=1"#, "dynamodb:PartiQLSelect table/orders/index/by-day"),
        ("INSERT INTO \"orders\" VALUE {'id':'1'}", "dynamodb:PartiQLInsert table/orders"),
        ("UPDATE orders SET a=1 WHERE id='1'", "dynamodb:PartiQLUpdate table/orders"),
        ("DELETE FROM orders WHERE id='1'", "dynamodb:PartiQLDelete table/orders"),
        ("EXISTS(SELECT * FROM orders WHERE id='1')", "dynamodb:PartiQLSelect table/orders"),
    ] {
        assert_eq!(of("dynamodb", "ExecuteStatement", &json!({ "Statement": statement })), [expected]);
        let batch = json!({"Statements": [{ "Statement": statement }]});
        assert_eq!(of("dynamodb", "BatchExecuteStatement", &batch), [expected]);
    }
}

#[test]
fn streams_are_those_of_their_table() {
    let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders/stream/2026-01-01T00:00:00.000";
    assert_eq!(
        of("dynamodb", "DescribeStream", &json!({"StreamArn": arn})),
        ["dynamodb:DescribeStream table/orders/stream/latest"]
    );
    let iterator = dynoxide::actions::get_shard_iterator::encode_shard_iterator("orders", "shard", 0);
    assert_eq!(
        of("dynamodb", "GetRecords", &json!({"ShardIterator": iterator})),
        ["dynamodb:GetRecords table/orders/stream/latest"]
    );
}

#[test]
fn services_that_are_called_by_paths() {
    let account = Account::new("eu-west-1", "http://127.0.0.1:4566");
    let of = |service: &str, method: Method, uri: &str| {
        told(&rest(&account, service, &method, &uri.parse().unwrap(), &HeaderMap::new()).unwrap())
    };
    for (method, uri, expected) in [
        (Method::POST, "/2015-03-31/functions/f/invocations", "lambda:InvokeFunction function:f"),
        (
            Method::POST,
            "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A0%3Afunction%3Af%3A1/invocations",
            "lambda:InvokeFunction function:f:1",
        ),
        (Method::GET, "/2015-03-31/functions/f", "lambda:GetFunction function:f"),
        (Method::GET, "/2015-03-31/functions/", "lambda:ListFunctions *"),
    ] {
        assert_eq!(of("lambda", method, uri), [expected]);
    }
    for (method, uri, expected) in [
        (Method::GET, "/b/a%20b/c", "s3:GetObject b/a b/c"),
        (Method::HEAD, "/b/k", "s3:GetObject b/k"),
        (Method::GET, "/b/k?versionId=1", "s3:GetObjectVersion b/k"),
        (Method::PUT, "/b/k", "s3:PutObject b/k"),
        (Method::POST, "/b/k?uploads", "s3:PutObject b/k"),
        (Method::DELETE, "/b/k", "s3:DeleteObject b/k"),
        (Method::GET, "/b?list-type=2&prefix=a", "s3:ListBucket b"),
        (Method::HEAD, "/b", "s3:ListBucket b"),
        (Method::PUT, "/b", "s3:CreateBucket b"),
        (Method::GET, "/", "s3:ListAllMyBuckets *"),
    ] {
        assert_eq!(of("s3", method, uri), [expected], "{uri}");
    }
    let schedule = of("scheduler", Method::POST, "/schedules/nightly");
    assert_eq!(schedule, ["scheduler:CreateSchedule schedule/default/nightly"]);
    assert_eq!(rest(&account, "sqs", &Method::POST, &"/".parse().unwrap(), &HeaderMap::new()), None);
}
