//! Refusals, as each service words them.
//!
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html>,
//! <https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>,
//! <https://repost.aws/knowledge-center/sns-throttling-exception-errors>,
//! <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>,
//! <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>

use serde_json::{Value, json};

use crate::wire::{AwsResponse, Protocol};

/// What is to be refused, and in which protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) protocol: Protocol,
}

/// An error: its status, its code, its words.
struct Refusal<'a>(u16, &'a str, &'a str);

/// Nobody can tell it from one that AWS gives; the message says whose it is.
pub(super) const INJECTED: &str = "The local cloud was told to fail this call.";

impl Asked<'_> {
    /// Too many requests.
    pub(super) fn throttled(self) -> AwsResponse {
        let is_query = self.protocol == Protocol::Query;
        self.answer(match self.service {
            "dynamodb" if self.is_about_items() => Refusal(
                400,
                "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                "The level of configured provisioned throughput for the table was exceeded. Consider increasing your \
                 provisioning level with the UpdateTable API.",
            ),
            "dynamodb" => Refusal(
                400,
                "com.amazon.coral.availability#ThrottlingException",
                "Rate of requests exceeds the allowed throughput.",
            ),
            "execute-api" => Refusal(429, "", "Too Many Requests"),
            "lambda" => Refusal(429, "TooManyRequestsException", "Rate Exceeded."),
            "s3" => Refusal(503, "SlowDown", "Please reduce your request rate."),
            "scheduler" => Refusal(429, "ThrottlingException", "Rate exceeded"),
            "sqs" => {
                let (status, code) = if is_query { (403, "RequestThrottled") } else { (400, REQUEST_THROTTLED) };
                Refusal(status, code, "The request was denied due to request throttling.")
            }
            "sts" => Refusal(400, "Throttling", "Rate exceeded"),
            _ => Refusal(400, "ThrottlingException", "Rate exceeded"),
        })
    }

    /// The service's own fault: 500, or 503 for one that is not available.
    pub(super) fn failed(self, status: u16) -> AwsResponse {
        let message = match (self.service, status) {
            ("execute-api", 503) => "Service Unavailable",
            ("execute-api", _) => "Internal Server Error",
            _ => INJECTED,
        };
        self.failed_because(status, message)
    }

    /// The same, and why.
    pub(crate) fn failed_because(self, status: u16, message: &str) -> AwsResponse {
        let code = match (self.service, status) {
            ("s3" | "sns" | "sqs" | "sts", 503) => "ServiceUnavailable",
            // Its only documented 500 is called so, too.
            ("logs", _) | (_, 503) => "ServiceUnavailableException",
            ("dynamodb", _) => "com.amazonaws.dynamodb.v20120810#InternalServerError",
            ("events", _) => "InternalException",
            ("lambda", _) => "ServiceException",
            ("s3" | "sns", _) => "InternalError",
            ("scheduler", _) => "InternalServerException",
            _ => "InternalFailure",
        };
        self.answer(Refusal(status, code, message))
    }

    /// `DynamoDB` met a transaction under way; of a transaction's `items`, at the one at `at`.
    pub(super) fn conflicting(self, items: usize, at: usize) -> AwsResponse {
        const MESSAGE: &str = "Transaction is ongoing for the item";
        if !self.operation.contains("Transact") {
            let code = "com.amazonaws.dynamodb.v20120810#TransactionConflictException";
            return self.answer(Refusal(400, code, MESSAGE));
        }
        let code = |place: usize| if place == at { "TransactionConflict" } else { "None" };
        let codes: Vec<_> = (0..items).map(code).collect();
        let reason = |code: &&str| match *code {
            "None" => json!({"Code": "None"}),
            code => json!({"Code": code, "Message": MESSAGE}),
        };
        self.json(
            400,
            &json!({
                "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
                "Message": format!(
                    "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
                    codes.join(", ")
                ),
                "CancellationReasons": codes.iter().map(reason).collect::<Vec<_>>(),
            }),
        )
    }

    /// An answer of the service's content type.
    pub(super) fn encoded(self, status: u16, body: impl Into<bytes::Bytes>) -> AwsResponse {
        let content_type = match (self.service, self.protocol) {
            ("s3", _) => "application/xml",
            (_, Protocol::Query) => "text/xml",
            (_, Protocol::Json { content_type }) => content_type,
        };
        AwsResponse { status, content_type, headers: Vec::new(), body: body.into() }
    }

    fn json(self, status: u16, body: &Value) -> AwsResponse {
        self.encoded(status, body.to_string())
    }

    fn answer(self, Refusal(status, code, message): Refusal<'_>) -> AwsResponse {
        let fault = if status < 500 { "Sender" } else { "Receiver" };
        match (self.service, self.protocol) {
            ("execute-api", _) => self.json(status, &json!({"message": message})),
            ("lambda", _) => {
                let blame = if status < 500 { "User" } else { "Service" };
                let mut answer = self.json(status, &json!({"Type": blame, "Message": message, "message": message}));
                answer.headers.push(("x-amzn-errortype", code.to_owned()));
                answer
            }
            ("scheduler", _) => {
                let mut answer = self.json(status, &json!({"Message": message}));
                answer.headers.push(("x-amzn-errortype", code.to_owned()));
                answer
            }
            ("s3", _) => {
                let request_id = uuid::Uuid::new_v4().simple().to_string()[..16].to_ascii_uppercase();
                let (code, message) = (escaped(code), escaped(message));
                let body = format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
                     <RequestId>{request_id}</RequestId><HostId>onceward</HostId></Error>"
                );
                let mut answer = self.encoded(status, body);
                answer.headers.push(("x-amz-request-id", request_id));
                answer
            }
            (_, Protocol::Query) => {
                let (code, message) = (escaped(code), escaped(message));
                let error =
                    format!("<Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>");
                let request_id = uuid::Uuid::new_v4();
                self.encoded(
                    status,
                    format!("<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"),
                )
            }
            (service, Protocol::Json { .. }) => {
                let mut answer = self.json(status, &json!({"__type": code, "message": message}));
                if service == "sqs" {
                    let name = code.rsplit('#').next().unwrap_or(code);
                    answer.headers.push(("x-amzn-query-error", format!("{name};{fault}")));
                }
                answer
            }
        }
    }

    /// Of its streams `DynamoDB` documents the throttling that all services share.
    fn is_about_items(self) -> bool {
        let words = ["Item", "Query", "Scan", "Statement", "Transaction"];
        words.iter().any(|word| self.operation.contains(word))
    }
}

const REQUEST_THROTTLED: &str = "com.amazonaws.sqs#RequestThrottled";

/// Text in XML.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\r', "&#13;")
}
