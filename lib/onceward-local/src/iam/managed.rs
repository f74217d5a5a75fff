//! Policies that AWS wrote: its managed policies for execution roles, and SAM's policy templates.
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>,
//! <https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/serverless-policy-template-list.html>

use serde_json::{Value, json};

use crate::account::Account;

const LOGS: [&str; 3] = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];
const XRAY: [&str; 5] = [
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries",
];

/// Managed policies by name: whether they let a function log, and what else they allow, all of it on `*`.
const MANAGED: [(&str, bool, &[&str]); 14] = [
    ("AWSLambdaBasicExecutionRole", true, &[]),
    ("AWSLambdaSQSQueueExecutionRole", true, &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]),
    (
        "AWSLambdaDynamoDBExecutionRole",
        true,
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
    ),
    (
        "AWSLambdaVPCAccessExecutionRole",
        true,
        &[
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
    ),
    ("AWSLambdaRole", false, &["lambda:InvokeFunction"]),
    ("AWSXRayDaemonWriteAccess", false, &XRAY),
    ("AWSXrayWriteOnlyAccess", false, &XRAY),
    ("AmazonSQSFullAccess", false, &["sqs:*"]),
    ("AmazonSNSFullAccess", false, &["sns:*"]),
    ("AmazonS3FullAccess", false, &["s3:*", "s3-object-lambda:*"]),
    ("AmazonEventBridgeFullAccess", false, &["events:*", "scheduler:*", "schemas:*", "pipes:*"]),
    ("AmazonDynamoDBFullAccess", false, &["dynamodb:*", "dax:*"]),
    ("AmazonDynamoDBFullAccess_v2", false, &["dynamodb:*", "dax:*"]),
    ("AdministratorAccess", false, &["*"]),
];

/// One of SAM's policy templates.
struct Template {
    name: &'static str,
    parameters: &'static [&'static str],
    /// Actions, and the resources they are allowed on, as ARNs with `{0}` and `{1}` for the parameters.
    statements: &'static [(&'static [&'static str], &'static [&'static str])],
}

const QUEUE: [&str; 1] = ["arn:aws:sqs:{region}:{account}:{0}"];
const TOPIC: [&str; 1] = ["arn:aws:sns:{region}:{account}:{0}"];
const TABLE: [&str; 2] =
    ["arn:aws:dynamodb:{region}:{account}:table/{0}", "arn:aws:dynamodb:{region}:{account}:table/{0}/index/*"];
const BUCKET: [&str; 2] = ["arn:aws:s3:::{0}", "arn:aws:s3:::{0}/*"];

const TEMPLATES: [Template; 13] = [
    Template {
        name: "SQSPollerPolicy",
        parameters: &["QueueName"],
        statements: &[(
            &[
                "sqs:ChangeMessageVisibility",
                "sqs:ChangeMessageVisibilityBatch",
                "sqs:DeleteMessage",
                "sqs:DeleteMessageBatch",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            &QUEUE,
        )],
    },
    Template {
        name: "SQSSendMessagePolicy",
        parameters: &["QueueName"],
        statements: &[(&["sqs:SendMessage*"], &QUEUE)],
    },
    Template {
        name: "DynamoDBCrudPolicy",
        parameters: &["TableName"],
        statements: &[(
            &[
                "dynamodb:GetItem",
                "dynamodb:DeleteItem",
                "dynamodb:PutItem",
                "dynamodb:Scan",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:BatchGetItem",
                "dynamodb:DescribeTable",
                "dynamodb:ConditionCheckItem",
            ],
            &TABLE,
        )],
    },
    Template {
        name: "DynamoDBReadPolicy",
        parameters: &["TableName"],
        statements: &[(
            &["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:DescribeTable"],
            &TABLE,
        )],
    },
    Template {
        name: "DynamoDBWritePolicy",
        parameters: &["TableName"],
        statements: &[(&["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], &TABLE)],
    },
    Template {
        name: "DynamoDBStreamReadPolicy",
        parameters: &["TableName", "StreamName"],
        statements: &[
            (
                &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                &["arn:aws:dynamodb:{region}:{account}:table/{0}/stream/{1}"],
            ),
            (&["dynamodb:ListStreams"], &["arn:aws:dynamodb:{region}:{account}:table/{0}/stream/*"]),
        ],
    },
    Template {
        name: "EventBridgePutEventsPolicy",
        parameters: &["EventBusName"],
        statements: &[(&["events:PutEvents"], &["arn:aws:events:{region}:{account}:event-bus/{0}"])],
    },
    Template { name: "SNSPublishMessagePolicy", parameters: &["TopicName"], statements: &[(&["sns:Publish"], &TOPIC)] },
    Template {
        name: "SNSCrudPolicy",
        parameters: &["TopicName"],
        statements: &[(
            &[
                "sns:ListSubscriptionsByTopic",
                "sns:CreateTopic",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
                "sns:Publish",
            ],
            &["arn:aws:sns:{region}:{account}:{0}*"],
        )],
    },
    Template {
        name: "LambdaInvokePolicy",
        parameters: &["FunctionName"],
        statements: &[(&["lambda:InvokeFunction"], &["arn:aws:lambda:{region}:{account}:function:{0}*"])],
    },
    Template {
        name: "S3ReadPolicy",
        parameters: &["BucketName"],
        statements: &[(
            &[
                "s3:GetObject",
                "s3:ListBucket",
                "s3:GetBucketLocation",
                "s3:GetObjectVersion",
                "s3:GetLifecycleConfiguration",
            ],
            &BUCKET,
        )],
    },
    Template {
        name: "S3WritePolicy",
        parameters: &["BucketName"],
        statements: &[(&["s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"], &BUCKET)],
    },
    Template {
        name: "S3CrudPolicy",
        parameters: &["BucketName"],
        statements: &[(
            &[
                "s3:GetObject",
                "s3:ListBucket",
                "s3:GetBucketLocation",
                "s3:GetObjectVersion",
                "s3:PutObject",
                "s3:PutObjectAcl",
                "s3:GetLifecycleConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:DeleteObject",
            ],
            &BUCKET,
        )],
    },
];

/// The document of the AWS managed policy `name`, without its path; `None` if it is not known here.
pub(crate) fn managed(name: &str) -> Option<Value> {
    let (_, logs, own) = MANAGED.iter().find(|(known, ..)| *known == name)?;
    let logs: &[&str] = if *logs { &LOGS } else { &[] };
    let actions: Vec<&str> = logs.iter().chain(*own).copied().collect();
    Some(allow(&actions, &["*".to_owned()]))
}

/// The parameters of SAM's policy template `name`; `None` if it is not known here.
pub(crate) fn sam_parameters(name: &str) -> Option<&'static [&'static str]> {
    TEMPLATES.iter().find(|template| template.name == name).map(|template| template.parameters)
}

/// SAM's policy template `name` with `values` for its parameters, in the order of [`sam_parameters`].
pub(crate) fn sam(account: &Account, name: &str, values: &[String]) -> Option<Value> {
    let template = TEMPLATES.iter().find(|template| template.name == name)?;
    let filled = |arn: &&str| {
        let arn = arn.replace("{region}", &account.region).replace("{account}", &account.id);
        values.iter().enumerate().fold(arn, |arn, (index, value)| arn.replace(&format!("{{{index}}}"), value))
    };
    let statement = |(actions, resources): &(&[&str], &[&str])| {
        let resources: Vec<String> = resources.iter().map(filled).collect();
        json!({"Effect": "Allow", "Action": actions, "Resource": resources})
    };
    let statements: Vec<Value> = template.statements.iter().map(statement).collect();
    Some(json!({"Version": "2012-10-17", "Statement": statements}))
}

/// A document that allows `actions` on `resources`.
pub(crate) fn allow(actions: &[&str], resources: &[String]) -> Value {
    let statement = json!({"Effect": "Allow", "Action": actions, "Resource": resources});
    json!({"Version": "2012-10-17", "Statement": [statement]})
}
